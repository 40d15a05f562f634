"""`/v1/subscriptions`: who wants to hear of what. People see and change their own, administrators everybody's.

What is written here are facts; the engine reads them and is the one that tells. The audit has each before it is kept.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from rules.model import Template
from tower.alerts import subscription as facts
from tower.alerts.body import body_of
from tower.alerts.links import Links
from tower.alerts.notice import SUMMARY, Notice
from tower.alerts.personal import personal_of
from tower.alerts.preview import dry_run, read_week
from tower.alerts.subscribers import records
from tower.alerts.subscription import Subscription, fold
from tower.alerts.wish import Wish, problems
from tower.api.alerts import NoticeQuery
from tower.api.auth import Caller
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.listing import read_listing
from tower.api.wire import Json, instant
from tower.commands.replay_door import Record, entry
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.store.keys import Keys

MOST_LIVE, MOST_A_DAY, SHOWN = 50, 100, 20
WINDOW = timedelta(days=7)
SubscriptionId = Annotated[str, Path(max_length=64)]
_Text = Annotated[str, Field(max_length=200)]
_WISH: dict[str, Any] = {
    "label": "Late orders of ACME", "when": {"customer_id": "ACME"}, "above": "25000", "currency": "EUR",
    "states": ["late", "failing"], "channel": "inbox", "address": "", "deliver": "at_once", "daily_at": "07:30",
    "quiet": {"mon-sun": ["22:00-07:00"]}, "zone": "Europe/Berlin",
}  # fmt: skip
_ROW: dict[str, Any] = {
    "subscription_id": "0b7c", "owner": "ann", **_WISH, "state": "active", "created_at": "2026-11-23T09:00:00.000Z",
    "confirmed_at": None, "ended_at": None, "ended_by": "", "told": 3, "told_at": "2026-11-23T11:00:00.000Z",
}  # fmt: skip
_PREVIEW: dict[str, Any] = {
    "since": "2026-11-16T09:00:00.000Z", "until": "2026-11-23T09:00:00.000Z", "notices": 4, "held_back": 0, "orders": 9,
    "per_day": [{"day": "2026-11-20", "notices": 4}], "whole": True,
    "latest": [{"at": "2026-11-20T07:30:00.000Z", "reason": "new", "title": "P1 ship-to-invoice: 2 open (first notice)",
                "orders": ["SO-1", "SO-2"], "held": False}],
}  # fmt: skip


class NewSubscription(BaseModel):
    """What to hear of, by which way, and when. `when`: matchers in the words of a route."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _WISH})

    label: Annotated[str, Field(min_length=1, max_length=120)]
    when: Annotated[dict[str, Any], Field(description="customer_id, customer_tier, order_id, stage, channel ...")] = {}
    above: Annotated[_Text, Field(description="Only orders worth more than this, in `currency`")] = ""
    currency: Annotated[str, Field(max_length=3, description="Default: the reporting currency")] = ""
    states: Annotated[list[_Text], Field(max_length=8, description="failing, late, diverging; none: all")] = []
    channel: Annotated[_Text, Field(description="A way that the rulebook allows: inbox, mailto, sms")] = "inbox"
    address: Annotated[str, Field(max_length=254, description="For all but the inbox; it is asked first")] = ""
    deliver: Annotated[_Text, Field(description="at_once, hourly, or daily at `daily_at`")] = "at_once"
    daily_at: _Text = "07:30"
    quiet: Annotated[dict[str, list[str]], Field(max_length=7, description="Hours in which nothing is said")] = {}
    zone: Annotated[_Text, Field(description="IANA zone of quiet hours and daily_at")] = "UTC"

    def wish(self) -> Wish:
        """Return it as it is kept."""
        return Wish(**{**self.model_dump(), "states": tuple(self.states)})


class SubscriptionQuery(BaseModel):
    """Which subscriptions. Ended ones are left out unless `state` is all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[str | None, Field(pattern="^(live|all)$")] = None
    owner: Annotated[str | None, Field(max_length=64, description="For administrators: of this key alone")] = None


def subscription_routes(context: ApiContext, keys: Keys, links: Links, record: Record) -> list[BaseRoute]:
    """Return the routes of subscriptions."""
    router = APIRouter(tags=["subscriptions"])
    desk = _Desk(context, keys, links, record)

    @router.get(
        "/v1/subscriptions",
        summary="Subscriptions: one's own, or everybody's",
        responses=answers({"subscriptions": [_ROW], "allow": ["inbox"], "currency": "EUR", "templates": []}, 400),
    )
    def list_subscriptions(who: Caller, query: Annotated[SubscriptionQuery, Query()]) -> Response:
        """List them with their state, what each was told, the ways that the rulebook allows and what it offers.

        state: active, waiting (the address has not said yes), asleep (its key has ended), not_allowed (the rulebook no
        longer allows the way), ended.
        """
        owner = query.owner or "" if "admin" in who.roles else who.name
        found = [s for s in desk.read(owner=owner).values() if s.live or query.state == "all"]
        book = context.book()
        return Json(
            {
                "subscriptions": desk.rows(sorted(found, key=lambda s: (s.created_at, s.subscription_id))),
                "allow": book.subscriptions.allow,
                "currency": book.value.currency,
                "templates": [_template(t) for t in book.subscriptions.templates],
            }
        )

    @router.post(
        "/v1/subscriptions/preview",
        summary="What a subscription would have sent in the last seven days",
        responses=answers(_PREVIEW, 400),
    )
    def preview(who: Caller, wanted: NewSubscription) -> Response:
        """Play the last week through the routing that would run it; nothing is kept and nobody is told."""
        return Json(desk.preview(who, wanted.wish()))

    @router.post(
        "/v1/subscriptions",
        status_code=201,
        summary="Subscribe",
        responses=answers(_ROW, 400, 409, 429, 503, status=201),
    )
    def create(who: Caller, wanted: NewSubscription) -> Response:
        """Subscribe; an address is asked first and hears nothing until somebody there says yes."""
        return Json(desk.create(who, wanted.wish()), status_code=201)

    @router.get(
        "/v1/subscriptions/{subscription_id}",
        summary="One subscription and what it was told",
        responses=answers({**_ROW, "sent": []}, 404),
    )
    def show(who: Caller, subscription_id: SubscriptionId) -> Response:
        """Show it with its last notices."""
        one = desk.own(who, subscription_id)
        sent, _cursor = read_listing(
            context, "api_notices", NoticeQuery(limit=50), ["receiver = {receiver:String}"], {"receiver": one.receiver}
        )
        return Json({**desk.rows([one])[0], "sent": sent})

    @router.put(
        "/v1/subscriptions/{subscription_id}",
        summary="Change a subscription",
        responses=answers(_ROW, 400, 404, 409, 429, 503),
    )
    def change(who: Caller, subscription_id: SubscriptionId, wanted: NewSubscription) -> Response:
        """Change it; another address is asked anew, and so is one that has not said yes yet."""
        return Json(desk.change(who, subscription_id, wanted.wish()))

    @router.delete(
        "/v1/subscriptions/{subscription_id}",
        summary="End a subscription",
        responses=answers({**_ROW, "state": "ended"}, 404, 503),
    )
    def end(who: Caller, subscription_id: SubscriptionId) -> Response:
        """End it for good; nothing further is told."""
        return Json(desk.end(who, subscription_id))

    return list(router.routes)


class _Desk:
    """What the endpoints do."""

    def __init__(self, context: ApiContext, keys: Keys, links: Links, record: Record) -> None:
        self._context, self._keys, self._links, self._record = context, keys, links, record

    def read(self, *, owner: str = "", subscription_id: str = "") -> dict[str, Subscription]:
        return read_subscriptions(self._context, owner=owner, subscription_id=subscription_id)

    def own(self, who: Principal, subscription_id: str) -> Subscription:
        """Return a subscription that the caller may manage; Problem 404 for any other."""
        one = self.read(subscription_id=subscription_id).get(subscription_id)
        if one is None or not (one.owner == who.name or "admin" in who.roles):
            raise Problem(404, "not_found", f"there is no subscription {subscription_id!r} of yours")
        return one

    def rows(self, found: list[Subscription]) -> list[dict[str, Any]]:
        """Return subscriptions as they go over the wire."""
        owners, _ = self._keys.owners()
        with self._context.store.reader() as client:
            names = {"receivers": [s.receiver for s in found]}
            told = {row["receiver"]: row for row in (records(client, "subscriptions_told", names) if found else [])}
        allow = self._context.book().subscriptions.allow
        return [_row(s, _state(s, owners, allow), told.get(s.receiver, {})) for s in found]

    def preview(self, who: Principal, wish: Wish) -> dict[str, Any]:
        context, now = self._context, self._context.clock()
        self._check(replace_way(wish))
        book, since = context.book(), now - WINDOW
        one = Subscription("preview", who.name, replace_way(wish), since, since, 0)
        open_book = replace(book, subscriptions=replace(book.subscriptions, allow=("inbox",)))
        personal = personal_of([one], open_book, {who.name: who}, context.connections, now)
        with context.store.reader() as client:
            breaches = read_week(client, book, context.connections, since)
        seen = dry_run(book, personal, breaches, since, now)
        days = Counter(n.at.date().isoformat() for n in seen.notices if not n.held)
        orders = {b.text("order_id") for n in seen.notices for b in n.opened} - {""}
        return {
            "since": instant(since), "until": instant(now), "notices": days.total(),
            "held_back": sum(n.held for n in seen.notices), "orders": len(orders),
            "per_day": [{"day": day, "notices": count} for day, count in sorted(days.items())],
            "latest": [_told(n, book.value.currency) for n in reversed(seen.notices[-SHOWN:])], "whole": seen.whole,
        }  # fmt: skip

    def create(self, who: Principal, wish: Wish) -> dict[str, Any]:
        self._check(wish, sends=True)
        if sum(s.live for s in self.read(owner=who.name).values()) >= MOST_LIVE:
            raise Problem(409, "too_many", f"{who.name!r} has {MOST_LIVE} subscriptions; end one first, or join two")
        subscription_id = uuid.uuid4().hex[:16]
        self._say(who, facts.CREATED, subscription_id, who.name, wish)
        return self.rows([self.own(who, subscription_id)])[0]

    def change(self, who: Principal, subscription_id: str, wish: Wish) -> dict[str, Any]:
        one = self._live(who, subscription_id)
        self._check(wish, sends=True)
        self._say(who, facts.CHANGED, subscription_id, one.owner, wish)
        return self.rows([self.own(who, subscription_id)])[0]

    def end(self, who: Principal, subscription_id: str) -> dict[str, Any]:
        one = self.own(who, subscription_id)
        if one.live:
            self._record([entry(who.name, "end_subscription", one.receiver, owner=one.owner)])
            keep_fact(self._context, facts.ENDED, one, who.name, {})
        return self.rows([self.own(who, subscription_id)])[0]

    def _live(self, who: Principal, subscription_id: str) -> Subscription:
        one = self.own(who, subscription_id)
        if not one.live:
            raise Problem(409, "ended", "the subscription has ended; make a new one")
        return one

    def _check(self, wish: Wish, *, sends: bool = False) -> None:
        wrong = problems(wish, self._context.book(), self._context.clock().date())
        if wrong:
            named = [{"field": field, "detail": detail} for field, detail in wrong]
            raise Problem(400, "bad_request", "; ".join(f"{field}: {detail}" for field, detail in wrong), errors=named)
        if sends and wish.channel != "inbox" and not self._links.can:
            raise Problem(
                409, "no_public_url",
                "notices to an address need links to end them, and TOWER_PUBLIC_URL is not set; choose the inbox",
            )  # fmt: skip

    def _say(self, who: Principal, fact: str, subscription_id: str, owner: str, wish: Wish) -> None:
        """Keep a wish; the audit has what it is about and not whose address it goes to."""
        now = self._context.clock()
        sql = "SELECT count() FROM subscription_facts WHERE owner = {owner:String} AND at > {at:DateTime64(3, 'UTC')}"
        with self._context.store.reader() as client:
            recent = client.query(sql, parameters={"owner": owner, "at": now - timedelta(days=1)}).result_rows[0][0]
        if recent >= MOST_A_DAY:
            raise Problem(429, "too_often", f"{recent} changes within a day; try again tomorrow", retry_after_s=3600)
        act = "subscribe" if fact == facts.CREATED else "change_subscription"
        one = Subscription(subscription_id, owner, wish, now, now, 0)
        said = entry(
            who.name, act, one.receiver, owner=owner, label=wish.label, channel=wish.channel, when=wish.when,
            above=wish.above, currency=wish.currency, states=wish.states,
        )  # fmt: skip
        self._record([said])
        keep_fact(self._context, fact, one, who.name, wish)


def read_subscriptions(context: ApiContext, *, owner: str = "", subscription_id: str = "") -> dict[str, Subscription]:
    """Return subscriptions by id, ended ones too: of one owner, one of them, or all."""
    with context.store.reader() as client:
        return fold(records(client, "subscriptions_all", {"owner": owner, "id": subscription_id}))


def keep_fact(context: ApiContext, fact: str, one: Subscription, actor: str, body: Wish | Mapping[str, Any]) -> None:
    """Add a fact about a subscription and wake the engine."""
    text = msgspec.json.encode(body).decode()
    row = [one.subscription_id, time.time_ns() // 1000, fact, one.owner, actor, context.clock(), text]
    names = ["subscription_id", "revision", "fact", "owner", "actor", "at", "body"]
    with context.store.writer() as client:
        client.insert("subscription_facts", [row], column_names=names)
    context.progress.ring()


def replace_way(wish: Wish) -> Wish:
    """Return a wish whose notices stay inside, for a look at what they would be."""
    return msgspec.structs.replace(wish, channel="inbox", address="")


def _state(one: Subscription, owners: Mapping[str, Principal], allow: tuple[str, ...]) -> str:
    if not one.live:
        return "ended"
    if one.owner not in owners:
        return "asleep"
    if one.wish.channel not in allow:
        return "not_allowed"
    return "active" if one.confirmed else "waiting"


def _row(one: Subscription, state: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subscription_id": one.subscription_id, "owner": one.owner, **msgspec.structs.asdict(one.wish), "state": state,
        "created_at": instant(one.created_at), "confirmed_at": instant(one.confirmed_at),
        "ended_at": instant(one.ended_at), "ended_by": one.ended_by, "told": told.get("told", 0),
        "told_at": instant(told.get("told_at")),
    }  # fmt: skip


def _template(template: Template) -> dict[str, Any]:
    above = format(template.above, "f") if isinstance(template.above, Decimal) else ""
    return {
        "name": template.name, "label": template.label, "when": template.when, "above": above,
        "currency": template.currency, "states": template.states, "deliver": template.deliver,
    }  # fmt: skip


def _told(notice: Notice, currency: str) -> dict[str, Any]:
    orders = dict.fromkeys(b.text("order_id") for b in notice.opened if b.text("order_id"))
    title = body_of(notice, "", currency)["data"]["title"]
    return {
        "at": instant(notice.at), "reason": notice.reason, "title": title, "orders": list(orders)[:SHOWN],
        "held": notice.held and notice.reason != SUMMARY,
    }  # fmt: skip
