"""kill -9 of the running tower while events arrive: the acceptance test in full, its counts reported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from bench.figure import Figure

NAME = "kill9"
_ROOT = Path(__file__).parents[1]
_TEST = "tests/acceptance/test_kill9.py"
_COUNTS = ("lost", "disagreeing", "partial")


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run the test with twenty kills (five when quick) and return what it counted. It prints `lost=0 ...`."""
    if not (_ROOT / _TEST).exists():
        return [Figure(NAME, count, "not run: the acceptance test is not there", at_most=0) for count in _COUNTS]
    kills = 5 if quick else 20
    command = [
        sys.executable,
        "-m",
        "pytest",
        _TEST,
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "--timeout",
        "1500",
        f"--basetemp={folder / 'tests'}",
    ]
    done = subprocess.run(
        command, cwd=_ROOT, env={**os.environ, "O2C_KILLS": str(kills)}, capture_output=True, text=True, timeout=1800
    )
    figures = []
    for count in _COUNTS:
        found = re.findall(rf"\b{count}\s*[=:]\s*(\d+)", done.stdout)
        worst = max(map(int, found), default=int(done.returncode != 0))
        figures.append(
            Figure(
                NAME,
                count,
                f"{worst} after {kills} kills",
                float(worst),
                at_most=0,
                note="" if done.returncode == 0 else _why(done.stdout),
            )
        )
    return figures


def _why(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("E  ", "FAILED"))]
    return (lines or ["the test failed"])[0].strip()[:120]
