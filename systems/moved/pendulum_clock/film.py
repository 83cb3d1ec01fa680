"""The old place of `systems.film`."""

from systems.moved import forward

__getattr__ = forward(
    "systems.pendulum_clock.film", dict.fromkeys(("Film", "Truth", "render", "render_clock", "still"), "systems.film")
)
