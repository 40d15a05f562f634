"""A real `tower` process on a free port and a folder of its own."""

from __future__ import annotations

import atexit
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from types import TracebackType

import httpx

from tests.loopback import status
from tower.cli import run_line

TOKEN = "test-admin-token"


def free_port() -> int:
    """Return a port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int = 0, **more: str) -> dict[str, str]:
    """Return a clean environment for a tower in this folder."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOWER_", "OTEL_"))}
    own = {
        "TOWER_DATA_DIR": str(folder),
        "TOWER_PORT": str(port),
        "TOWER_ADMIN_TOKEN": TOKEN,
        "TOWER_DISK_FLOOR_MB": "1",
    }
    return {**clean, **own, **more}


def tower(*arguments: str, env: dict[str, str], timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "tower", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


def here(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that serves nothing in this process: the same code without the start of an interpreter."""
    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run_line(list(arguments))
    finally:
        os.environ.clear()
        os.environ.update(before)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@cache
def migrated() -> Path:
    """Return the folder of a store that was migrated and never used: to copy it takes a tenth of the migrations."""
    folder = Path(tempfile.mkdtemp(prefix="tower-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = "from tower.store.client import Store; from tower.store.migrate import migrate; migrate(Store({!r}))"
    subprocess.run([sys.executable, "-c", made.format(f"chdb://{folder / 'store'}")], check=True, timeout=120)
    return folder / "store"


class Running:
    """`tower run` for the length of a with statement; stopped in the orderly way unless killed before."""

    def __init__(self, folder: Path, command: str = "run", **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(folder, self.port, **more)
        self.log = folder.with_name(folder.name + ".log")
        self._copied = command == "run"
        self._command = [sys.executable, "-m", "tower", command]
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Running:
        store = Path(self.env["TOWER_DATA_DIR"]) / "store"
        if self._copied and not store.exists():
            shutil.copytree(migrated(), store, symlinks=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if status(self.port, "/readyz") == 200:
                return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        raise AssertionError(f"the tower did not start:\n{self.log.read_text()[-3000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait and return the exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def client(self) -> httpx.Client:
        """Return a client with the administrator's key."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, verify=False)
