"""Files by hand: taken like those of a watched folder, and told what became of each."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.files.load import Loaded, load_native
from collector.load import LoadError
from tests.collector.desk import Desk
from tests.collector.files.world import connections, mappings, shipments
from tests.collector.test_load import client_of

GOOD = shipments(("SO-1", "1", "2"), ("SO-2", "1", "1"))


@pytest.fixture
def door(make_desk: Callable[..., Desk], tmp_path: Path) -> Desk:
    return make_desk(connections=connections(tmp_path / "in"), mappings=mappings(tmp_path / "mappings"), max_file_mb=1)


def send(door: Desk, content: str | bytes = GOOD, connection: str = "hand", **options: Any) -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    params = {"name": "a.csv", **options.pop("params", {})}
    return door.client.request("POST", f"/v1/files/{connection}", content=body, params=params, **options)


def outcome(door: Desk, raw_id: str, connection: str = "hand") -> dict[str, Any]:
    found: dict[str, Any] = door.client.request("GET", f"/v1/files/{connection}/{raw_id}").json()
    return found


def test_a_file_is_taken_and_told_of(door: Desk) -> None:
    answer = send(door)
    assert answer.status_code == 202
    raw_id = answer.json()["raw_id"]
    assert outcome(door, raw_id) == {
        "raw_id": raw_id, "outcome": "mapped", "events": 2, "quarantined": 0, "unchanged": 0, "reasons": [],
    }  # fmt: skip
    assert door.rows("connection, method, scheme, topic", "raw") == [("hand", "FILE", "key", "a.csv")]


def test_the_same_content_is_taken_once_stored_or_not(door: Desk) -> None:
    first = send(door).json()["raw_id"]
    again = send(door, params={"name": "b.csv"})
    assert (again.status_code, again.json()) == (200, {"raw_id": first, "duplicate": True})
    outcome(door, first)
    assert send(door).json() == {"raw_id": first, "duplicate": True}
    assert door.rows("count()", "raw") == [(1,)]
    assert send(door, connection="legacy").status_code == 202, "another connection may say the same"


def test_a_refused_file_says_why_and_may_come_again(door: Desk) -> None:
    raw_id = send(door, shipments(("SO-1", "1", "2"), stated=3)).json()["raw_id"]
    found = outcome(door, raw_id)
    assert (found["outcome"], found["events"]) == ("quarantined", 0)
    assert found["reasons"] == [
        {"reason": "batch_control_total", "detail": "total rows: the file says rows is 3, it has 1"}
    ]
    door.now = door.now.replace(minute=1)
    assert send(door, shipments(("SO-1", "1", "2"), stated=3)).status_code == 202


def test_a_compressed_body_is_unpacked(door: Desk) -> None:
    raw_id = send(door, gzip.compress(GOOD.encode()), headers={"Content-Encoding": "gzip"}).json()["raw_id"]
    assert outcome(door, raw_id)["events"] == 2


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"connection": "nobody"}, 404, "unknown_connection"),
        ({"headers": {"Authorization": ""}}, 401, "unauthenticated"),
        ({"headers": {"Authorization": "Bearer berlin"}}, 403, "forbidden_connection"),
        ({"params": {"name": ""}}, 400, "name_missing"),
        ({"content": b"x" * (2 << 20)}, 413, "too_large"),
        ({"content": gzip.compress(b"x" * (2 << 20)), "headers": {"Content-Encoding": "gzip"}}, 413, "too_large"),
    ],
)
def test_what_is_not_taken_is_refused_in_words(door: Desk, options: dict[str, Any], status: int, code: str) -> None:
    answer = send(door, **options)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


def test_a_file_that_is_not_there_is_said(door: Desk) -> None:
    answer = door.client.request("GET", "/v1/files/hand/019c")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_file")


def test_only_the_connections_own_files_are_told_of(door: Desk) -> None:
    raw_id = send(door).json()["raw_id"]
    assert door.client.request("GET", f"/v1/files/legacy/{raw_id}").status_code == 404


def load(door: Desk, *paths: Path, script: list[httpx.Response] | None = None) -> list[Loaded]:
    client = client_of(door, script)
    client.headers["Authorization"] = "Bearer admin"
    return list(load_native(paths, "hand", client, sleep=lambda _s: None))


def test_files_are_loaded_with_what_became_of_each(door: Desk, tmp_path: Path) -> None:
    good, packed, bad = tmp_path / "good.csv", tmp_path / "packed.csv.gz", tmp_path / "bad.csv"
    good.write_text(GOOD)
    packed.write_bytes(gzip.compress(GOOD.encode()))
    bad.write_text("S;1\n")
    busy = [httpx.Response(503, headers={"Retry-After": "1"})]
    one, two, three = load(door, good, packed, bad, script=busy)
    assert (one.outcome, one.events, one.duplicate) == ("mapped", 2, False)
    assert (two.raw_id, two.duplicate) == (one.raw_id, True)
    assert (three.outcome, three.reasons[0][0]) == ("quarantined", "undecodable")


def test_progress_is_told_in_bytes_of_the_file(door: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(shipments(*((f"SO-{n}", "1", "1") for n in range(9_000))))
    told: list[int] = []
    client = client_of(door)
    client.headers["Authorization"] = "Bearer admin"
    (loaded,) = load_native([path], "hand", client, lambda _path, sent: told.append(sent))
    assert told == [256 << 10, path.stat().st_size]
    assert loaded.events == 9_000


def test_what_cannot_be_loaded_says_why(door: Desk, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no such file"):
        load(door, tmp_path / "none.csv")
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (2 << 20))
    with pytest.raises(LoadError, match=r"large.csv: the tower refuses it \(413\): the body is larger than 1 MiB"):
        load(door, large)
