"""A slice of ``make fuzz``: the same cases each time, so that a failure is one of the change at hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limits of memory are those of Linux")
def test_changed_files_are_refused_or_read_as_they_were(tmp_path):
    command = [sys.executable, Path(__file__).with_name("fuzz.py"), "--seed", "0", "--cases", "270", "--minutes", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--keep", tmp_path], capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 findings" in done.stdout
