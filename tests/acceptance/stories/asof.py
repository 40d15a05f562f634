"""Two times: what had happened by a moment, and what was known by one.

To judge as of a moment costs as much as a tick, so the stories turn on the same few moments and ask in the same step.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.events import breaches, clock, event, rfc3339
from tests.acceptance.telling import Story, World

T0 = (datetime.now(UTC) - timedelta(days=10)).replace(microsecond=0)
HOUR, MS = timedelta(hours=1), timedelta(milliseconds=1)
LINKED, TAKEN_BACK = T0 + 24 * HOUR, T0 + 48 * HOUR
ERP, WMS, FAR = "/erp/main", "/wms/berlin", "/3pl/far-away"


def state(world: World, order: str, **moment: datetime) -> str:
    """Return the state of an order on the board of a moment."""
    return str(world.board(**at(**moment))[order]["state"])


def at(**moment: datetime) -> dict[str, str]:
    """Return a moment as the API is asked for it."""
    return {name: rfc3339(instant) for name, instant in moment.items()}


def an_event_at_exactly_t_has_happened_by_t(world: World) -> Story:
    shipped = LINKED + HOUR
    yield [
        event(ERP, "exact-1", "order_accepted", LINKED, order_id="EXACT"),
        event(WMS, "exact-2", "shipment_confirmed", shipped, order_id="EXACT", shipment_id="EXACT-S"),
    ]
    yield []
    assert "EXACT" in world.board(as_of=rfc3339(LINKED))
    assert "EXACT" not in world.board(as_of=rfc3339(LINKED - MS))
    stopped = clock(world.client, "EXACT", "accept-to-ship", as_of=rfc3339(shipped))
    assert (stopped["state"], stopped["used_s"]) == ("stopped", 3600)


def a_deadline_at_exactly_t_is_not_missed_yet(world: World) -> Story:
    due = LINKED - MS
    yield [event(ERP, "edge-1", "order_accepted", due - 2 * HOUR, order_id="EDGE")]
    (breach,) = breaches(world.client, "EDGE")
    assert (breach["state"], breach["opened_at"]) == ("open", rfc3339(due))
    assert breach["detected_at"] > breach["opened_at"]
    yield []
    assert state(world, "EDGE", as_of=due) == "on_track"
    assert state(world, "EDGE", as_of=due + MS) == "late"


def known_at_forgets_what_was_received_later(world: World) -> Story:
    """The shipment was confirmed in time and heard of after the deadline: the order was late only to our knowledge."""
    yield [event(ERP, "known-1", "order_accepted", T0, order_id="KNOWN")]
    ignorant = world.judged_at
    (opened,) = breaches(world.client, "KNOWN")
    assert opened["state"] == "open"
    yield [
        event(WMS, "known-2", "shipment_confirmed", T0 + HOUR, order_id="KNOWN", shipment_id="KNOWN-S"),
        event(ERP, "known-3", "invoice_released", T0 + HOUR, shipment_id="KNOWN-S", invoice_id="KNOWN-I"),
    ]
    assert state(world, "KNOWN", as_of=LINKED, known_at=ignorant) == "late"
    assert state(world, "KNOWN", known_at=ignorant) == "late"
    assert state(world, "KNOWN", as_of=LINKED) == "done"
    assert state(world, "KNOWN") == "done"
    assert breaches(world.client, "KNOWN") == []
    (kept,) = breaches(world.client, "KNOWN", state="all")
    assert (kept["state"], kept["breach_id"]) == ("retracted", opened["breach_id"])
    assert kept["retracted_at"] > opened["detected_at"]


def a_late_link_re_scores_an_old_verdict_and_a_retracted_one_brings_it_back(world: World) -> Story:
    yield [
        event(ERP, "link-1", "order_accepted", T0, order_id="LINK"),
        event(WMS, "link-2", "shipment_confirmed", T0 + HOUR, order_id="LINK", shipment_id="LINK-S"),
        event(ERP, "link-3", "invoice_released", T0 + 1.5 * HOUR, invoice_id="LINK-I"),
    ]
    assert state(world, "LINK") == "late"
    (opened,) = breaches(world.client, "LINK")
    assert (opened["rule"], opened["object_id"], opened["state"]) == ("ship-to-invoice", "LINK-S", "open")

    link = {"from": "invoice:LINK-I", "to": "shipment:LINK-S", "relation": "bills"}
    yield [event(ERP, "link-4", "invoice_delivered", LINKED, invoice_id="LINK-I", links=[link])]
    stopped = clock(world.client, "LINK", "ship-to-invoice")
    assert (stopped["state"], stopped["used_s"]) == ("stopped", 1800)
    assert state(world, "LINK") == "done"
    assert state(world, "LINK", as_of=LINKED) == "done"
    assert state(world, "LINK", as_of=LINKED - MS) == "late"
    (retracted,) = breaches(world.client, "LINK", state="all")
    assert (retracted["state"], retracted["breach_id"]) == ("retracted", opened["breach_id"])

    wrong = {**link, "retract": True}
    yield [event(ERP, "link-5", "invoice_delivered", TAKEN_BACK, invoice_id="LINK-I", links=[wrong])]
    assert state(world, "LINK") == "late"
    assert clock(world.client, "LINK", "ship-to-invoice")["state"] == "running"
    assert state(world, "LINK", as_of=TAKEN_BACK - MS) == "done"
    (again,) = breaches(world.client, "LINK", state="all")
    assert (again["state"], again["breach_id"]) == ("open", opened["breach_id"])
    assert again["retracted_at"] is None


def a_link_heard_before_its_retraction_or_after_it_ends_the_same(world: World) -> Story:
    link = {"from": "invoice:SWAP-I", "to": "shipment:SWAP-S", "relation": "bills"}
    wrong = {**link, "retract": True}
    yield [event(ERP, "swap-5", "invoice_delivered", TAKEN_BACK, invoice_id="SWAP-I", links=[wrong])]
    yield [event(ERP, "swap-4", "invoice_delivered", LINKED, invoice_id="SWAP-I", links=[link])]
    yield [
        event(ERP, "swap-3", "invoice_released", T0 + 1.5 * HOUR, invoice_id="SWAP-I"),
        event(WMS, "swap-2", "shipment_confirmed", T0 + HOUR, order_id="SWAP", shipment_id="SWAP-S"),
        event(ERP, "swap-1", "order_accepted", T0, order_id="SWAP"),
    ]
    assert state(world, "SWAP") == "late"
    assert state(world, "SWAP", as_of=TAKEN_BACK - MS) == "done"


def a_silent_feed_gives_unknown_and_late_once_it_has_passed_the_deadline(world: World) -> Story:
    asked = T0 + HOUR
    due = asked + HOUR
    yield [
        event(ERP, "feed-1", "order_accepted", T0, order_id="FEED"),
        event(WMS, "feed-2", "shipment_confirmed", T0 + HOUR, order_id="FEED", shipment_id="FEED-S"),
        event(ERP, "feed-3", "fulfillment_requested", asked, order_id="FEED", fulfillment_id="FEED-F"),
        event(ERP, "feed-4", "invoice_released", asked, shipment_id="FEED-S", invoice_id="FEED-I"),
        event("/commerce/web", "feed-5", "order_captured", T0, order_id="FEED-2"),
        event(ERP, "feed-6", "fulfillment_requested", asked, order_id="FEED-2", fulfillment_id="FEED-2F"),
        event(FAR, "beat-1", "heartbeat", due),
    ]

    def late_picks() -> list[str]:
        return [b["state"] for b in breaches(world.client, "FEED-2") if b["rule"] == "request-to-pick"]

    assert (state(world, "FEED-2"), late_picks()) == ("unknown", []), "heard up to the deadline, not beyond it"
    (feed,) = [f for f in world.client.get("/v1/feeds").json()["feeds"] if f["connection"] == "far-away"]
    assert (feed["state"], feed["watermark"]) == ("late", rfc3339(due))
    deaf = world.judged_at
    yield [event(FAR, "beat-2", "heartbeat", due + timedelta(seconds=1))]
    assert (state(world, "FEED-2"), late_picks()) == ("late", ["open"])
    assert state(world, "FEED-2", as_of=LINKED) == "late"
    assert state(world, "FEED-2", as_of=LINKED, known_at=deaf) == "unknown"
    assert state(world, "FEED") == "done", "what is done waits for nothing"
    yield [event(FAR, "pick-1", "picked", asked + 0.5 * HOUR, fulfillment_id="FEED-2F")]
    assert late_picks() == [], "it was picked in time and told late"
    told = [b for b in breaches(world.client, "FEED-2", state="retracted") if b["rule"] == "request-to-pick"]
    assert len(told) == 1
