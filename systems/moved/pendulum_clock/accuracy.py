"""The old place of `systems.film.accuracy`."""

from systems.deprecation import old_names

__getattr__ = old_names(
    "systems.pendulum_clock.accuracy",
    {name: f"systems.film.accuracy.{name}" for name in ("accuracy", "measure", "summary", "markdown", "Row", "main")},
)

if __name__ == "__main__":
    __getattr__("main")()
