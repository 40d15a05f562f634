"""What goes wrong around a whole tower: its rulebook, its settings, its callers, its neighbours and its disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.acceptance.events import BOOKS, NDJSON, breaches, clock, event, lines, send
from tests.commands.process import Running, environment, tower

T0 = (datetime.now(UTC) - timedelta(days=2)).replace(microsecond=0)
BROKEN_STAGE = "  - {id: ship-to-nowhere, from: order_accepted, to: shipment_confirmd, within: 2h}\n"
SENTENCE = "stages[ship-to-nowhere].to: unknown milestone 'shipment_confirmd'"
pytestmark = pytest.mark.timeout(300)


def until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again, for a minute at most, until something holds."""
    for _ in range(300):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"it never came to this: {what}")


def book_with(folder: Path, more: str = "") -> Path:
    """Return a copy of the small book with lines added to its stages."""
    folder.mkdir(exist_ok=True)
    (folder / "book.yaml").write_text((BOOKS / "small" / "book.yaml").read_text() + more)
    return folder


def accepted(name: str, **data: str) -> dict[str, object]:
    """Return the event that an order was accepted two days ago."""
    return event("/erp/main", f"{name}-a", "order_accepted", T0, order_id=name, **data)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the rulebook folder of the running tower."""
    return book_with(tmp_path_factory.mktemp("book") / "book")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, book: Path) -> Iterator[Running]:
    """Yield one tower for all tests that need a running one."""
    with Running(tmp_path_factory.mktemp("bad_start") / "var", TOWER_BOOK=str(book)) as made:
        yield made


def test_a_broken_rulebook_at_start_names_file_line_key_and_hint(tmp_path: Path) -> None:
    book = book_with(tmp_path / "book", BROKEN_STAGE)
    done = tower("run", env=environment(tmp_path / "var", TOWER_BOOK=str(book)))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    line = (book / "book.yaml").read_text().splitlines().index(BROKEN_STAGE.rstrip("\n")) + 1
    (said,) = [text for text in done.stderr.splitlines() if "shipment_confirmd" in text]
    assert f"book.yaml:{line}: {SENTENCE}" in said
    assert "Hint: did you mean 'shipment_confirmed'?" in said


def test_a_broken_rulebook_at_reload_leaves_the_last_good_one_in_force(running: Running, book: Path) -> None:
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
        status = tower("status", env=running.env)
        assert "shipment_confirmd" in status.stdout.replace("\n", "")

        book_with(book, BROKEN_STAGE.replace("confirmd", "confirmed").replace("2h", "9d"))
        until(lambda: client.get("/v1/rules").json()["hash"] != good, "the mended book is in force")
        until(lambda: trouble() == "", "/healthz forgets the mistake")
        send(client, accepted("RELOAD-2"))
        assert clock(client, "RELOAD", "ship-to-nowhere")["budget_s"] == 9 * 86400, "old orders are judged again"
        assert clock(client, "RELOAD", "accept-to-ship")["verdict"] == "late"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dGVzdDp0ZXN0"}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/orders"), ("POST", "/v1/events"), ("POST", "/v1/actions")])
def test_a_wrong_token_is_a_401_problem(running: Running, header: dict[str, str], method: str, path: str) -> None:
    body = lines([accepted("NOBODY")]) if method == "POST" else None
    with httpx.Client(timeout=60, trust_env=False) as client:
        reply = client.request(method, f"{running.url}{path}", content=body, headers={**header, **NDJSON})
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith("Bearer")
    problem = reply.json()
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert "Bearer" in problem["detail"]
    with running.client() as admin:
        assert admin.get("/v1/orders/NOBODY").status_code == 404


def test_a_second_tower_on_the_same_folder_is_refused_and_the_first_works_on(running: Running) -> None:
    done = tower("run", env={**running.env, "TOWER_PORT": "0"})
    assert done.returncode == 2, done.stderr
    assert f"in use by another process (pid {running.process.pid})" in done.stderr
    assert done.stderr.count("\n") == 1
    with running.client() as client:
        send(client, accepted("SECOND"))


def test_a_tower_on_a_port_in_use_is_refused_and_the_first_works_on(running: Running, tmp_path: Path) -> None:
    done = tower("run", env=environment(tmp_path / "var", running.port))
    assert done.returncode == 2, done.stderr
    assert f"port {running.port} on 127.0.0.1 is in use" in done.stderr
    assert "TOWER_PORT" in done.stderr
    assert done.stderr.count("\n") == 1
    with running.client() as client:
        send(client, accepted("PORT"))


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
    done = tower("run", env=environment(folder, **{name: str(tmp_path / value) if "nowhere" in value else value}))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "store").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of its own that holds 200 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk of its own needs root and mount")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Write a file that takes all space but some, and return it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while (room := shutil.disk_usage(disk).free - leave_bytes) > 0:
            try:
                file.write(bytes(min(room, 1 << 20)))
            except OSError:
                break
    return filler


@pytest.mark.parametrize("floor_mb", [32, 0])
def test_a_full_disk_is_said_and_loses_nothing_that_was_acknowledged(small_disk: Path, floor_mb: int) -> None:
    """With a floor the doors close before the disk is full; without one the write that fails is not acknowledged."""
    env = {"TOWER_BOOK": str(BOOKS / "small"), "TOWER_DISK_FLOOR_MB": str(floor_mb)}
    running = Running(small_disk.parent / "logs", **{**env, "TOWER_DATA_DIR": str(small_disk / "var")})
    with running, running.client() as client:
        client.headers.update(NDJSON)
        sent, acknowledged, refused = 0, set[str](), None

        def post() -> httpx.Response:
            nonlocal sent
            sent += 1
            names = [f"F-{sent}-{i}" for i in range(200)]
            reply = client.post("/v1/events", content=lines([accepted(n, reason="x" * 2000) for n in names]))
            if reply.status_code == 200:
                acknowledged.update(names)
            return reply

        assert post().status_code == 200
        filler = fill(small_disk, (floor_mb << 20) // 2)
        for _ in range(200):
            if (reply := post()).status_code != 200:
                refused = reply
                break
        assert refused is not None, "the disk never became full"
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] in ("disk_full", "journal_failed")
        until(lambda: client.get("/readyz").status_code == 503, "/readyz says that the doors are closed")
        assert running.process.poll() is None
        filler.unlink()
        until(lambda: post().status_code == 200, "the doors open again once there is room")
        until(lambda: client.get("/readyz").status_code == 200, "/readyz says so")
        last = [accepted("F-last")]
        until(lambda: client.post("/v1/events?wait=stored", content=lines(last)).status_code == 200, "all is judged")
        acknowledged.add("F-last")
        seen: set[str] = set()
        cursor = ""
        for _ in range(100):
            found = client.get(
                "/v1/orders", params={"limit": "5000", "sort": "order_id", **({"cursor": cursor} if cursor else {})}
            ).json()
            seen |= {row["order_id"] for row in found["orders"]}
            cursor = found["next_cursor"]
            if not cursor:
                break
        assert acknowledged <= seen
        assert {row["state"] for row in found["orders"]} == {"late"}
