"""A patch of any texture: found by correlation, and placed to a fraction of a pixel by least squares."""

from __future__ import annotations

import numpy as np

from systems.film.opencv import cv2
from systems.film.points.looks import Box, Sight, unlike
from systems.film.tracking.arrays import Floats, Image
from systems.film.tracking.decode import Frame
from systems.film.tracking.markers import window

ALIKE = 0.5  # correlation below which nothing is a sight of the patch
COLOURED = 8.0  # grey levels, from which the colours of a patch differ enough to tell it from others
STEPS = 12  # of Gauss and Newton, at most
SETTLED = 1e-3  # pixels: a smaller step is the last one
STIFF = 0.05  # radians by which a marker usually turns between two frames
RENEWED = 0.8  # likeness below which the patch is taken anew, because the marker has changed
RENEWAL = 0.06  # pixels: error of the place of a picture that is taken anew
PATIENT = 5  # frames in a row for which it must have changed
TURNS = np.radians([0, -20, 20])  # by which the patch is turned for the search, besides its last turn


class Patch:
    """A marker that is known by a small picture of it.

    Parameters
    ----------
    picture : shape ``(h, w, 3)``
        Pixels (y, u, v), with the marker in the middle.
    """

    def __init__(self, picture: Image) -> None:
        self.renewals = 0
        self._changed = 0
        self._take(np.ascontiguousarray(picture, np.float32))

    def _take(self, picture: Image) -> None:
        self.picture = picture
        height, width = picture.shape[:2]
        self.radius = min(height, width) / 2
        self.contrast = float(unlike(picture, picture.mean(axis=(0, 1))).mean())
        y, x = np.mgrid[:height, :width].astype(float)
        self.x, self.y = x - (width - 1) / 2, y - (height - 1) / 2
        across, down = np.gradient(picture.astype(float), axis=(1, 0))
        columns = [across, down, self.x[..., None] * down - self.y[..., None] * across, picture - picture.mean(axis=(0, 1))]
        constant = np.zeros((3, *picture.shape))
        for k in range(3):
            constant[k, ..., k] = 1
        self.matrix = np.stack([*columns, *constant], axis=-1).reshape(-1, 7)
        square = self.matrix.T @ self.matrix
        noise = 4.0  # grey levels, against which the turn's usual size is weighed
        square[2, 2] += (noise / STIFF) ** 2
        self.solver = np.linalg.pinv(square) @ self.matrix.T

    @property
    def error(self) -> float:
        """Error of its place after its picture was taken anew, each time with a small error [pixels]."""
        return RENEWAL * self.renewals**0.5

    def find(self, frame: Frame, box: Box, turn: float) -> list[Sight]:
        """Return the places in a part of a frame that correlate with the patch, each as well as it can be placed."""
        margin = int(np.ceil(np.hypot(*self.picture.shape[:2]) / 2)) + 2
        view, left, top = window(frame, box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
        height, width = self.picture.shape[:2]
        if view.shape[0] < height + 2 or view.shape[1] < width + 2:
            return []
        found: list[Sight] = []
        for extra in TURNS:
            own = self._turned(turn + extra)
            score = np.nan_to_num(cv2.matchTemplate(view, own, cv2.TM_CCOEFF_NORMED), nan=-1, posinf=-1, neginf=-1)
            for _ in range(3):
                _, best, _, (column, row) = cv2.minMaxLoc(score)
                if best < ALIKE:
                    break
                sight = self._placed(view, column + (width - 1) / 2, row + (height - 1) / 2, turn + extra)
                if sight is not None and not any(np.hypot(s.x - sight.x, s.y - sight.y) < self.radius for s in found):
                    found.append(sight)
                reach = round(self.radius)
                score[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = -1
            if found and extra == 0 and max(s.likeness for s in found) > RENEWED:
                break
        return [Sight(s.x + left, s.y + top, likeness=s.likeness, turn=s.turn) for s in found]

    def learn(self, frame: Frame, sight: Sight) -> None:
        """Take the patch anew from a frame where it was found, if it has looked different for some frames."""
        self._changed = self._changed + 1 if sight.likeness < RENEWED else 0
        if self._changed < PATIENT:
            return
        reach = round(2 * self.radius) + 4
        view, left, top = window(
            frame, *(int(v) for v in (sight.x - reach, sight.y - reach, sight.x + reach, sight.y + reach))
        )
        if view.shape[0] > self.picture.shape[0] and view.shape[1] > self.picture.shape[1]:
            self._take(_warped(view, sight.x - left, sight.y - top, 0.0, self.picture.shape[:2]))
            self.renewals, self._changed = self.renewals + 1, 0

    def _turned(self, turn: float) -> Image:
        if abs(turn) < np.radians(3):
            return self.picture
        height, width = self.picture.shape[:2]
        return _warped(self.picture, (width - 1) / 2, (height - 1) / 2, -turn, (height, width))

    def _placed(self, view: Image, x: float, y: float, turn: float) -> Sight | None:
        """Return where the patch is, starting from a place that is right to a pixel; None if it does not converge.

        Each step compares the view, moved and turned back, with the patch, whose gradients are known; brightness and contrast
        are fitted as well.
        """
        begun = np.array([x, y])
        target = self.picture.astype(float).reshape(-1)
        for _ in range(STEPS):
            seen = _warped(view, x, y, turn, self.picture.shape[:2]).astype(float).reshape(-1)
            step: Floats = self.solver @ (seen - target)
            # what was seen is the patch moved by the step, seen from the patch
            gain = 1 + float(step[3])
            if gain <= 0.1:
                return None
            dx, dy, turned = step[:3] / gain
            c, s = np.cos(turn), np.sin(turn)
            x, y, turn = x - float(c * dx - s * dy), y - float(s * dx + c * dy), turn - float(turned)
            if np.hypot(x - begun[0], y - begun[1]) > self.radius:
                return None
            if np.hypot(dx, dy) < SETTLED:
                break
        seen = _warped(view, x, y, turn, self.picture.shape[:2]).astype(float)
        off, own = seen - seen.mean(axis=(0, 1)), self.picture - self.picture.mean(axis=(0, 1))
        likeness = _correlation(off, own)
        hue = own[..., 1:]  # a marker of the same shape and brightness is another one if its colour differs
        other = float(hue.std()) > COLOURED and _correlation(off[..., 1:], hue) < ALIKE
        return Sight(x, y, likeness=likeness, turn=turn) if likeness > ALIKE and not other else None


def _correlation(a: Image, b: Image) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum() + 1e-9))


def _warped(view: Image, x: float, y: float, turn: float, shape: tuple[int, ...]) -> Image:
    """Return a piece of a view around a place, seen by a camera that is turned with it."""
    height, width = shape[:2]
    c, s = np.cos(turn), np.sin(turn)
    a, b = (width - 1) / 2, (height - 1) / 2
    matrix = np.array([[c, -s, x - c * a + s * b], [s, c, y - s * a - c * b]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(view, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def patch_at(frame: Frame, box: tuple[float, float, float, float]) -> Patch:
    """Return the patch in a box (x, y, width, height) of a frame, whose middle is the marker's place [pixels]."""
    x, y, width, height = box
    view, left, top = window(frame, int(x) - 4, int(y) - 4, int(x + width) + 6, int(y + height) + 6)
    shape = max(5, round(height)), max(5, round(width))
    return Patch(_warped(view, x + (width - 1) / 2 - left, y + (height - 1) / 2 - top, 0.0, shape))
