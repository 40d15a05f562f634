"""What goes wrong around a whole tower: its rulebook, its settings, its callers and its neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.events import BOOKS, NDJSON, accepted, breaches, lines, page, send, until
from tests.commands.process import environment, here, tower
from tests.commands.served import Served, refused

BROKEN_STAGE = "  - {id: ship-to-nowhere, from: order_accepted, to: shipment_confirmd, within: 2h}\n"
SENTENCE = "stages[ship-to-nowhere].to: unknown milestone 'shipment_confirmd'"
pytestmark = pytest.mark.timeout(300)


def book_with(folder: Path, more: str = "") -> Path:
    """Return a copy of the small book with lines added to its stages."""
    folder.mkdir(exist_ok=True)
    (folder / "book.yaml").write_text((BOOKS / "small" / "book.yaml").read_text() + more)
    return folder


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the rulebook folder of the running tower."""
    return book_with(tmp_path_factory.mktemp("book") / "book")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, book: Path) -> Iterator[Served]:
    """Yield one tower for all tests that need a running one."""
    with Served(tmp_path_factory.mktemp("bad_start") / "var", TOWER_BOOK=str(book)) as made:
        yield made


def test_a_broken_rulebook_at_start_names_file_line_key_and_hint(tmp_path: Path) -> None:
    book = book_with(tmp_path / "book", BROKEN_STAGE)
    told = refused(environment(tmp_path / "var", TOWER_BOOK=str(book)))
    line = (book / "book.yaml").read_text().splitlines().index(BROKEN_STAGE.rstrip("\n")) + 1
    (said,) = [text for text in told.splitlines() if "shipment_confirmd" in text]
    assert f"book.yaml:{line}: {SENTENCE}" in said
    assert "Hint: did you mean 'shipment_confirmed'?" in said


def test_a_broken_rulebook_at_reload_leaves_the_last_good_one_in_force(running: Served, book: Path) -> None:
    def trouble() -> str:
        return str(client.get("/healthz").json().get("rulebook") or "")

    with running.client() as client:
        good = client.get("/v1/rules").json()["hash"]
        assert trouble() == ""
        book_with(book, BROKEN_STAGE)
        until(lambda: SENTENCE in trouble(), "/healthz names the mistake")
        assert "book.yaml:" in trouble()
        assert client.get("/healthz").status_code == 200, "it works on with the last good one"
        assert client.get("/v1/rules").json()["hash"] == good
        send(client, accepted("RELOAD"))
        assert [b["rule"] for b in breaches(client, "RELOAD")] == ["accept-to-ship"]
        assert SENTENCE in running.log.read_text()
        status = here("status", env=running.env)
        assert "shipment_confirmd" in status.stdout.replace("\n", "")

        book_with(book, BROKEN_STAGE.replace("confirmd", "confirmed").replace("2h", "9d"))
        until(lambda: trouble() == "", "/healthz forgets the mistake")
        assert client.get("/v1/rules").json()["hash"] != good, "the mended book is in force"
        anew = {"stage": "ship-to-nowhere"}
        until(lambda: client.get("/v1/orders", params=anew).json()["total"] == 1, "old orders are judged again")
        clocks = {c["stage"]: c for c in page(client, "RELOAD")["clocks"]}
        assert clocks["ship-to-nowhere"]["budget_s"] == 9 * 86400
        assert clocks["accept-to-ship"]["verdict"] == "late"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dGVzdDp0ZXN0"}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/orders"), ("POST", "/v1/events"), ("POST", "/v1/actions")])
def test_a_wrong_token_is_a_401_problem(running: Served, header: dict[str, str], method: str, path: str) -> None:
    body = lines([accepted("NOBODY")]) if method == "POST" else None
    with httpx.Client(timeout=60, trust_env=False, verify=False) as client:
        reply = client.request(method, f"{running.url}{path}", content=body, headers={**header, **NDJSON})
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith("Bearer")
    problem = reply.json()
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert "Bearer" in problem["detail"]
    with running.client() as admin:
        assert admin.get("/v1/orders/NOBODY").status_code == 404


def test_a_tower_on_a_folder_or_a_port_in_use_is_refused_and_the_first_works_on(
    running: Served, tmp_path: Path
) -> None:
    done = tower("run", env={**running.env, "TOWER_PORT": "0"})
    assert done.returncode == 2, done.stderr
    assert f"in use by another process (pid {os.getpid()})" in done.stderr
    assert done.stderr.count("\n") == 1

    said = refused(environment(tmp_path / "var", running.port))
    assert f"port {running.port} on 127.0.0.1 is in use" in said
    assert "TOWER_PORT" in said
    assert said.count("\n") == 1
    with running.client() as client:
        send(client, accepted("SECOND"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TOWER_TICK_S", "0", "TOWER_TICK_S is 0, allowed are 0.05 to 3600"),
        ("TOWER_BOOK", "nowhere", "nowhere"),
        ("TOWER_CONNECTIONS", "nowhere.yaml", "nowhere.yaml: cannot be read (No such file or directory)"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_made(tmp_path: Path, name: str, value: str, said: str) -> None:
    folder = tmp_path / "var"
    setting = {name: str(tmp_path / value) if "nowhere" in value else value}
    assert said in refused(environment(folder) | setting)
    assert not (folder / "store").exists()
