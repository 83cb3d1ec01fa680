"""Choose the engine that integrates a flow: compiled code, or torch."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from systems.compiled.field import ParametrizedField
from systems.compiled.operators import UntraceableError
from systems.reference.engine import Engine, check_engine

WITHIN = 0.38196601125  # the part of the orbit after which the field is compared again; periods do not divide it


def choose(
    engine: Engine,
    trace: Callable[[], ParametrizedField],
    function: Callable[[Tensor, Tensor], Tensor],
    t: Float[Tensor, " T"],
    period: float | None,
    z: Float[Tensor, "n D"],
    unfit: str | None = None,
) -> ParametrizedField | None:
    """Return the compiled field if it or its series are to be used, or None for torch.

    Parameters
    ----------
    engine : {"auto", "compiled", "taylor", "torch"}
        What the caller asks for.
    trace : callable
        Returns the field, or raises UntraceableError.
    function : callable
        The field ``f(t, z)``, with which the compiled one is compared.
    t : Tensor, shape ``(T,)``
        The times of the orbits. Two of them count, as what depends on time may vanish at one.
    period : float, optional
        The period of the field in time.
    z : Tensor, shape ``(n, D)``
        The initial states.
    unfit : str, optional
        Why the compiled engine does not apply, for other reasons than the field.

    Returns
    -------
    ParametrizedField or None
        The compiled field.

    Raises
    ------
    InputError
        If the engine is unknown, or if ``"compiled"`` or ``"taylor"`` is asked for and does not apply.
    """
    check_engine(engine)
    if engine == "torch":
        return None
    if unfit is None and z.device.type != "cpu":
        unfit = f"the states are on {z.device}, and compiled code runs on the CPU"
    try:
        if unfit is not None:
            raise UntraceableError(unfit)
        field = trace()
        first, last = float(t[0]), float(t[-1])
        now, later = (time if period is None else time % period for time in (first, first + WITHIN * (last - first)))
        field.check(function, now, z, later)
    except UntraceableError as error:
        check_engine(engine, str(error))
        return None
    return field
