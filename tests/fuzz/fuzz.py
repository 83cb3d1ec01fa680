"""Feed every reader with changed files, each in a process with limits of memory and time.

What may come out is an InputError or a FileNotFoundError in one sentence, or what was saved. Anything else is a finding:
another exception, a crash, a hang, more memory than the limit, control characters, or other numbers from a file with a
checksum. The changed file is kept, and the command that reads it again is printed. Run by ``make fuzz MINUTES=10 SEED=0``.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from readers import READERS, case, digest, make

from systems import InputError

SECONDS = 20  # of the processor for a case: the slowest takes a tenth of one
PATIENCE = 600  # seconds for a process that computes nothing, or that a busy machine does not let compute
MEMORY = 300  # MB that a case may take above what the process has, for files of at most 100 kB
FORK = multiprocessing.get_context("fork")


def outcome(name: str, path: Path) -> str:
    """Of a reader with a file: the digest of what it found, "refused", or what is wrong."""
    try:
        return digest(name, READERS[name].read(path))
    except (InputError, FileNotFoundError) as error:
        sentence = str(error)
        return "refused" if sentence and len(sentence) < 2000 else f"refused in {len(sentence)} characters"
    except BaseException as error:  # whatever it is, it should not have come out
        return f"{type(error).__name__}: {error}"[:300]


def work(pipe: Connection) -> None:
    """Read files as they come, until one takes too much."""
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)  # what libraries in C say of damaged files
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 4 * MEMORY * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        name, path = pipe.recv()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = outcome(name, Path(path))
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        pipe.send(found if taken <= MEMORY else f"took {taken} MB ({found})")


class Worker:
    """A process that reads files, and is replaced when it hangs or dies."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.pipe, other = FORK.Pipe()
        self.process = FORK.Process(target=work, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def ask(self, name: str, path: Path) -> str:
        """What comes out."""
        self.pipe.send((name, str(path)))
        start, end = self.seconds(), time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end and self.seconds() - start < SECONDS:
                if self.pipe.poll(1):
                    return str(self.pipe.recv())
            found = f"hangs for more than {SECONDS} s"
        except EOFError:
            self.process.join()
            found = f"the process dies ({self.process.exitcode})"
        self.stop()
        self._start()
        return found

    def seconds(self) -> float:
        """The time that it has computed for."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()


def finding(name: str, found: str, whole: str, resealed: bool) -> str | None:
    """What is wrong with an outcome, if anything."""
    if found == "refused" or found == whole:
        return None
    if len(found) == 64 and " " not in found:  # a digest: it was read
        return "reads other numbers than were saved" if READERS[name].sealed and not resealed else None
    return found


def fuzz(options: argparse.Namespace, folder: Path) -> int:
    """Try cases until the time is up or all are done; returns how many findings there were."""
    maker = FORK.Process(target=make, args=(folder,))  # a process of its own: threads that it starts do not survive a fork
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit("the whole files could not be written")
    worker, names = Worker(), options.readers.split(",")
    wholes = {name: worker.ask(name, folder / name) for name in names}
    if wrong := {name: found for name, found in wholes.items() if len(found) != 64}:
        raise SystemExit(f"whole files are not read: {wrong}")
    end = time.monotonic() + 60 * options.minutes
    number, findings, read = options.first, 0, 0
    while time.monotonic() < end and number < options.first + options.cases:
        name = names[number % len(names)]
        target = folder / "case" / f"{name}-{options.seed}-{number}"
        target.parent.mkdir(exist_ok=True)
        resealed = case(name, folder, target, random.Random(f"{options.seed} {number}"))
        found = worker.ask(name, target)
        read += len(found) == 64
        if wrong := finding(name, found, wholes[name], resealed):
            findings += 1
            options.keep.mkdir(parents=True, exist_ok=True)
            kept = options.keep / target.name
            with contextlib.suppress(FileNotFoundError):
                shutil.copytree(target, kept, dirs_exist_ok=True) if target.is_dir() else shutil.copy(target, kept)
            print(f"case {number} of seed {options.seed}, {name}: {wrong}")
            print(f"  {sys.executable} {sys.argv[0]} --read {name} {kept}", flush=True)
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        number += 1
    worker.stop()
    done = number - options.first
    print(f"seed {options.seed}: {done} cases, {done - read - findings} refused, {read} read, {findings} findings")
    return findings


def main() -> int:
    """The exit code is 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed by default")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="how many")
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder for files with findings")
    parser.add_argument("--read", nargs=2, metavar=("READER", "FILE"), help="read one file again, without limits")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.read:
        print(outcome(options.read[0], Path(options.read[1])))
        return 0
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return bool(fuzz(options, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
