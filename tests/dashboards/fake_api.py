"""A small real tower API for the dashboards' tests and pictures: seeded, over HTTP, with state that tests can move.

It speaks the same shapes as the tower: JSON, Arrow with totals in the schema's metadata, ETag and 304, named keys with
roles, actions with a result per item and outcomes that come later.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import uvicorn
from starlette.applications import Starlette

from tests.dashboards.fake_order import order
from tests.dashboards.fake_routes import application
from tests.dashboards.fake_rows import Rows
from tests.dashboards.fake_words import OPEN, STAGES, STUCK

__all__ = ["OPEN", "STAGES", "STUCK", "FakeTower", "Running", "Served"]


class FakeTower(Rows):
    """The tower's state and its log. `outcome` is what becomes of accepted retries after `settle_s`."""

    def order(self, order_id: str) -> dict[str, Any] | None:
        return order(self, order_id)


class Running:
    """An application on a free loopback port in a thread; can be stopped and started again on the same port."""

    def __init__(self, application: Starlette, port: int = 0) -> None:
        self.application = application
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        config = uvicorn.Config(
            self.application,
            host="127.0.0.1",
            port=self.port,
            log_level="error",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + 15
        while not self._server.started:
            if time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


class Served(Running):
    """The fake tower's API, running."""

    def __init__(self, tower: FakeTower, port: int = 0) -> None:
        self.tower = tower
        super().__init__(application(tower), port)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


if __name__ == "__main__":
    import sys

    served = Served(
        FakeTower(orders=int(sys.argv[2]) if len(sys.argv) > 2 else 1200), int(sys.argv[1]) if len(sys.argv) > 1 else 0
    )
    sys.stdout.write(served.url + "\n")
    sys.stdout.flush()
    threading.Event().wait()
