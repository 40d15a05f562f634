"""A small real process with the collector alone, for tests that kill it.

Usage: python -m tests.collector.server FOLDER PORT
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from tests.collector.desk import CONNECTIONS, Desk
from tests.collector.ingest.systems import SECRETS, proof, system
from tower.model.connections import Connections
from tower.store.client import Store
from tower.store.migrate import migrate

BOTH = Connections((*CONNECTIONS.entries, system("native", proof("bearer"), mapping="shopify")), configured=True)


def main(folder: Path, port: int) -> None:
    """Serve until killed."""
    store = Store(f"chdb://{folder / 'store'}")
    migrate(store)
    desk = Desk(store, folder / "data", connections=BOTH, secrets=SECRETS)
    app = Starlette(routes=desk.collector.routes())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
