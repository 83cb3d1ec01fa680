"""A flow that can be left in the middle of whatever follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from torch import Tensor

from physlearn.flow import FlowLike
from physlearn.integrators import Flow

Function = TypeVar("Function", bound=Callable[..., Tensor] | None)


class Abandoned(Exception):  # noqa: N818 - nothing went wrong
    """What was being computed is no longer wanted."""


def while_wanted(flow: FlowLike, wanted: Callable[[], bool]) -> Flow:
    """The same flow, which raises Abandoned as soon as it is asked for a rate that nobody wants any more."""

    def watched(function: Function) -> Function:
        if function is None:
            return function

        def ask(*state: Any) -> Tensor:
            if not wanted():
                raise Abandoned
            return function(*state)

        return ask  # type: ignore[return-value]

    seen = Flow.of(flow)
    return replace(seen, field=watched(seen.field), velocity=watched(seen.velocity), force=watched(seen.force))
