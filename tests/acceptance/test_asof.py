"""Two times: what had happened by a moment, and what was known by one. Looked at through the door of a real tower."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.acceptance.events import BOOKS, breaches, clock, event, page, rfc3339, send
from tests.commands.process import Running

T0 = (datetime.now(UTC) - timedelta(days=10)).replace(microsecond=0)
HOUR, MS = timedelta(hours=1), timedelta(milliseconds=1)
ERP, WMS, FAR = "/erp/main", "/wms/berlin", "/3pl/far-away"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Yield a client of a tower with three connections, one of which has a feed."""
    folder = tmp_path_factory.mktemp("asof") / "var"
    book, connections = BOOKS / "asof", BOOKS / "asof-connections.yaml"
    with Running(folder, TOWER_BOOK=str(book), TOWER_CONNECTIONS=str(connections)) as tower, tower.client() as client:
        yield client


def test_an_event_at_exactly_t_has_happened_by_t(client: httpx.Client) -> None:
    shipped = T0 + HOUR
    send(
        client,
        event(ERP, "exact-1", "order_accepted", T0, order_id="EXACT"),
        event(WMS, "exact-2", "shipment_confirmed", shipped, order_id="EXACT", shipment_id="EXACT-S"),
    )
    assert clock(client, "EXACT", "accept-to-ship", as_of=rfc3339(shipped))["state"] == "stopped"
    before = clock(client, "EXACT", "accept-to-ship", as_of=rfc3339(shipped - MS))
    assert (before["state"], before["used_s"]) == ("running", 3599)
    assert client.get(f"/v1/orders/EXACT?as_of={rfc3339(T0)}").status_code == 200
    started = client.get("/v1/orders", params={"as_of": rfc3339(T0), "q": "EXACT"}).json()
    assert [o["order_id"] for o in started["orders"]] == ["EXACT"]
    assert client.get("/v1/orders", params={"as_of": rfc3339(T0 - MS), "q": "EXACT"}).json()["total"] == 0


def test_a_deadline_at_exactly_t_is_not_missed_yet(client: httpx.Client) -> None:
    send(client, event(ERP, "edge-1", "order_accepted", T0, order_id="EDGE"))
    due = T0 + 2 * HOUR
    assert page(client, "EDGE", as_of=rfc3339(due))["state"] == "on_track"
    assert page(client, "EDGE", as_of=rfc3339(due + MS))["state"] == "late"
    (breach,) = breaches(client, "EDGE")
    assert (breach["state"], breach["opened_at"]) == ("open", rfc3339(due))
    assert breach["detected_at"] > breach["opened_at"]


def test_known_at_forgets_what_was_received_later(client: httpx.Client) -> None:
    """The shipment was confirmed in time and heard of after the deadline: the order was late only to our knowledge."""
    send(client, event(ERP, "known-1", "order_accepted", T0, order_id="KNOWN"))
    time.sleep(0.05)
    ignorant = rfc3339(datetime.now(UTC))
    time.sleep(0.05)
    (opened,) = breaches(client, "KNOWN")
    assert opened["state"] == "open"
    send(
        client,
        event(WMS, "known-2", "shipment_confirmed", T0 + HOUR, order_id="KNOWN", shipment_id="KNOWN-S"),
        event(ERP, "known-3", "invoice_released", T0 + HOUR, shipment_id="KNOWN-S", invoice_id="KNOWN-I"),
    )
    then = rfc3339(T0 + 5 * HOUR)
    assert page(client, "KNOWN", as_of=then, known_at=ignorant)["state"] == "late"
    assert page(client, "KNOWN", known_at=ignorant)["state"] == "late"
    assert page(client, "KNOWN", as_of=then)["state"] == "done"
    assert page(client, "KNOWN")["state"] == "done"
    assert breaches(client, "KNOWN") == []
    (kept,) = breaches(client, "KNOWN", state="all")
    assert (kept["state"], kept["breach_id"]) == ("retracted", opened["breach_id"])
    assert kept["retracted_at"] > opened["detected_at"]


def test_a_late_link_re_scores_an_old_verdict_and_a_retracted_one_brings_it_back(client: httpx.Client) -> None:
    send(
        client,
        event(ERP, "link-1", "order_accepted", T0, order_id="LINK"),
        event(WMS, "link-2", "shipment_confirmed", T0 + HOUR, order_id="LINK", shipment_id="LINK-S"),
        event(ERP, "link-3", "invoice_released", T0 + 1.5 * HOUR, invoice_id="LINK-I"),
    )
    assert page(client, "LINK")["state"] == "late"
    (opened,) = breaches(client, "LINK")
    assert (opened["rule"], opened["object_id"], opened["state"]) == ("ship-to-invoice", "LINK-S", "open")

    link = {"from": "invoice:LINK-I", "to": "shipment:LINK-S", "relation": "bills"}
    linked = T0 + 24 * HOUR
    send(client, event(ERP, "link-4", "invoice_delivered", linked, invoice_id="LINK-I", links=[link]))
    stopped = clock(client, "LINK", "ship-to-invoice")
    assert (stopped["state"], stopped["used_s"]) == ("stopped", 1800)
    assert page(client, "LINK")["state"] == "done"
    assert page(client, "LINK", as_of=rfc3339(linked))["state"] == "done"
    assert page(client, "LINK", as_of=rfc3339(linked - MS))["state"] == "late"
    (retracted,) = breaches(client, "LINK", state="all")
    assert (retracted["state"], retracted["breach_id"]) == ("retracted", opened["breach_id"])

    taken_back = T0 + 48 * HOUR
    wrong = {**link, "retract": True}
    send(client, event(ERP, "link-5", "invoice_delivered", taken_back, invoice_id="LINK-I", links=[wrong]))
    assert page(client, "LINK")["state"] == "late"
    assert clock(client, "LINK", "ship-to-invoice")["state"] == "running"
    assert page(client, "LINK", as_of=rfc3339(taken_back - MS))["state"] == "done"
    (again,) = breaches(client, "LINK", state="all")
    assert (again["state"], again["breach_id"]) == ("open", opened["breach_id"])
    assert again["retracted_at"] is None


def test_a_link_heard_before_its_retraction_or_after_it_ends_the_same(client: httpx.Client) -> None:
    link = {"from": "invoice:SWAP-I", "to": "shipment:SWAP-S", "relation": "bills"}
    told = event(ERP, "swap-4", "invoice_delivered", T0 + 24 * HOUR, invoice_id="SWAP-I", links=[link])
    wrong = {**link, "retract": True}
    taken_back = event(ERP, "swap-5", "invoice_delivered", T0 + 48 * HOUR, invoice_id="SWAP-I", links=[wrong])
    send(client, taken_back)
    send(client, told)
    send(client, event(ERP, "swap-3", "invoice_released", T0 + 1.5 * HOUR, invoice_id="SWAP-I"))
    send(client, event(WMS, "swap-2", "shipment_confirmed", T0 + HOUR, order_id="SWAP", shipment_id="SWAP-S"))
    send(client, event(ERP, "swap-1", "order_accepted", T0, order_id="SWAP"))
    assert page(client, "SWAP")["state"] == "late"
    assert page(client, "SWAP", as_of=rfc3339(T0 + 30 * HOUR))["state"] == "done"


def test_a_silent_feed_gives_unknown_and_late_once_it_has_passed_the_deadline(client: httpx.Client) -> None:
    asked = T0 + HOUR
    due = asked + HOUR
    send(
        client,
        event(ERP, "feed-1", "order_accepted", T0, order_id="FEED"),
        event(WMS, "feed-2", "shipment_confirmed", T0 + HOUR, order_id="FEED", shipment_id="FEED-S"),
        event(ERP, "feed-3", "fulfillment_requested", asked, order_id="FEED", fulfillment_id="FEED-F"),
        event(ERP, "feed-4", "invoice_released", asked, shipment_id="FEED-S", invoice_id="FEED-I"),
        event(ERP, "feed-5", "order_accepted", T0, order_id="FEED-2"),
        event(ERP, "feed-6", "fulfillment_requested", asked, order_id="FEED-2", fulfillment_id="FEED-2F"),
        event(WMS, "feed-7", "shipment_confirmed", T0 + HOUR, order_id="FEED-2", shipment_id="FEED-2S"),
    )

    def verdict() -> str:
        return str(clock(client, "FEED-2", "request-to-pick")["verdict"])

    def late_picks() -> list[str]:
        return [b["state"] for b in breaches(client, "FEED-2") if b["rule"] == "request-to-pick"]

    assert (verdict(), late_picks()) == ("unknown", [])
    (feed,) = [f for f in client.get("/v1/feeds").json()["feeds"] if f["connection"] == "far-away"]
    assert (feed["state"], feed["watermark"]) == ("late", None)
    time.sleep(0.05)
    deaf = rfc3339(datetime.now(UTC))
    time.sleep(0.05)

    send(client, event(FAR, "beat-1", "heartbeat", due))
    assert (verdict(), late_picks()) == ("unknown", []), "heard up to the deadline, not beyond it"
    send(client, event(FAR, "beat-2", "heartbeat", due + timedelta(seconds=1)))
    assert (verdict(), late_picks()) == ("late", ["open"])
    then = rfc3339(T0 + 5 * HOUR)
    assert clock(client, "FEED-2", "request-to-pick", as_of=then)["verdict"] == "late"
    assert clock(client, "FEED-2", "request-to-pick", as_of=then, known_at=deaf)["verdict"] == "unknown"
    assert clock(client, "FEED", "request-to-pick")["state"] == "ended", "what is done waits for nothing"
    send(client, event(FAR, "pick-1", "picked", asked + 0.5 * HOUR, fulfillment_id="FEED-2F"))
    assert late_picks() == [], "it was picked in time and told late"
    told = [b for b in breaches(client, "FEED-2", state="retracted") if b["rule"] == "request-to-pick"]
    assert len(told) == 1
