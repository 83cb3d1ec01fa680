"""A long film takes no more memory than a short one, but for a few numbers a frame."""

import json
import subprocess
import sys
from math import pi
from pathlib import Path

import numpy as np
import pytest

from systems.film import Film, render

# The peak is the kernel's own, of a process that reads short films first: they fill all caches; what remains is the length's.
PROGRAM = """
import json, sys
from pathlib import Path
from systems.film import track

def peak():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

short, long = sys.argv[1:]
for _ in range(3):
    track(short)
before = peak()
(report,) = track(long).report
print(json.dumps({"megabytes": peak() - before, "period": report.period, "frames": report.frames, "lost": report.lost}))
"""
PERIOD = pi / 2

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is asked of Linux")


def filmed(path, duration, film):
    t = np.linspace(0, duration, 20 * duration + 1)
    render((t, 0.12 * np.cos(2 * pi * t / PERIOD)), path, film)
    return str(path)


def tracked(short, long, timeout):
    command = [sys.executable, "-c", PROGRAM, short, long]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=timeout, check=True).stdout)


@pytest.mark.slow
def test_a_film_four_times_as_long_takes_no_more_memory(tmp_path):
    film = Film(size=(320, 240), fps=15, marker=9, hands=False)
    found = tracked(filmed(tmp_path / "short.mp4", 20, film), filmed(tmp_path / "long.mp4", 80, film), 120)
    assert found["frames"] == 1201
    assert found["lost"] == 0
    assert found["period"] == pytest.approx(PERIOD, rel=1e-5)
    assert found["megabytes"] < 8, "where the 900 frames more are 100 MB"


@pytest.mark.slow
def test_an_hour_takes_no_more_than_two_kilobytes_a_frame(tmp_path):
    film = Film(size=(160, 120), fps=10, marker=5, hands=False)
    found = tracked(filmed(tmp_path / "short.mp4", 20, film), filmed(tmp_path / "hour.mp4", 3600, film), 400)
    assert found["frames"] == 36001
    assert found["lost"] < 36
    assert found["period"] == pytest.approx(PERIOD, rel=1e-6)
    assert found["megabytes"] < 72, "where the frames are 1000 MB, and the table of angles alone is 3 MB"
