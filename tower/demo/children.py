"""Processes that end with the one that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1
STOP_S = 12.0


class Child(NamedTuple):
    """One started process with the name that people know it by."""

    name: str
    process: subprocess.Popen[bytes]


class Children:
    """Started processes in order; stopped in the opposite order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._all: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
        """Start a process whose output goes to its own log file. Ctrl-C reaches only its parent."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()) if sys.platform == "linux" else None,
            )
        child = Child(name, process)
        self._all.append(child)
        return child

    def log(self, name: str) -> Path:
        """Return the log file of a child."""
        return self._logs / f"{name}.log"

    def ended(self) -> Child | None:
        """Return a child that has ended by itself, if any."""
        return next((c for c in self._all if c.process.poll() is not None), None)

    def stop(self) -> None:
        """Ask each to stop, last started first, and wait; one that does not listen is killed."""
        while self._all:
            process = self._all.pop().process
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _die_with_parent(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return arrange
