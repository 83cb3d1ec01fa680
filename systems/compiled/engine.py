"""Choose the engine that integrates a flow: compiled code, or torch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from systems.compiled.field import ParametrizedField
from systems.compiled.operators import UntraceableError
from systems.reference.engine import Engine, check_engine


def choose(
    engine: Engine,
    trace: Callable[[], ParametrizedField],
    function: Callable[[Tensor, Tensor], Tensor],
    t: float,
    z: Tensor,
    unfit: str | None = None,
) -> ParametrizedField | None:
    """Return the compiled field if it is to be used, or None for torch.

    Parameters
    ----------
    engine : {"auto", "compiled", "torch"}
        What the caller asks for.
    trace : callable
        Returns the field, or raises UntraceableError.
    function : callable
        The field ``f(t, z)``, with which the compiled one is compared.
    t : float
        A time.
    z : Tensor, shape ``(n, D)``
        States at that time.
    unfit : str, optional
        Why the compiled engine does not apply, for other reasons than the field.

    Returns
    -------
    ParametrizedField or None
        The compiled field.

    Raises
    ------
    InputError
        If the engine is unknown, or if ``"compiled"`` is asked for and does not apply.
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
        field.check(function, t, z)
    except UntraceableError as error:
        check_engine(engine, str(error))
        return None
    return field
