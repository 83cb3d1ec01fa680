"""What can go wrong with an integration."""

from systems import IntegrationError


class ConvergenceError(IntegrationError):
    """An implicit step found no solution. ``orbit`` is the index in the batch, ``time`` the time of the step."""

    def __init__(self, method: str, orbit: tuple[int, ...], time: float) -> None:
        self.orbit = orbit
        self.time = time
        which = f"orbit {', '.join(map(str, orbit))}" if orbit else "the orbit"
        super().__init__(f"{method}: the implicit step of {which} at t = {time:g} does not converge; take smaller steps")
