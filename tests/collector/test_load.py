"""Files into the tower: counts add up, every refused line is named by file and line, busy answers are repeated."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from collector.load import LoadError, load_files
from tests.collector.desk import Desk, as_json


def client_of(desk: Desk, script: list[httpx.Response] | None = None) -> httpx.Client:
    """Return a client whose requests reach the desk, after the scripted answers have been given."""

    def handle(request: httpx.Request) -> httpx.Response:
        if script:
            return script.pop(0)
        answer = desk.client.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=request.headers
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return httpx.Client(transport=httpx.MockTransport(handle), base_url="http://desk")


def test_counts_add_up_and_refusals_name_file_and_line(desk: Desk, tmp_path: Path) -> None:
    one, two = tmp_path / "one.ndjson", tmp_path / "two.jsonl.gz"
    one.write_bytes(as_json(1) + b"\n\n" + b"{bad\n" + as_json(2) + b"\n" + as_json(1))
    two.write_bytes(gzip.compress(as_json(3, type="o2c.unheard_of") + b"\n" + as_json(4, id=None) + b"\n"))
    told: list[tuple[Path, int]] = []
    result = load_files([one, two], "", "admin", lambda path, at: told.append((path, at)), client=client_of(desk))
    assert (result.accepted, result.duplicate, result.quarantined, result.sent) == (2, 1, 1, 6)
    assert [(r.where, r.code) for r in result.rejected] == [(f"{one}:3", "not_json"), (f"{two}:2", "invalid_event")]
    assert told == [(one, one.stat().st_size), (two, two.stat().st_size)]


def test_a_file_without_one_good_line_is_reported_line_by_line(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_text("hello\nworld\n")
    result = load_files([path], "", "admin", client=client_of(desk))
    assert [r.where for r in result.rejected] == [f"{path}:1", f"{path}:2"]


def test_busy_answers_are_repeated_after_the_time_they_ask_for(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "one.ndjson"
    path.write_bytes(as_json(1))
    slept: list[float] = []
    script = [httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503, headers={"Retry-After": "3"})]
    result = load_files([path], "", "admin", client=client_of(desk, script), sleep=slept.append)
    assert (result.accepted, slept) == (1, [7.0, 3.0])


def test_what_cannot_be_loaded_says_why(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "one.ndjson"
    path.write_bytes(as_json(1))
    for missing, says in ((tmp_path / "x.csv", "name its --connection"), (tmp_path / "none.ndjson", "no such file")):
        with pytest.raises(LoadError, match=says):
            load_files([missing], "", "admin", client=client_of(desk))
    with pytest.raises(LoadError, match="401"):
        load_files([path], "", "wrong", client=client_of(desk))

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(LoadError, match="cannot be reached"):
        load_files(
            [path],
            "",
            "admin",
            client=httpx.Client(transport=httpx.MockTransport(refuse), base_url="http://x"),
            sleep=lambda _s: None,
        )
