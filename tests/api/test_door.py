"""Who gets in, and how every refusal looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.actions.world import clock_row
from tests.api.conftest import Api
from tower.store.client import Store
from tower.store.keys import Keys

READS = ("/v1/orders", "/v1/stages", "/v1/groups", "/v1/feeds", "/v1/breaches", "/v1/actions", "/v1/audit", "/v1/rules",
         "/v1/targets", "/v1/quarantine", "/v1/orphans", "/metrics", "/openapi.json")  # fmt: skip


def is_problem(reply: Any, status: int, code: str) -> dict[str, Any]:
    """Check the one shape of refusals and return it."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = reply.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:o2c:problem:{code}")
    assert body["title"] and body["detail"]
    assert body["instance"] == f"urn:o2c:request:{reply.headers['x-request-id']}"
    return body


@pytest.mark.parametrize("path", READS)
def test_reading_needs_a_key(one_api: Api, path: str) -> None:
    refused = one_api.get(path, None)
    is_problem(refused, 401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"
    is_problem(one_api.get(path, None, headers={"Authorization": "Bearer nonsense"}), 401, "unauthenticated")
    is_problem(one_api.get(path, None, headers={"Authorization": "Basic YTpi"}), 401, "unauthenticated")
    assert one_api.get(path).status_code == 200


def test_acting_needs_an_operator(one_api: Api) -> None:
    body = {"orders": [{"order_id": "SO-1"}]}
    for path in (
        "/v1/actions",
        "/v1/actions/x/cancel",
        "/v1/actions/x/approve",
        "/v1/actions/x/pause",
        "/v1/actions/x/resume",
    ):
        reply = one_api.call("POST", path, "viewer", json=body, headers={"Idempotency-Key": "k"})
        is_problem(reply, 403, "forbidden")
        is_problem(one_api.call("POST", path, None, json=body), 401, "unauthenticated")


def test_a_revoked_key_is_out_at_once(api: Api) -> None:
    assert api.get("/v1/orders").status_code == 200
    Keys(api.world.store).revoke("viewer-key")
    is_problem(api.get("/v1/orders"), 401, "unauthenticated")


def test_health_needs_no_key(one_api: Api) -> None:
    assert one_api.get("/healthz", None).json()["status"] == "ok"


def test_health_names_the_engine_s_own_reason(api: Api) -> None:
    api.engine.ok, api.engine.detail = False, "the last 5 ticks failed: disk full"
    assert "disk full" in is_problem(api.get("/healthz", None), 503, "engine_silent")["detail"]


def test_readiness_follows_the_doors(api: Api) -> None:
    assert api.get("/readyz", None).json() == {"status": "ready"}
    api.doors.ready, api.doors.reason = False, "the backlog is full"
    reply = api.get("/readyz", None)
    assert is_problem(reply, 503, "not_ready")["detail"] == "the backlog is full"
    assert reply.headers["retry-after"] == "5"


def test_what_is_not_there_and_what_cannot_be_done_are_problems(one_api: Api) -> None:
    is_problem(one_api.get("/v1/nothing"), 404, "not_found")
    is_problem(one_api.call("DELETE", "/v1/orders"), 405, "method_not_allowed")
    is_problem(one_api.get("/v1/orders/none"), 404, "not_found")
    is_problem(one_api.get("/v1/actions/none"), 404, "not_found")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"orders": 3}', b"\xff", b'{"orders":[],"colour":1}', b'{"orders":[],"filter":{}}']
)
def test_a_bad_body_is_a_problem(one_api: Api, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    reply = one_api.call("POST", "/v1/actions", "operator", content=body, headers=headers)
    assert is_problem(reply, 400, reply.json()["code"])["code"] in ("invalid_request", "unknown_parameter")


def test_a_crash_is_a_problem_with_an_id_and_without_a_traceback(api: Api, logs: list[Any]) -> None:
    empty = Store(api.context.store.dsn, "without_tables")
    api.app.state.context = replace(api.context, store=empty)
    body = is_problem(api.get("/v1/breaches"), 500, "internal_error")
    request_id = body["instance"].rpartition(":")[2]
    assert request_id in body["detail"]
    assert "Traceback" not in str(body) and "breaches" not in body["detail"]
    failed = [line for line in logs if line["event"] == "request_failed"]
    assert failed[0]["request_id"] == request_id
    empty.close()


def test_each_request_is_one_log_line_that_names_the_caller_and_not_the_query(one_api: Api, logs: list[Any]) -> None:
    reply = one_api.get("/v1/orders?customer_id=C-secret")
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["path"], line["status"], line["actor"]) for line in lines] == [("/v1/orders", 200, "viewer-key")]
    assert lines[0]["request_id"] == reply.headers["x-request-id"]
    assert "C-secret" not in str(logs)


def test_openapi_has_an_example_and_the_problem_schema_on_every_endpoint(one_api: Api) -> None:
    document = one_api.get("/openapi.json").json()
    assert document["components"]["schemas"]["Problem"]["required"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            if path == "/openapi.json":
                continue
            content = next(r for s, r in operation["responses"].items() if s.startswith("2")).get("content", {})
            assert any("example" in c for c in content.values()) or "409" in operation["responses"], (method, path)
            refusals = [r for s, r in operation["responses"].items() if s[0] in "45"]
            assert all("application/problem+json" in r["content"] for r in refusals), (method, path)
            guarded = path not in ("/healthz", "/readyz")
            assert ("security" in operation) == guarded
            assert not guarded or {"401", "403", "500"} <= operation["responses"].keys(), (method, path)
            assert "400" in operation["responses"] or "parameters" not in operation, (method, path)
    assert "422" in document["paths"]["/v1/actions"]["post"]["responses"], "a reused Idempotency-Key"


def test_metrics_are_prometheus_text(one_api: Api) -> None:
    one_api.world.order("SO-1", clock_row())
    text = one_api.get("/metrics").text
    for line in ('o2c_orders{state="late"} 1.0', "o2c_events_accepted_total 7.0", "o2c_collector_backlog_bytes 0.0",
                 "o2c_tick_seconds 0.2", "o2c_engine_up 1.0"):  # fmt: skip
        assert line in text.splitlines()
