"""Each preset sends the documented request, with the target's secret and nothing else; the book says what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.errors import RulebookError
from rules.parse import parse_book
from rules.read.presets import presets
from tests.actions.target_stub import Reply, TargetStub
from tower.actions.target import Sender
from tower.actions.template import TEMPLATE_FIELDS, render, shown
from tower.model.secret import Secrets

BASE = (Path(__file__).parents[1] / "rules" / "base.yaml").read_text()
FIELDS = {name: f"the {name}" for name in TEMPLATE_FIELDS} | {
    "order_id": "SO 1/2",
    "item_id": "i-1",
    "reason": "mended",
}
LOGIC = "/subscriptions/s/resourceGroups/g/providers/"
# preset: with, what is answered, and what the documentation of the system asks for
CASES: dict[str, tuple[dict[str, str], int, str, str, Any]] = {
    "temporal-signal": (
        {"namespace": "default", "workflow_id": "order-{order_id}", "signal": "retry"}, 200,
        "POST", "/api/v1/namespaces/default/workflows/order-SO%201%2F2/signal/retry",
        {"requestId": "i-1", "input": {"payloads": []}},
    ),
    "temporal-reset": (
        {"namespace": "default", "workflow_id": "w", "event_id": "17"}, 200,
        "POST", "/api/v1/namespaces/default/workflows/w/reset",
        {"reason": "mended", "workflowTaskFinishEventId": "17", "requestId": "i-1"},
    ),
    "camunda8-retries": ({"job_key": "2251"}, 204, "PATCH", "/v2/jobs/2251", {"changeset": {"retries": 1}}),
    "camunda8-resolve": ({"incident_key": "2251"}, 204, "POST", "/v2/incidents/2251/resolution", None),
    "camunda8-instance": ({"instance_key": "77"}, 200, "POST", "/v2/process-instances/77/incident-resolution", None),
    "logicapps-resubmit": (
        {"subscription": "s", "group": "g", "workflow": "w", "trigger": "t", "history": "h"}, 202, "POST",
        f"{LOGIC}Microsoft.Logic/workflows/w/triggers/t/histories/h/resubmit?api-version=2019-05-01", None,
    ),
    "logicapps-standard-resubmit": (
        {"subscription": "s", "group": "g", "site": "x", "workflow": "w", "trigger": "t", "history": "h"}, 202, "POST",
        f"{LOGIC}Microsoft.Web/sites/x/hostruntime/runtime/webhooks/workflow/api/management/workflows/w/triggers/t"
        "/histories/h/resubmit?api-version=2025-05-01", None,
    ),
    "sap-ci-retry": (
        {"message_id": "ID:1", "queue": "Orders"}, 200, "POST", "/api/v1/RetryMessagingMessages",
        {"jmsMessageId": "ID:1", "queueName": "Orders"},
    ),
    "boomi-rerun": (
        {"account": "acme", "execution_id": "execution-1"}, 200, "POST", "/api/rest/v1/acme/RerunDocument",
        {"originalExecutionId": "execution-1", "AllDocuments": {"documentStatus": "ERROR"}},
    ),
    "celigo-retry": (
        {"flow": "f", "step": "s", "retry_key": "k"}, 200, "POST", "/v1/flows/f/s/retry", {"retryDataKeys": ["k"]},
    ),
    "netsuite-upsert": (
        {"type": "salesorder", "external_id": "{order_id}"}, 204,
        "PUT", "/services/rest/record/v1/salesorder/eid:SO%201%2F2", {"externalId": "SO 1/2"},
    ),
    "own-raw-order": (
        {"order_id": "{order_id}"}, 200, "POST", "/v1/raw/replay", {"order_id": "SO 1/2", "reason": "mended"},
    ),
    "own-raw": (
        {"connection": "shop-eu"}, 200, "POST", "/v1/raw/replay", {"connection": "shop-eu", "reason": "mended"},
    ),
}  # fmt: skip


def book(preset: str, url: str, filling: dict[str, str], more: str = "") -> Any:
    named = ", ".join(f'{name}: "{value}"' for name, value in filling.items())
    return parse_book(
        {
            "a.yaml": BASE,
            "b.yaml": f"""
targets: {{system: {{kind: http, url: "{url}", auth: {{bearer: "env:TOWER_SECRET_SYSTEM"}}}}}}
actions:
  - id: act
    kind: retry
    stage: any
    target: system
    preset: {preset}
    with: {{{named}}}
    verify: {{milestone: delivered, within: 1m}}
    {more}
""",
        }
    )


def test_every_preset_is_checked_here() -> None:
    assert set(CASES) == set(presets())


@pytest.fixture(scope="module")
def target() -> Any:
    stub = TargetStub()
    yield stub
    stub.close()


@pytest.mark.parametrize("preset", CASES)
def test_the_documented_request_is_sent_and_the_preview_shows_it_without_the_secret(
    preset: str, target: TargetStub
) -> None:
    filling, status, method, path, body = CASES[preset]
    target.plan, target.heard = [Reply(status, "")], []
    made = book(preset, target.url, filling)
    action, place = made.actions[0], made.targets["system"]
    assert action.safety == presets()[preset].safety
    wire = render(action, place, FIELDS, "key-1")
    preview = shown(wire, place)
    assert (preview["method"], preview["url"], preview["json"]) == (method, target.url + path, body)
    assert preview["headers"]["Authorization"] == "Bearer ***"
    sender = Sender(Secrets({"TOWER_SECRET_SYSTEM": "s3cr3t"}))
    answer = sender.send(place, wire)
    sender.close()
    heard = target.heard[0]
    assert answer.verdict == "accepted"
    assert (heard.method, heard.path, heard.body) == (method, path, body)
    assert (heard.headers["authorization"], heard.key) == ("Bearer s3cr3t", "key-1")


@pytest.mark.parametrize(
    ("preset", "filling", "more", "says"),
    [
        ("camunda9", {}, "", "unknown preset"),
        ("camunda8-resolve", {}, "", "incident_key is missing"),
        ("camunda8-resolve", {"incident_key": "1", "key": "2"}, "", "has no key"),
        ("camunda8-resolve", {"incident_key": "{incident}"}, "", "there is no field {incident}"),
        ("camunda8-resolve", {"incident_key": "1"}, "request: {path: /x}", "is a request already"),
        ("boomi-rerun", {"account": "a", "execution_id": "e"}, "policy: {attempts: 3}", "each call is a new execution"),
    ],
)
def test_what_a_book_gets_wrong(preset: str, filling: dict[str, str], more: str, says: str) -> None:
    with pytest.raises(RulebookError) as told:
        book(preset, "http://127.0.0.1:9", filling, more)
    assert says in str(told.value)
