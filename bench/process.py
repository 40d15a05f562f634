"""A real `tower` process on a free port and a folder of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from collector.segments import segment_path, starts

TOKEN = "bench-admin-token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True, slots=True)
class Tower:
    """A running tower."""

    port: int
    folder: Path
    pid: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def stored(self, journal: str = "events") -> int:
        """Journal position up to which everything is in the store, read from the drain's checkpoint."""
        found = re.findall(rb"^done (\d+)$", (self._journal(journal) / "stored").read_bytes(), re.MULTILINE)
        return int(found[-1]) if found else 0

    def taken(self, journal: str = "events") -> int:
        """Journal position after what was acknowledged last."""
        folder = self._journal(journal)
        last = starts(folder)[-1]
        return last + segment_path(folder, last).stat().st_size

    def _journal(self, name: str) -> Path:
        return self.folder / "journal" / name

    def cpu_s(self) -> float:
        """Return the processor seconds that the process has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def wait_stored(self, journal: str = "events", limit_s: float = 600) -> None:
        """Wait until everything acknowledged so far is in the store."""
        taken, end = self.taken(journal), time.monotonic() + limit_s
        while (stored := self.stored(journal)) < taken:
            if time.monotonic() > end:
                raise RuntimeError(f"the tower stored {stored} of {taken} journal bytes in {limit_s:.0f} s")
            time.sleep(0.01)


def free_port() -> int:
    """Return a port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def tower(folder: Path, command: str, settings: Mapping[str, str] | None = None) -> Iterator[Tower]:
    """Start `tower run` or `tower collect`, wait until it is ready, and stop it on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOWER_", "OTEL_"))}
    own = {"TOWER_DATA_DIR": str(folder), "TOWER_PORT": str(port), "TOWER_ADMIN_TOKEN": TOKEN}
    env = {**clean, **(settings or {}), **own}
    log = folder / "tower.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tower", command], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        running = Tower(port, folder, process.pid)
        end = time.monotonic() + 90
        while not _ready(running.url):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"tower {command} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
