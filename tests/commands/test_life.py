"""A tower's process from its first token to its orderly end, and a copy of it that can be started again."""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.acceptance.events import BOOKS, NDJSON, event, lines, send
from tests.commands.process import TOKEN, Running, here, migrated
from tests.commands.served import Served

EVENTS = [event("/erp/main", f"e-{n}", "order_accepted", datetime.now(UTC), order_id=f"SO-{n}") for n in range(20)]


def test_the_first_token_is_its_owner_s_and_a_stopped_tower_s_copy_knows_everything(tmp_path: Path) -> None:
    book = {"TOWER_BOOK": str(BOOKS / "small")}
    with Running(tmp_path / "var", TOWER_ADMIN_TOKEN="", **book) as made:
        file = tmp_path / "var" / "admin-token"
        assert file.stat().st_mode & 0o777 == 0o600
        with httpx.Client(base_url=made.url, timeout=60, trust_env=False, verify=False) as client:
            wrong = client.get("/v1/orders", headers={"Authorization": f"Bearer {TOKEN}"})
            assert wrong.status_code == 401
            client.headers["Authorization"] = f"Bearer {file.read_text().strip()}"
            send(client, *EVENTS)
        assert made.stop(signal.SIGTERM) == 0
        assert "Traceback" not in made.log.read_text()
    copied = here("backup", str(tmp_path / "copy"), env=made.env)
    assert copied.returncode == 0, copied.stderr
    shutil.rmtree(tmp_path / "var")
    (tmp_path / "copy").rename(tmp_path / "var")
    with Served(tmp_path / "var", **book) as again, again.client() as client:
        assert client.get("/v1/orders", params={"state": "open"}).json()["total"] == 20


def test_doors_alone_take_events_and_end_in_order_too(tmp_path: Path) -> None:
    shutil.copytree(migrated(), tmp_path / "var" / "store", symlinks=True)
    with Running(tmp_path / "var", "collect") as made, made.client() as client:
        reply = client.post("/v1/events", content=lines(EVENTS[:1]), headers=NDJSON)
        assert reply.json()["accepted"] == 1
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/orders").status_code == 404
        assert made.stop(signal.SIGINT) == 0, "Ctrl-C is an orderly end"
