"""The store of finished results: each is written completely or not at all, under a name that its settings determine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from tqdm.auto import tqdm

from physlearn.jobs.digest import digest
from physlearn.jobs.workers import Workers
from systems import InputError
from systems.atomic import atomically

T = TypeVar("T")


class Form(Protocol[T]):
    """How results of one kind are kept on disk: `Values` or `Files`."""

    def whole(self, path: Path) -> bool:
        """Return whether a result is complete and unchanged."""

    def read(self, path: Path) -> T | None:
        """Return a result, or None if it is missing, incomplete or damaged."""

    def write(self, path: Path, result: T, settings: Mapping[str, Any]) -> None:
        """Write a result and its settings, with a checksum."""


class Values:
    """The form of small results: a mapping of names to JSON values, in one file with its settings and a checksum."""

    def whole(self, path: Path) -> bool:
        """Return whether a file is complete and unchanged."""
        return self.read(path) is not None

    def read(self, path: Path) -> dict[str, Any] | None:
        """Return the values in a file, or None if it is missing, incomplete or damaged."""
        try:
            checksum, content = path.read_text().splitlines()
            if hashlib.sha256(content.encode()).hexdigest() != checksum:
                return None
            values = json.loads(content)["result"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return values if isinstance(values, dict) else None

    def write(self, path: Path, result: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        """Write a file. Raises InputError for values that JSON cannot represent."""
        try:
            content = json.dumps({"settings": settings, "result": result})
        except TypeError as error:
            raise InputError(
                f"a unit must return a mapping of names to numbers, strings and booleans, not {result!r} ({error})"
            ) from error
        with atomically(path) as temporary:
            temporary.write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}\n")


@dataclass(frozen=True)
class Files(Generic[T]):
    """The form of results that are files or folders, each with its checksums in a seal beside it.

    Parameters
    ----------
    save : callable
        Called as ``save(result, path)``.
    load : callable
        Called with the path.
    """

    save: Callable[[T, Path], object]
    load: Callable[[Path], T]

    def whole(self, path: Path) -> bool:
        """Return whether a file or folder is complete and unchanged since it was sealed."""
        return whole(path)

    def read(self, path: Path) -> T | None:
        """Return a result, or None if it is missing, incomplete or damaged."""
        return self.load(path) if whole(path) else None

    def write(self, path: Path, result: T, settings: Mapping[str, Any]) -> None:
        """Write a result, and then its seal."""
        self.save(result, path)
        seal(path, settings)


class Unit(NamedTuple):
    """A result that is wanted: its name in the store, its settings, and the arguments of the function that computes it."""

    name: str
    settings: Mapping[str, Any]
    arguments: Sequence[Any]


@dataclass(frozen=True)
class Store(Generic[T]):
    """A folder of finished results of one kind.

    The name of a result contains a digest of everything that determines it, so that a result is never taken for another.
    Results that are missing, incomplete or damaged are computed, and all others are read, so a run that was stopped resumes.
    The folder may hold results of other kinds as well. Only one run at a time may write to it; see
    `~physlearn.jobs.alone_in`.

    Units under way are not kept here: meta-learning writes checkpoints of its own, and Optuna has a database of its trials.

    Parameters
    ----------
    folder : Path
        The folder. It is created when the first result is written.
    form : Form
        How results are written.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()), Values())
    >>> name = name_of({"x": 3, "power": 2}, "power", ".json")
    >>> store.get(name, {"x": 3, "power": 2}, lambda: {"y": 9})
    {'y': 9}
    >>> store.get(name, {"x": 3, "power": 2}, lambda: {"y": "computed again"})
    {'y': 9}
    """

    folder: Path
    form: Form[T]

    def has(self, name: str) -> bool:
        """Return whether a result is there, complete and unchanged."""
        return self.form.whole(self.folder / name)

    def read(self, name: str) -> T | None:
        """Return a result, or None if it is missing, incomplete or damaged."""
        return self.form.read(self.folder / name)

    def names(self, pattern: str) -> Iterator[str]:
        """Yield the names that match a glob pattern, whether or not their results are complete."""
        yield from sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern))

    def write(self, name: str, result: T, settings: Mapping[str, Any]) -> None:
        """Write a result and its settings."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.form.write(path, result, settings)

    def get(self, name: str, settings: Mapping[str, Any], make: Callable[[], T]) -> T:
        """Return a result, which is computed and written if it is missing."""
        if (found := self.read(name)) is None:
            found = make()
            self.write(name, found, settings)
        return found

    def get_all(
        self, function: Callable[..., T], units: Sequence[Unit], workers: Workers, label: str = "", *, progress: bool = False
    ) -> list[T]:
        """Return several results, of which the missing ones are computed, and written as soon as they arrive.

        Parameters
        ----------
        function : callable
            Called with the arguments of a unit.
        units : sequence of Unit
            The results that are wanted.
        workers : Workers
            Where the missing ones are computed. Only this process writes.
        label : str, optional
            Label of the progress bar.
        progress : bool, default False
            Whether to show a progress bar.

        Returns
        -------
        list
            The results, in the order of the units.

        Raises
        ------
        WorkersLostError
            If the workers are lost; see `Workers.each`.
        OSError
            If a result disappears while the others are computed.
        Exception
            Whatever the function raises. The results that were finished before are kept.
        """
        missing = [unit for unit in units if not self.has(unit.name)]
        with closing(workers.each(function, [unit.arguments for unit in missing])) as arrived:
            for number, result in tqdm(arrived, label, len(missing), disable=not progress, leave=False, unit="unit"):
                self.write(missing[number].name, result, missing[number].settings)
        return [self._there(unit.name) for unit in units]

    def _there(self, name: str) -> T:
        if (found := self.read(name)) is None:
            raise OSError(f"{self.folder / name} was removed or changed by another program; run the command again")
        return found


def name_of(
    decisive: object, label: str = "", suffix: str = "", *, length: int = 24, otherwise: Callable[[Any], object] | None = str
) -> str:
    """Return the name of a result: an optional label, a digest of everything that determines the result, and a suffix.

    Parameters
    ----------
    decisive : JSON value
        Everything that determines the result.
    label : str, optional
        Text that tells a reader what the result is.
    suffix : str, optional
        Suffix of the file.
    length : int, default 24
        Number of hexadecimal digits of the digest.
    otherwise : callable, optional
        Converts values that JSON cannot represent. If it is None, such values raise a TypeError.

    Returns
    -------
    str
        The name.
    """
    return f"{label}{'-' * bool(label)}{digest(decisive, length=length, otherwise=otherwise)}{suffix}"


def seal(result: Path, told: Mapping[str, Any]) -> Path:
    """Write a seal beside a finished result: the checksums of its files, and further information about it.

    The seal is written last, and completely or not at all, so a result without a seal is incomplete.

    Parameters
    ----------
    result : Path
        A file or folder.
    told : mapping
        Information about the result, by name, such as the settings it was computed with. Values that JSON cannot represent are
        stored as strings.

    Returns
    -------
    Path
        The path of the seal, ``<result>.seal``.
    """
    path = _seal_of(result)
    with atomically(path) as temporary:
        temporary.write_text(json.dumps({**told, "sha256": _checksums(result)}, indent=1, default=str) + "\n")
    return path


def whole(result: Path) -> bool:
    """Return whether a result is complete and unchanged since it was sealed.

    Parameters
    ----------
    result : Path
        A file or folder.

    Returns
    -------
    bool
        True if the result and its seal exist, and every file has the checksum in the seal.

    Examples
    --------
    >>> import tempfile
    >>> result = Path(tempfile.mkdtemp()) / "result.txt"
    >>> _ = result.write_text("42")
    >>> _ = seal(result, {"seed": 0})
    >>> whole(result)
    True
    >>> _ = result.write_text("43")
    >>> whole(result)
    False
    """
    try:
        return result.exists() and told(result)["sha256"] == _checksums(result)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def told(result: Path) -> dict[str, Any]:
    """Return the contents of a result's seal.

    Parameters
    ----------
    result : Path
        A file or folder.

    Returns
    -------
    dict
        The information given to `seal`, and the checksums under ``"sha256"``.

    Raises
    ------
    OSError
        If there is no seal, or it cannot be read.
    ValueError
        If the seal is not a JSON object.
    """
    try:
        content = json.loads(_seal_of(result).read_text())
    except RecursionError as error:
        raise ValueError(f"the seal of {result} is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError(f"the seal of {result} must be a JSON object, not {type(content).__name__}")
    return content


def _seal_of(result: Path) -> Path:
    return result.with_name(f"{result.name}.seal")


def _checksums(result: Path) -> dict[str, str]:
    files = sorted(path for path in result.rglob("*") if path.is_file()) if result.is_dir() else [result]
    return {str(path.relative_to(result.parent)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
