"""GET /v1/targets and the probe button: what the engine knows of a target is what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rules.model import Breaker, Limit
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import KINDS, clock_row
from tests.api.conftest import Api, make_api
from tower.actions.runner import Actions
from tower.model.secret import Secrets
from tower.store.client import Store

SECRET = "s3cr3t-token-value"


@pytest.fixture
def target() -> Iterator[TargetStub]:
    stub = TargetStub()
    yield stub
    stub.close()


@pytest.fixture
def api(store: Store, tmp_path: Path, target: TargetStub) -> Api:
    api = make_api(store, tmp_path, target.url)
    known = api.book[0].targets["middleware"]
    limited = replace(known, breaker=Breaker(failures=1), budget=(Limit(10, 3600),))
    api.book[0] = replace(api.book[0], targets={"middleware": limited})
    api.world.order("SO-1", clock_row())
    api.world.order("SO-2", clock_row(object_id="S2"))
    return api


def turn(api: Api) -> None:
    """Let an engine take two steps: send, and hear."""
    runner = Actions(api.world.store, Secrets({"TOWER_SECRET_MIDDLEWARE": SECRET}), api.world.clock)
    runner.step(api.book[0], KINDS, api.world.now, {})
    runner._pool.shutdown(wait=True)
    runner._collect(api.book[0])
    runner._probes.step(api.book[0], api.world.now, None)
    runner._gates.flush()
    runner.close()


def test_a_target_is_shown_with_breaker_budget_and_last_answers(api: Api, target: TargetStub) -> None:
    before = api.get("/v1/targets").json()["targets"][0]
    assert (before["health"], before["breaker"]["state"], before["answers"]) == ("unknown", "closed", [])
    target.plan = [Reply(503, "down for $echo")]
    body = {"kind": "retry", "orders": [{"order_id": "SO-1"}, {"order_id": "SO-2"}]}
    api.call("POST", "/v1/actions", "operator", json=body, headers={"Idempotency-Key": "k1"})
    assert api.get("/v1/targets").json()["targets"][0]["waiting"] == 2
    turn(api)
    reply = api.get("/v1/targets")
    shown = reply.json()["targets"][0]
    assert (shown["health"], shown["breaker"]["state"], shown["breaker"]["opens_at"]) == ("failing", "open", 1)
    assert shown["limits"] == [{"calls": 10, "seconds": 3600, "used": 2}]
    assert [a["status"] for a in shown["answers"]] == [503, 503]
    assert SECRET not in reply.text and "TOWER_SECRET" not in reply.text
    metrics = api.get("/metrics").text
    assert 'o2c_target_open{target="middleware"} 1.0' in metrics


def test_a_probe_is_an_operator_s_wish_that_the_engine_fulfils(api: Api, target: TargetStub) -> None:
    assert api.call("POST", "/v1/targets/middleware/probe", "viewer").status_code == 403
    assert api.call("POST", "/v1/targets/nowhere/probe", "operator").status_code == 404
    assert api.call("POST", "/v1/targets/middleware/probe", "operator").status_code == 202
    assert target.heard == []
    turn(api)
    assert [h.method for h in target.heard] == ["HEAD"]
    assert api.get("/v1/targets").json()["targets"][0]["health"] == "well"
