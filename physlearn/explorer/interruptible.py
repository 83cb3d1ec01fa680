"""A flow whose evaluation can be interrupted at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from torch import Tensor

from physlearn.flow import FlowLike
from physlearn.integrators import Flow

Function = TypeVar("Function", bound=Callable[..., Tensor] | None)


class Abandoned(Exception):  # noqa: N818 - this is not an error
    """The result of a computation is no longer wanted."""


def while_wanted(flow: FlowLike, wanted: Callable[[], bool]) -> Flow:
    """Return the same flow, which raises Abandoned on evaluation as soon as its result is no longer wanted."""

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
