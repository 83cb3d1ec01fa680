"""Velocities for orbits of positions, as a base class of `Orbit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self


class PositionsOnly:
    """What has measured positions, from which velocities can be derived."""

    def with_velocities(self, of: str | Sequence[str] | None = None, names: str | Sequence[str] | None = None) -> Self:
        r"""Return the orbit with the velocities of its positions as further coordinates.

        Use it where positions were measured, but neither velocities nor momenta: models of mechanical systems need both. Times
        may be uneven, and values noisy or missing (NaN). All runs of a coordinate are smoothed together, by the splines of
        `systems.recording.smooth`, which also gives the errors; the measured positions stay as they are. If the orbit has
        rates, the velocities are these rates.

        ``provenance["derived"]`` tells which velocities were derived. ``Forecaster.fit`` then compares its model with the
        measured positions only.

        Parameters
        ----------
        of : str or sequence of str, optional
            The coordinates that are positions. Defaults to all.
        names : str or sequence of str, optional
            Names of the velocities. They default to ``omega`` for a single angle or theta, ``omega_1`` for ``theta_1``, and
            ``v_x`` for ``x``.

        Returns
        -------
        Orbit
            States of shape ``(..., T, D + n)``: the n positions, their velocities, and then the other coordinates, without
            rates. Velocities have the unit of their position per unit of time, if both are known. They are NaN where the
            position is NaN, and in runs with a single value.

        Raises
        ------
        InputError
            If there is no such coordinate, if velocities were derived before, if the names do not fit, or if no run has two
            values of a position.

        Examples
        --------
        >>> import numpy as np
        >>> from systems import Orbit
        >>> t = np.linspace(0, 10, 200)
        >>> orbit = Orbit.of(np.sin(t), t, coordinates=("x",), units={"x": "m", "t": "s"}).with_velocities()
        >>> orbit, orbit.units["v_x"]
        (Orbit(x, v_x: 200 times, t = 0 to 10), 'm/s')
        >>> float((orbit.z[:, 1] - orbit.t.cos()).abs().max()) < 1e-4
        True
        """
        from systems.recording.velocities import content  # importing SciPy and numba is slow

        parts: dict[str, Any] = content(self, of, names)  # type: ignore[arg-type]
        return type(self)(**parts)
