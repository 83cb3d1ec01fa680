"""Forward-mode differentiation, of which torch, when it is first used, warns the user for what torch itself does inside."""

from systems.autograd_mode import ready

__all__ = ["ready"]
