"""A real tower over HTTP: events, keys, files, status, an orderly end, and a copy that can be started again."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rules.parse import SHIPPED
from tests.commands.process import TOKEN, Running, here, tower


def event(number: int, at: datetime, milestone: str = "order_accepted") -> dict[str, Any]:
    """Return one CloudEvent on an order of its own."""
    return {
        "specversion": "1.0",
        "id": f"{milestone}-{number}",
        "source": "/erp/main",
        "type": f"o2c.{milestone}",
        "time": at.isoformat(),
        "data": {"order_id": f"SO-{number}", "amount": "10.00", "currency": "EUR"},
    }


def send(client: httpx.Client, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Send events and wait for the verdicts."""
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    reply = client.post("/v1/events?wait=stored", content=json.dumps(events), headers=headers)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a tower that runs for the tests of this module."""
    with Running(tmp_path_factory.mktemp("tower") / "var") as made:
        yield made


def test_an_event_is_on_the_board_when_the_answer_comes(running: Running) -> None:
    with running.client() as client:
        assert send(client, [event(1, datetime.now(UTC))])["accepted"] == 1
        orders = client.get("/v1/orders", params={"state": "open"}).json()["orders"]
    assert "SO-1" in [o["order_id"] for o in orders]


def test_a_second_tower_on_the_folder_is_refused(running: Running) -> None:
    done = tower("run", env={**running.env, "TOWER_PORT": "0"})
    assert done.returncode == 2
    assert f"pid {running.process.pid}" in done.stderr


def test_keys_are_made_and_ended_through_the_running_tower(running: Running) -> None:
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


def test_the_audit_of_the_running_tower_is_a_file_that_proves_itself(running: Running, tmp_path: Path) -> None:
    here("keys", "add", "carl", env=running.env)
    for form in ("csv", "ndjson"):
        made = here("audit", "export", "--format", form, env=running.env)
        assert made.returncode == 0 and "add_key" in made.stdout, made.stderr
        file = tmp_path / f"audit.{form}"
        file.write_text(made.stdout, newline="")
        assert "are whole" in here("audit", "verify", str(file), env=running.env).stdout
    assert "--from" in here("audit", "export", "--from", "yesterday", env=running.env).stderr


def test_files_are_loaded_through_the_door(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    at = datetime.now(UTC) - timedelta(minutes=5)
    file.write_text("".join(json.dumps(event(n, at)) + "\n" for n in range(100, 150)))
    done = here("load", str(file), env=running.env)
    assert done.returncode == 0, done.stderr
    assert "50" in done.stdout
    again = here("load", str(file), env=running.env)
    assert again.returncode == 0


def test_a_systems_own_file_is_loaded_through_its_connection(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("a,b\n1,2\n")
    done = here("load", "--connection", "nobody", str(file), env=running.env)
    assert done.returncode == 2
    assert f"{file}: the tower refuses it (404): no connection is named 'nobody'" in done.stderr


def test_status_and_audit_speak(running: Running) -> None:
    status = here("status", env=running.env)
    assert status.returncode == 0, status.stderr + status.stdout
    assert "health" in status.stdout
    audit = here("audit", "verify", env=running.env)
    assert audit.stdout == "the audit chain is whole\n"


def test_a_held_message_is_replayed(running: Running) -> None:
    with running.client() as client:
        ahead = event(900, datetime.now(UTC) + timedelta(hours=1))
        assert send(client, [ahead])["quarantined"] == 1
    done = here("replay", env=running.env)
    assert done.returncode == 2
    assert "1 held, 0 taken, 1 still held" in done.stdout


def test_it_stops_when_asked_and_its_copy_knows_everything(tmp_path: Path) -> None:
    with Running(tmp_path / "var") as made:
        with made.client() as client:
            send(client, [event(n, datetime.now(UTC)) for n in range(20)])
        assert made.stop(signal.SIGTERM) == 0
        assert "Traceback" not in made.log.read_text()
    copied = here("backup", str(tmp_path / "copy"), env=made.env)
    assert copied.returncode == 0, copied.stderr
    shutil.rmtree(tmp_path / "var")
    (tmp_path / "copy").rename(tmp_path / "var")
    with Running(tmp_path / "var") as again, again.client() as client:
        assert client.get("/v1/orders", params={"state": "open"}).json()["total"] == 20


def test_the_first_token_is_made_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    with Running(tmp_path / "var", TOWER_ADMIN_TOKEN="") as made:
        file = tmp_path / "var" / "admin-token"
        assert file.stat().st_mode & 0o777 == 0o600
        headers = {"Authorization": f"Bearer {file.read_text().strip()}"}
        assert httpx.get(f"{made.url}/v1/orders", headers=headers, trust_env=False).status_code == 200
        assert (
            httpx.get(
                f"{made.url}/v1/orders", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
            ).status_code
            == 401
        )
        assert made.stop(signal.SIGINT) == 0, "Ctrl-C is an orderly end too"


def test_doors_alone_take_events(tmp_path: Path) -> None:
    with Running(tmp_path / "var", "collect") as made, made.client() as client:
        headers = {"Content-Type": "application/cloudevents+json"}
        reply = client.post("/v1/events", content=json.dumps(event(1, datetime.now(UTC))), headers=headers)
        assert reply.json()["accepted"] == 1
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/orders").status_code == 404


def test_another_rulebook_is_tried_on_the_running_tower(running: Running, tmp_path: Path) -> None:
    with running.client() as client:
        send(client, [event(900, datetime.now(UTC) - timedelta(days=3))])
    book = shutil.copytree(SHIPPED, tmp_path / "book")
    file = next(f for f in book.glob("*.yaml") if "\n  - id: accept-to-allocate\n" in f.read_text())
    head, _, tail = file.read_text().partition("\n  - id: accept-to-allocate\n")
    file.write_text(f"{head}\n  - id: accept-to-allocate\n{re.sub('within: .*', 'within: 300d', tail, count=1)}")
    told = here("rules", "diff", "in-force", str(book), env=running.env)
    assert told.returncode == 0 and "stage accept-to-allocate: limit was within" in told.stdout, told.stderr
    done = here("rules", "backtest", "in-force", str(book), "--max-lost", "0", "--json", env=running.env)
    outcome = json.loads(done.stdout)
    assert done.returncode == 1 and outcome["lost"] >= 1 and outcome["gained"] == 0, done.stderr
    assert f"lost is {outcome['lost']}, allowed 0" in done.stderr
    shown = here("rules", "backtest", "in-force", str(book), env=running.env)
    assert shown.returncode == 0 and "lost" in shown.stdout and "SO-900" in shown.stdout, shown.stderr
