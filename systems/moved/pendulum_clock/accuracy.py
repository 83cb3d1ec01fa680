"""The old place of `systems.film.accuracy`."""

from systems.deprecation import moved_names

__getattr__ = moved_names(
    "systems.pendulum_clock.accuracy",
    dict.fromkeys(("accuracy", "measure", "summary", "markdown", "Row", "main"), "systems.film.accuracy"),
)

if __name__ == "__main__":
    __getattr__("main")()
