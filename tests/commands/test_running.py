"""Commands against a running tower: events, keys, files, status, replay and rulebooks tried on it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.events import BOOKS, NDJSON, event, lines, send
from tests.commands.process import here
from tests.commands.served import Served


def on(number: int, at: datetime) -> dict[str, Any]:
    """Return one event on an order of its own."""
    data = {"order_id": f"SO-{number}", "amount": "10.00", "currency": "EUR"}
    return event("/erp/main", f"order_accepted-{number}", "order_accepted", at, **data)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield a tower that runs for the tests of this module."""
    with Served(tmp_path_factory.mktemp("tower") / "var", TOWER_BOOK=str(BOOKS / "small")) as made:
        yield made


def test_an_event_is_on_the_board_when_the_answer_comes(running: Served) -> None:
    with running.client() as client:
        send(client, on(1, datetime.now(UTC)))
        orders = client.get("/v1/orders", params={"state": "open"}).json()["orders"]
    assert "SO-1" in [o["order_id"] for o in orders]


def test_keys_are_made_and_ended_through_the_running_tower(running: Served) -> None:
    more = ("--role", "operator", "--scope", "partner=ACME", "--expires", "90d")
    made = here("keys", "add", "anna", *more, env=running.env)
    assert made.returncode == 0, made.stderr
    first = made.stdout.strip()
    assert "anna" in here("keys", "list", env=running.env).stdout
    assert "exists" in here("keys", "add", "anna", env=running.env).stderr
    second = here("keys", "rotate", "anna", "--overlap", "1h", env=running.env).stdout.strip()
    for token in (first, second):
        who = httpx.get(f"{running.url}/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert who.json()["scopes"] == ["partner=ACME"]
    assert here("keys", "revoke", "anna", env=running.env).returncode == 0
    assert "90 days" in here("keys", "add", "ben", "--expires", "90 days", env=running.env).stderr


def test_the_audit_of_the_running_tower_is_a_file_that_proves_itself(running: Served, tmp_path: Path) -> None:
    here("keys", "add", "carl", env=running.env)
    for form in ("csv", "ndjson"):
        made = here("audit", "export", "--format", form, env=running.env)
        assert made.returncode == 0 and "add_key" in made.stdout, made.stderr
        file = tmp_path / f"audit.{form}"
        file.write_text(made.stdout, newline="")
        assert "are whole" in here("audit", "verify", str(file), env=running.env).stdout
    assert "--from" in here("audit", "export", "--from", "yesterday", env=running.env).stderr


def test_files_are_loaded_through_the_door(running: Served, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    at = datetime.now(UTC) - timedelta(minutes=5)
    file.write_text("".join(json.dumps(on(n, at)) + "\n" for n in range(100, 150)))
    done = here("load", str(file), env=running.env)
    assert done.returncode == 0, done.stderr
    assert "50" in done.stdout
    again = here("load", str(file), env=running.env)
    assert again.returncode == 0


def test_a_systems_own_file_is_loaded_through_its_connection(running: Served, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("a,b\n1,2\n")
    done = here("load", "--connection", "nobody", str(file), env=running.env)
    assert done.returncode == 2
    assert f"{file}: the tower refuses it (404): no connection is named 'nobody'" in done.stderr


def test_status_and_audit_speak(running: Served) -> None:
    status = here("status", env=running.env)
    assert status.returncode == 0, status.stderr + status.stdout
    assert "health" in status.stdout
    audit = here("audit", "verify", env=running.env)
    assert audit.stdout == "the audit chain is whole\n"


def test_a_held_message_is_replayed(running: Served) -> None:
    with running.client() as client:
        ahead = on(900, datetime.now(UTC) + timedelta(hours=1))
        reply = client.post("/v1/events?wait=stored", content=lines([ahead]), headers=NDJSON)
        assert reply.json()["quarantined"] == 1
    done = here("replay", env=running.env)
    assert done.returncode == 2
    assert "1 held, 0 taken, 1 still held" in done.stdout


def test_another_rulebook_is_tried_on_the_running_tower(running: Served, tmp_path: Path) -> None:
    with running.client() as client:
        send(client, on(900, datetime.now(UTC) - timedelta(days=3)))
    book = shutil.copytree(BOOKS / "small", tmp_path / "book")
    file = book / "book.yaml"
    file.write_text(file.read_text().replace("within: 2h", "within: 300d"))
    told = here("rules", "diff", "in-force", str(book), env=running.env)
    assert told.returncode == 0 and "stage accept-to-ship: limit was within" in told.stdout, told.stderr
    bound = ("--max-lost", "0")
    done = here("rules", "backtest", "in-force", str(book), *bound, env=running.env)
    assert done.returncode == 1 and "SO-900" in done.stdout, done.stderr
    (lost,) = re.findall(r"^0 gained, ([1-9]\d*) lost, ", done.stdout, re.MULTILINE)
    assert f"lost is {lost}, allowed 0" in done.stderr
    same = here("rules", "backtest", "in-force", "in-force", *bound, "--json", env=running.env)
    outcome = json.loads(same.stdout)
    assert same.returncode == 0 and outcome["lost"] == outcome["gained"] == 0, same.stderr
