"""The old place of `systems.film.accuracy`."""

from systems.moved import forward

__getattr__ = forward(
    "systems.pendulum_clock.accuracy",
    dict.fromkeys(("accuracy", "measure", "summary", "markdown", "Row", "main"), "systems.film.accuracy"),
)

if __name__ == "__main__":
    __getattr__("main")()
