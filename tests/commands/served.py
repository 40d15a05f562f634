"""A whole tower served by this process: engine, doors and API on a real port, without the start of an interpreter."""

from __future__ import annotations

import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import httpx
import uvicorn

from tests.commands.process import TOKEN, environment, free_port, migrated
from tower.commands.hold import bind, hold_folder
from tower.commands.serve import tower
from tower.settings import Settings


class Served:
    """`tower run` without its process, for the length of a with statement. One at a time, and no other store beside it.

    Secrets are those of a folder (TOWER_SECRETS_DIR): the environment of this process is nobody's.
    """

    def __init__(self, folder: Path, **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = environment(folder, self.port, **more)
        self._open = ExitStack()

    def __enter__(self) -> Served:
        settings = Settings.from_env(self.env)
        store = settings.data_dir / "store"
        if not store.exists():
            shutil.copytree(migrated(), store, symlinks=True)
        with ExitStack() as opening:
            opening.enter_context(hold_folder(settings.data_dir))
            app = opening.enter_context(tower(settings))
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

    def client(self) -> httpx.Client:
        """Return a client with the administrator's key."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)
