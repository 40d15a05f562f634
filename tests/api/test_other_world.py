"""A key with a scope cannot tell a tower that knows of others from one that does not.

Everything a scoped key may ask is asked in many ways, then another partner's orders, messages and retries are planted,
then the same is asked again: every answer, header and count must be what it was.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pyarrow as pa
import pytest

from tests.acceptance.events import event
from tests.api.whole import Call, Whole, whole_tower
from tower.api.orders import ARROW
from tower.api.permissions import TABLE, Scoped, Who

T0 = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)
EARLY, LATE = (at.isoformat().replace("+00:00", "Z") for at in (T0 + timedelta(hours=1), T0 + timedelta(days=1)))
FAR = "2199-01-01T00:00:00Z"
KEYS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "by-connection": (["viewer"], ["acme-edi"], []),
    "by-scope": (["operator"], [], ["partner=ACME"]),
    "by-place": (["viewer", "approver"], [], ["company=DE01", "warehouse=HH2"]),
}
# What of an answer moves with time alone.
VOLATILE = frozenset(
    {
        "age_s",
        "overdue_s",
        "used_s",
        "as_of",
        "instance",
        "lag_s",
        "judged_at",
        "known_at",
        "detected_at",
        "score",
        "score_terms",
        "self_heal_by",
    }
)
HIDDEN = re.compile(rb"BETA|beta|777777|FR09|C-BETA")
DEAR = ("as_of", "known_at")
TOGETHER = ("state", "stage", "system", "priority")  # say nothing of anybody, so they are asked in one
VALUES: dict[str, list[str]] = {
    "state": ["stuck"], "sort": ["-score", "-odds"],
    "limit": ["1"], "min_value": ["700000"], "as_of": [LATE], "known_at": [FAR],
    "partner": ["BETA"], "customer_id": ["C-BETA"], "connection": ["beta-edi"],
    "q": ["BETA", "timeout"], "stage": ["accept-to-ship"], "system": ["wms"], "priority": ["P1,P2,P3,P4"],
    "rule": ["accept-to-ship"], "reason": ["unknown_milestone"], "since": [EARLY], "until": [LATE],
    "outcome": ["mapped"], "topic": ["BETA"], "kind": ["retry"], "requested_by": ["clerk"],
    "order_id": ["BETA-1"], "held": ["true"], "assignee": ["clerk"],
}  # fmt: skip


BOTH = ("ACME-0", "BETA-0")  # orders that go in one shipment, which fails


def plant(whole: Whole, partner: str, company: str, warehouse: str, amount: int) -> None:
    """Plant a partner: late and failing orders, held messages, kept messages, and a retry by a clerk who sees all.

    The shipment S-BOTH was told of with ACME's order; that BETA's goes with it is told with BETA.
    """
    own = {
        "partner": partner, "company": company, "warehouse": warehouse, "customer_id": f"C-{partner}", "amount": amount,
        "currency": "EUR", "customer_tier": partner, "error": f"{partner} timeout",
    }  # fmt: skip
    names = [f"{partner}-{n}" for n in range(3)]
    done = event("/wms/main", f"{partner}-s", "shipment_confirmed", T0, order_id=names[2], shipment_id=f"S-{partner}")
    failed = event("/wms/main", f"{partner}-f", "shipment_confirmed.failed", T0, order_id=names[1], error=own["error"])
    own_door = f"/edi/{partner.lower()}"
    held = event(own_door, f"{partner}-q", f"of_{partner.lower()}", T0, order_id=names[0])
    shared = event("/wms/main", f"{partner}-both", "shipment_confirmed.failed", T0, order_id=BOTH[0],
                   error="no carrier", shipment_id="S-BOTH")  # fmt: skip
    if partner == "BETA":
        links = {"links": [{"from": "shipment:S-BOTH", "to": f"order:{BOTH[1]}"}]}
        shared = {**event("/erp/main", "both-link", "linked", T0), "data": links}
    told = whole.send(*(event("/erp/main", f"{n}-a", "order_accepted", T0, order_id=n, **own) for n in names),
                      event(own_door, f"{partner}-e", "order_accepted", T0, order_id=names[0], partner=partner),
                      done, failed, held, shared)  # fmt: skip
    assert (told["accepted"], told["quarantined"]) == (7, 1)
    with whole.app.state.context.store.writer() as client:
        client.command(f"INSERT INTO raw (raw_id, connection, topic) VALUES ('r-{partner}', '{partner.lower()}-edi', "
                       f"'{partner}')")  # fmt: skip
    body = {"kind": "retry", "orders": [{"order_id": names[0]}], "reason": partner}
    clerk = whole.key("clerk", ["operator"])
    reply = whole.call(clerk, "POST", "/v1/actions", json=body, headers={"Idempotency-Key": partner})
    assert [i["result"] for i in reply.json()["items"]] == ["accepted"]
    cancel = f"/v1/actions/{reply.json()['action_id']}/cancel"
    assert whole.call(clerk, "POST", cancel, json={"reason": partner}).status_code == 200


def questions(whole: Whole) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (method, path, options) of everything that is asked, from the application's own document."""
    clerk = whole.key("clerk", ["operator"])
    paths = whole.call(clerk, "GET", "/openapi.json").json()["paths"]
    asked: list[tuple[str, str, dict[str, Any]]] = []
    for name, permit in TABLE.values():
        method, path = name.split(" ", 1)
        if permit.who is not Who.KEY or permit.scoped in (Scoped.REFUSED, Scoped.OPEN):
            continue
        operation = paths[path][method.lower()]
        for filled in _paths(path):
            if method == "POST":
                asked += [(method, filled, o) for o in _bodies(path)]
                continue
            names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and p["name"] != "cursor"]
            assert not (unheard := [n for n in names if n not in VALUES and "order" in path]), unheard
            if path.endswith("/why"):
                continue
            alone = [n for n in names if n not in TOGETHER and not (n in DEAR and "order" in path)]
            together = {n: VALUES[n][0] for n in TOGETHER if n in names}
            ways = [{}, *([together] if together else []), *({n: v} for n in alone for v in VALUES.get(n, ["BETA"]))]
            asked += [(method, f"{filled}?{urlencode(way)}", {}) for way in ways]
    then = urlencode({"as_of": LATE, "known_at": FAR})  # a judgement of its own each, so few of them
    asked += [("GET", f"/v1/orders{place}?{then}", {}) for place in ("", "/BETA-0")]
    asked += [("GET", "/v1/orders/BETA-0/why", {}), ("GET", "/v1/orders", {"headers": {"Accept": ARROW}})]
    return asked


def _paths(path: str) -> Iterator[str]:
    values = {"order_id": ["ACME-1", "BETA-0"], "action_id": ["none"], "subscription_id": ["none"]}
    names = re.findall(r"{([^}]*)}", path)
    for chosen in itertools.product(*(values[n] for n in names)):
        yield path.format(**dict(zip(names, chosen, strict=True)))


def _bodies(path: str) -> Iterator[dict[str, Any]]:
    if path != "/v1/actions":
        yield {"json": {"reason": "BETA"}}
        return
    for wish in ({"orders": [{"order_id": "BETA-0"}, {"order_id": "ACME-1"}]}, {"filter": {"state": "stuck"}},
                 {"filter": {"partner": "BETA"}}, {"filter": {"q": "BETA"}}):  # fmt: skip
        yield {"params": {"dry_run": "true"}, "json": wish}


def heard(whole: Whole, asked: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    """Return what each key is answered, without what moves with time."""
    every = {"by-scope": 1}  # one key asks everything, the others some of it
    calls: list[Call] = [
        (whole.key(k, *of), *question) for k, of in KEYS.items() for question in asked[:: every.get(k, 11)]
    ]
    found: dict[str, Any] = {}
    for call, reply in zip(calls, whole.calls(calls), strict=True):
        assert reply.status_code < 500, (call, reply.text)
        body: Any = reply.text
        if ARROW in reply.headers.get("Content-Type", "") and reply.content:
            body = pa.ipc.open_stream(reply.content).read_all().to_pylist()
        elif "json" in reply.headers.get("Content-Type", ""):
            body = reply.json()
        headers = {n: reply.headers.get(n) for n in ("ETag", "Vary", "Cache-Control")}
        text = {} if HIDDEN.search(str(call).encode()) else {"hidden": bool(HIDDEN.search(reply.content))}
        found[str(call)] = (reply.status_code, headers, _still(body), text)
    return found


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _still(v) for k, v in value.items() if k not in VOLATILE}
    return [_still(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One tower in which one partner is known."""
    with whole_tower(tmp_path_factory.mktemp("other")) as made:
        plant(made, "ACME", "DE01", "HH2", 1000)
        yield made


def test_others_change_nothing_that_a_scoped_key_hears(whole: Whole) -> None:
    asked = questions(whole)
    assert len(asked) > 50
    before = heard(whole, asked)
    clerk = whole.key("clerk", ["operator"])
    rows = whole.call(clerk, "GET", "/v1/orders").json()["orders"]
    plant(whole, "BETA", "FR09", "LY1", 777777)
    assert whole.call(clerk, "GET", "/v1/orders").json()["total"] == 2 * len(rows)
    after = heard(whole, asked)
    changed = {call: (before[call], after[call]) for call in before if before[call] != after[call]}
    assert not changed, msgspec.json.format(msgspec.json.encode(dict(itertools.islice(changed.items(), 3)))).decode()
    assert not [call for call, (*_, text) in after.items() if text.get("hidden")]
    assert any(status == 200 and isinstance(body, dict) and body.get("total") for status, _, body, _ in after.values())


def test_a_shipment_of_two_partners_gives_neither_the_other(whole: Whole) -> None:
    """After the test above, so that both worlds are planted; the shipment joins one order of each."""
    clerk = whole.key("clerk", ["operator"])
    seen = whole.call(clerk, "GET", "/v1/orders?q=-0").json()["orders"]
    assert {o["order_id"]: o["state"] for o in seen} == dict.fromkeys(BOTH, "failing"), "the shipment counts for both"
    calls: list[Call] = []
    for name in KEYS:
        paths = ["/v1/orders/ACME-0", "/v1/orders/BETA-0", "/v1/orders/BETA-0/why", "/v1/orders/S-BOTH"]
        if name == "by-scope":
            paths.append("/v1/orders/ACME-0/why")
        calls += [(whole.key(name, *KEYS[name]), "GET", path, {}) for path in paths]
    for (name, _, path, _), reply in zip(calls, whole.calls(calls), strict=True):
        assert reply.status_code == (200 if "ACME" in path else 404), (name, path)
        assert "ACME" not in path or not HIDDEN.search(reply.content), (name, path)
    body = {"kind": "retry", "orders": [{"order_id": "BETA-0"}, {"order_id": "nothing"}], "reason": "x"}
    key = whole.key("by-scope", *KEYS["by-scope"])
    reply = whole.call(key, "POST", "/v1/actions", json=body, headers={"Idempotency-Key": "both"}).json()
    said = [{k: v for k, v in item.items() if k != "order_id"} for item in reply["items"]]
    assert said[0] == said[1], "as one that was never heard of"


def test_a_page_begins_behind_a_cursor_of_an_order_that_does_not_exist_for_the_key(whole: Whole) -> None:
    for sort in ("order_id", "value_at_risk", "score"):  # each with a key of another type
        path = f"/v1/orders?sort={sort}&limit=1"
        cursor = whole.call(whole.key("clerk", ["operator"]), "GET", path).json()["next_cursor"]
        reply = whole.call(whole.key("by-scope", *KEYS["by-scope"]), "GET", f"{path}&cursor={cursor}")
        assert reply.status_code == 200
        assert not HIDDEN.search(reply.content)
