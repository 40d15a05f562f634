"""Snapshots: shared, kept when the tower is silent, dropped when the key is not good any more."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import httpx
import pytest

from dashboards.tower_ui.client import Api, BadRequest, Down, NotFound, Refused, Viewer
from tests.dashboards.conftest import Connect
from tests.dashboards.fake_api import FakeTower, Served

ANA = Viewer("ana", frozenset({"operator"}), "key-ana-operator")
VIC = Viewer("vic", frozenset({"viewer"}), "key-vic-viewer")
STUCK = {"state": "stuck", "limit": "500"}


class Wire(httpx.BaseTransport):
    """Answers from a function and counts."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def api(answer: httpx.Response | Exception) -> tuple[Api, Wire]:
    wire = Wire(answer)
    return Api("http://tower.example", wire), wire


def test_the_board_is_read_exactly(connect: Connect, tower: FakeTower) -> None:
    found = connect().board(ANA, STUCK).data
    assert found is not None
    stuck = [r for r in tower.rows.values() if r["state"] in ("failing", "late", "diverging")]
    assert found.total == len(found.frame) == len(stuck)
    assert found.value_total == sum(r["value_at_risk"] for r in stuck)
    assert str(found.frame["since"].dtype) == "datetime64[ms, UTC]"


def test_two_readers_within_two_seconds_share_one_request() -> None:
    tower, wire = api(httpx.Response(200, json={"stages": []}))
    assert tower.json(ANA, "/v1/stages") is tower.json(ANA, "/v1/stages")
    assert len(wire.asked) == 1


def test_many_readers_at_once_make_one_request() -> None:
    gate = threading.Event()

    class Slow(Wire):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            gate.wait(5)
            return httpx.Response(200, json={"n": 1})

    wire = Slow(httpx.Response(200))
    tower = Api("http://tower.example", wire)
    readers = [threading.Thread(target=tower.json, args=(ANA, "/v1/stages")) for _ in range(8)]
    for reader in readers:
        reader.start()
    gate.set()
    for reader in readers:
        reader.join(5)
    assert len(wire.asked) == 1


def test_another_key_never_gets_this_ones_answer() -> None:
    tower, wire = api(httpx.Response(200, json={}))
    tower.json(ANA, "/v1/stages")
    tower.json(VIC, "/v1/stages")
    assert [r.headers["authorization"] for r in wire.asked] == ["Bearer key-ana-operator", "Bearer key-vic-viewer"]


def test_an_unchanged_board_is_confirmed_and_kept(connect: Connect) -> None:
    tower = connect(fresh_s=0)
    first, second = tower.board(ANA, STUCK), tower.board(ANA, STUCK)
    assert second.data is first.data
    assert second.revision == first.revision
    assert first.at is not None
    assert second.at is not None
    assert second.at > first.at


def test_the_last_good_data_stay_while_the_tower_is_away_and_go_on_after(
    served: Served, connect: Connect, tower: FakeTower
) -> None:
    reader = connect(fresh_s=0)
    first = reader.board(ANA, STUCK)
    served.stop()
    away = reader.board(ANA, STUCK)
    assert away.data is first.data
    assert "cannot be reached" in away.error
    assert away.at == first.at
    tower.add("SO-NEW", state="late")
    served.start()
    back = reader.board(ANA, STUCK)
    assert back.error == ""
    assert back.data is not None
    assert first.data is not None
    assert back.data.total == first.data.total + 1


def test_a_tower_that_never_answered_gives_no_data_and_a_reason() -> None:
    tower, _ = api(httpx.ConnectError("refused"))
    found = tower.json(ANA, "/v1/stages")
    assert (found.data, found.at) == (None, None)
    assert "http://tower.example" in found.error
    assert found.age_s(datetime.now(UTC)) is None


def test_a_key_that_was_revoked_sees_nothing_more(served: Served, connect: Connect, tower: FakeTower) -> None:
    reader = connect(fresh_s=0)
    assert reader.board(ANA, STUCK).data is not None
    del tower.keys["key-ana-operator"]
    with pytest.raises(Refused) as caught:
        reader.board(ANA, STUCK)
    assert caught.value.signed_out
    served.stop()
    assert reader.board(ANA, STUCK).data is None


def test_an_order_that_is_unknown_is_not_an_error_of_the_tower(connect: Connect) -> None:
    found = connect().json(ANA, "/v1/orders/SO-NONE")
    assert found.not_found
    assert found.data is None


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (httpx.Response(401, json={"detail": "send a live key"}), Refused, "live key"),
        (httpx.Response(403, json={"detail": "this needs the role operator"}), Refused, "operator"),
        (httpx.Response(404, text="x"), NotFound, "does not know"),
        (httpx.Response(422, json={"detail": "take a new one"}), BadRequest, "take a new one"),
        (httpx.Response(429, json={"detail": "slow down"}), Down, "429"),
        (httpx.Response(503, text="<html>"), Down, "503"),
        (httpx.Response(400, json=["x"]), BadRequest, "400"),
        (httpx.ReadTimeout("slow"), Down, "in time"),
        (httpx.Response(302, headers={"Location": "http://evil.example"}), Down, "no JSON"),
        (httpx.Response(200, text="no json"), Down, "no JSON"),
    ],
)
def test_each_refusal_has_its_kind_and_the_towers_words(
    answer: httpx.Response | Exception, kind: type[Exception], says: str
) -> None:
    tower, _ = api(answer)
    with pytest.raises(kind, match=says):
        tower.orders(ANA, {})


def test_an_arrow_stream_cut_short_is_a_fault_of_the_answer_not_of_the_page() -> None:
    tower, _ = api(httpx.Response(200, content=b"\xff\xff\xff\xff\x10\x00"))
    found = tower.board(ANA, STUCK)
    assert found.data is None
    assert "Arrow" in found.error


def test_the_key_is_in_no_text_form_of_a_viewer() -> None:
    assert "key-ana" not in repr(ANA)


def test_a_viewer_may_look_and_an_operator_may_act(connect: Connect) -> None:
    tower = connect()
    assert tower.whoami("key-ana-operator").may_act
    assert not tower.whoami("key-vic-viewer").may_act
