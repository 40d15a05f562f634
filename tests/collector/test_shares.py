"""The events door counts each connection's share, and a partner's connection speaks for its partner only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.collector.desk import Desk, event
from tower.model.connection import Connection, Limits
from tower.model.connections import Connections

SHARED = Connections(
    (
        Connection("wms-berlin", "wms", "/wms/berlin", limits=Limits(per_day=5)),
        Connection("quick", "wms", "/wms/quick", limits=Limits(per_second=2)),
        Connection("portal", "edi", "/edi/portal", partner="ACME"),
        Connection("free", "erp", "/erp"),
    ),
    configured=True,
)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(connections=SHARED)


def test_events_over_the_days_share_are_refused_whole(desk: Desk) -> None:
    desk.post_lines([event(n) for n in range(5)])
    answer = desk.post(b'{"specversion": "1.0"}')
    assert answer.status_code == 400
    over = desk.post_lines_answer([event(9), event(10, source="/erp")])
    assert (over.status_code, over.json()["code"]) == (429, "throttled")
    assert int(over.headers["retry-after"]) > 0
    assert desk.post_lines([event(10, source="/erp")])["accepted"] == 1, "nothing of a refused request was kept"
    assert desk.rows("count()") == [(6,)]
    desk.now += timedelta(days=1)
    assert desk.post_lines([event(9)])["accepted"] == 1


def test_a_request_is_taken_whole_and_waited_for_afterwards(desk: Desk) -> None:
    desk.post_lines([event(n, source="/wms/quick") for n in range(6)])
    assert desk.post_lines_answer([event(9, source="/wms/quick")]).headers["retry-after"] == "3"
    desk.now += timedelta(seconds=3)
    desk.post_lines([event(9, source="/wms/quick")])


def test_the_days_count_is_known_after_a_restart(make_desk: Callable[..., Desk]) -> None:
    before = make_desk(connections=SHARED)
    before.post_lines([event(n) for n in range(5)])
    before.close()
    assert make_desk(connections=SHARED).post_lines_answer([event(9)]).status_code == 429


def test_a_partners_connection_speaks_for_its_partner_only(desk: Desk) -> None:
    source = "/edi/portal"
    reply = desk.post_lines(
        [
            event(1, source=source, type="o2c.order_captured"),
            event(2, source=source, type="o2c.order_captured", data={"partner": "ACME"}),
            event(3, source=source, type="o2c.order_captured", data={"partner": "OTHER"}),
            event(4, source=source, type="o2c.heartbeat"),
        ]
    )
    assert [(r["index"], r["code"]) for r in reply["rejected"]] == [(2, "forbidden_partner")]
    assert desk.rows("event_id, partner", order="event_id") == [("e-1", "ACME"), ("e-2", "ACME"), ("e-4", "")]
    lone = desk.post(b'{"specversion": "1.0", "id": "x", "source": "/edi/portal", "type": "o2c.order_captured",'
                     b' "time": "2026-03-01T10:00:00Z", "data": {"order_id": "1", "partner": "OTHER"}}')  # fmt: skip
    assert lone.status_code == 403
