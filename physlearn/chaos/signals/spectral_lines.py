"""The lines of a quasi-periodic signal, each refined to many digits."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from scipy.optimize import brentq

PADDED = 4  # points of the first guess per resolved frequency
SWEEPS = 30  # refinements of all lines
FAINTEST = 1e-12  # amplitude relative to the largest
Array = np.ndarray


@dataclass
class Lines:
    r"""The decomposition of a signal into lines with the Hann window to a power p, which weights the times.

    .. math:: f(t) \approx \sum_k a_k e^{i \omega_k t}, \qquad \chi_p(t) \propto (1 + \cos \pi t / T)^p, \quad -T \le t \le T

    Parameters
    ----------
    signal : shape (N,)
        Real or complex values at equal steps.
    dt
        The step.
    power
        Power p of the window.
    """

    signal: Array
    dt: float
    power: int

    def __post_init__(self) -> None:
        count = len(self.signal)
        self.t = (np.arange(count) - (count - 1) / 2) * self.dt
        weight = (1 + np.cos(pi * self.t / (count * self.dt / 2))) ** self.power
        self.weight = weight / weight.sum()
        self.real = not np.iscomplexobj(self.signal)
        self.frequencies: list[float] = []
        self.amplitudes = np.zeros(0, dtype=complex)
        self.rest = self.signal.astype(complex)

    @property
    def resolution(self) -> float:
        """Smallest distance of two frequencies that differ by a turn over the whole time."""
        return 2 * pi / (len(self.signal) * self.dt)

    def transform(self, values: Array, frequency: float) -> complex:
        """Return the weighted mean of the values times exp(-i w t)."""
        return complex(np.dot(self.weight * values, np.exp(-1j * frequency * self.t)))

    def peak(self, values: Array) -> float:
        """Return the frequency of the largest line of some values."""
        count = PADDED * len(values)
        spectrum = np.abs(np.fft.fft(self.weight * values, count))
        if self.real:
            spectrum = spectrum[: count // 2]
        place = int(spectrum.argmax())
        if self.real and place == 0:
            return 0.0
        grid = 2 * pi * np.fft.fftfreq(count, self.dt)
        return self.refined(values, float(grid[place]))

    def refined(self, values: Array, near: float) -> float:
        """Return the frequency of the local maximum near a frequency, where the derivative of the modulus vanishes."""
        if self.real and near == 0.0:
            return 0.0
        weighted = self.weight * values

        def slope(frequency: float) -> float:
            terms = weighted * np.exp(-1j * frequency * self.t)
            return float((np.conj(terms.sum()) * (-1j * self.t * terms).sum()).real)

        reach = self.resolution / PADDED
        low, high = near - reach, near + reach
        if not slope(low) > 0 > slope(high):
            return near
        return float(brentq(slope, low, high, xtol=1e-18, rtol=4 * np.finfo(float).eps))

    def find(self, most: int) -> None:
        """Find lines, largest first, until there are enough or none is left that is resolved."""
        for _ in range(most):
            frequency = self.peak(self.rest)
            if any(abs(frequency - other) < self.resolution for other in self.frequencies):
                break
            self.frequencies.append(frequency)
            self._refine()
            sizes = np.abs(self.amplitudes)
            if sizes[-1] < FAINTEST * sizes.max():
                self.frequencies.pop()
                self._refine()
                break

    def _refine(self) -> None:
        """Refine each line without the others, until no line moves."""
        self._fit()
        for _ in range(SWEEPS):
            before = list(self.frequencies)
            for number, (frequency, amplitude) in enumerate(zip(self.frequencies, self.amplitudes, strict=True)):
                alone = self.rest + amplitude * np.exp(1j * frequency * self.t)  # without the image at the negative frequency
                self.frequencies[number] = self.refined(alone, frequency)
            self._fit()
            moved = np.abs(np.subtract(before, self.frequencies)).max(initial=0.0)
            if moved <= 1e-15 * np.abs(before).max(initial=0.0):
                break

    def _fit(self) -> None:
        """Fit the amplitudes of all lines by weighted least squares, and subtract the lines.

        This removes what a Gram-Schmidt orthogonalisation removes.
        """
        own = np.array(self.frequencies)
        every = np.concatenate([own, -own[own != 0]]) if self.real else own
        basis = np.exp(1j * np.outer(self.t, every))
        root = np.sqrt(self.weight)
        amplitudes = np.linalg.lstsq(root[:, None] * basis, root * self.signal, rcond=None)[0]
        self.amplitudes = amplitudes[: len(own)]
        self.rest = self.signal - basis @ amplitudes
        if self.real:
            self.rest = self.rest.real.astype(complex)


def fundamental(signal: Array, dt: float, power: int, near: float | None = None) -> tuple[float, float]:
    """Return the frequency and the amplitude of the largest line of a signal beside its mean.

    With ``near``, a line close to that frequency is preferred unless another one is more than twice as large.
    """
    lines = Lines(signal, dt, power)
    values = signal - lines.transform(signal, 0.0)
    frequency = lines.peak(values)
    size = abs(lines.transform(values, frequency))
    if near is not None:
        grid = near + lines.resolution * np.linspace(-1, 1, 2 * PADDED + 1)
        sizes = [abs(lines.transform(values, one)) for one in grid]
        other = lines.refined(values, float(grid[int(np.argmax(sizes))]))
        if 2 * abs(lines.transform(values, other)) > size:
            return other, abs(lines.transform(values, other))
    return frequency, size
