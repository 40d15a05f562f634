"""`tower run` in this process, without the start of an interpreter: one that serves, and one that must not start."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import httpx
import structlog
import uvicorn
from fastapi import FastAPI

from tests.commands.process import TOKEN, environment, free_port, here, migrated
from tower.api.context import ApiContext
from tower.commands.hold import bind, hold_folder
from tower.commands.serve import tower
from tower.settings import Settings


@contextmanager
def logs_as_before() -> Iterator[None]:
    """Put the logs of this process back to where they went."""
    before = structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**before)


def refused(env: dict[str, str]) -> str:
    """Start a tower that must not come to serve; return what it says, after a look at how it says it."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    turn_s = sys.getswitchinterval()
    try:
        with logs_as_before():
            done: subprocess.CompletedProcess[str] = here("run", env=env)
    finally:
        sys.setswitchinterval(turn_s)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


class Served:
    """A whole tower, engine, doors and API on a real port: `tower run` without its process, for the length of a with statement. One at a time, and no other store beside it.

    Secrets are those of a folder (TOWER_SECRETS_DIR): the environment of this process is nobody's.
    """

    def __init__(self, folder: Path, **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(folder, self.port, **more)
        self.log = folder.with_name(folder.name + ".log")
        self._open = ExitStack()

    def __enter__(self) -> Served:
        settings = Settings.from_env(self.env)
        store = settings.data_dir / "store"
        if not store.exists():
            shutil.copytree(migrated(), store, symlinks=True)
        with ExitStack() as opening:
            opening.enter_context(logs_as_before())
            written = opening.enter_context(self.log.open("a"))
            structlog.configure(logger_factory=structlog.WriteLoggerFactory(written))
            opening.enter_context(hold_folder(settings.data_dir))
            app = opening.enter_context(tower(settings))
            assert isinstance(app, FastAPI)
            self._context: ApiContext = app.state.context
            config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5)
            server = uvicorn.Server(config)
            sockets = [bind(settings.host, settings.port, "TOWER_PORT")]
            thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, name="server")
            thread.start()

            def stop() -> None:
                server.should_exit = True
                thread.join()

            opening.callback(stop)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let the engine wait while something is sent, and until it is stored: all of it is then one tick's work."""
        with self._context.store.writer("engine"):
            yield
            while self._context.collector_stats().backlog_lines:
                time.sleep(0.01)

    def client(self) -> httpx.Client:
        """Return a client with the administrator's key."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, verify=False)
