"""The errors that an integration may raise."""

from systems import IntegrationError


class ConvergenceError(IntegrationError):
    """The equation of an implicit step could not be solved.

    Parameters
    ----------
    method
        Name of the method.
    orbit
        Index of the orbit in the batch.
    time
        Time of the step.
    """

    def __init__(self, method: str, orbit: tuple[int, ...], time: float) -> None:
        self.orbit = orbit
        self.time = time
        which = f"orbit {', '.join(map(str, orbit))}" if orbit else "the orbit"
        super().__init__(f"{method}: the implicit step of {which} at t = {time:g} does not converge; take smaller steps")
