"""What a person may ask for, what it matches, and what its facts add up to: pure tables."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from rules.match import holds
from rules.parse import parse_book
from tests.alerts.stage import T0, breach
from tests.rules.test_broken import BASE
from tower.alerts.breach import Breach
from tower.alerts.letter import Letter
from tower.alerts.links import CONFIRM, END, LASTS, Link, LinkError, Links
from tower.alerts.notice import Notice
from tower.alerts.personal import Personal, personal_of
from tower.alerts.preview import dry_run
from tower.alerts.subscription import Subscription, fold
from tower.alerts.wish import Wish, problems
from tower.model.connections import Connections
from tower.model.principal import Principal

BOOK = parse_book(
    {
        "base.yaml": BASE,
        "routes.yaml": """
value: {currency: EUR, rates: [{currency: USD, rate: "0.80", since: "2020-01-01"}, {currency: USD, rate: "0.90", since: "2026-06-01"}]}
subscriptions:
  allow: [inbox, mailto]
  through: {mailto: env:TOWER_SECRET_MAIL}
  domains: [example.com]
  cap: {notices: 3, per: 1h}
""",
    }
)
DAY = date(2026, 11, 23)
ANN = Principal("ann", frozenset({"viewer"}))
ACME = Principal("acme", frozenset({"viewer"}), frozenset(), frozenset({"partner=ACME"}))


def of(owner: str = "ann", since: datetime = T0 - timedelta(days=9), **wish: Any) -> Subscription:
    return Subscription("s1", owner, Wish(label="mine", **wish), since, since, 0)


def personal(one: Subscription, who: Principal = ANN) -> Personal:
    return personal_of([one], BOOK, {who.name: who}, Connections(), T0)


def played(
    one: Subscription, acts: list[tuple[int, str, str, dict[str, Any]]], hours: int, who: Principal = ANN
) -> list[Notice]:
    """Return the notices of breaches (minute, name, open or resolved, facts) from T0 on."""
    found: dict[str, Breach] = {}
    for minute, name, state, facts in acts:
        at = T0 + timedelta(minutes=minute)
        old = found.get(name)
        found[name] = (
            breach(name, at, **facts)
            if old is None
            else Breach(name, state, old.opened_at, old.detected_at, at, old.facts)
        )
    return list(dry_run(BOOK, personal(one, who), list(found.values()), T0, T0 + timedelta(hours=hours)).notices)


def said(notices: list[Notice]) -> list[str]:
    return [
        f"{int((n.at - T0).total_seconds() // 60)} {n.reason}{' held' if n.held else ''}: {' '.join(sorted(b.breach_id for b in n.opened))}".strip(
            ": "
        )
        for n in notices
    ]


RICH = {"amount": "120000", "customer_id": "ACME", "customer_tier": "strategic", "channel": "edi", "partner": "ACME"}


@pytest.mark.parametrize(
    ("wish", "facts", "hears"),
    [
        ({"when": {"customer_id": "ACME"}}, RICH, True),
        ({"when": {"customer_id": "BETA"}}, RICH, False),
        ({"when": {"customer_tier": ["strategic", "key"]}}, RICH, True),
        ({"when": {"order_id": "b1"}}, RICH, True),
        ({"when": {"stage": "pick"}}, RICH, False),
        ({"when": {"channel": "edi", "partner": "ACME"}}, RICH, True),
        ({"when": {"any": [{"channel": "web"}, {"partner": "ACME"}]}, "states": ("late",)}, RICH, True),
        ({"states": ("late",)}, RICH, True),
        ({"states": ("failing",)}, RICH, False),
        ({"states": ("diverging",)}, {**RICH, "kind": "duplicate"}, True),
        ({"above": "100000"}, RICH, True),
        ({"above": "120000"}, RICH, False),
        ({"above": "100000"}, {}, False),  # worth nothing that is known
        ({"above": "133333", "currency": "USD"}, RICH, True),  # 119,999.70 EUR at the rate in force
        ({"above": "133334", "currency": "USD"}, RICH, False),
    ],
)
def test_what_a_subscription_hears_of(wish: dict[str, Any], facts: dict[str, Any], hears: bool) -> None:
    [root] = personal(of(**wish)).roots
    assert holds(root.when, breach("b1", T0, **facts).facts) is hears


def test_a_key_with_a_scope_hears_of_its_orders_only_whatever_it_asks_for() -> None:
    for when in (
        {"states": ("late",)},
        {"when": {"partner": ["ACME", "BETA"]}},
        {"when": {"any": [{"partner": "BETA"}, {"channel": "edi"}]}},
    ):
        [root] = personal(of("acme", **when), ACME).roots
        for partner, hears in (("ACME", True), ("BETA", False), ("", False)):
            assert holds(root.when, breach("b", T0, **{**RICH, "partner": partner}).facts) is hears
    everybody = {"s": of("acme", states=("late",))}
    assert (
        personal_of(everybody.values(), BOOK, {}, Connections(), T0) == Personal()
    )  # a key that has ended hears nothing


def test_at_once_tells_at_once_and_joins_what_follows_shortly() -> None:
    acts = [(1, "a", "open", {}), (2, "b", "open", {}), (3, "c", "open", {}), (400, "a", "resolved", {})]
    assert said(played(of(states=("late",)), acts, 5)) == ["1 new: a", "2 more: b", "3 more: c"]


def test_quiet_hours_hold_back_in_the_readers_zone_and_tell_what_still_lasts_when_they_end() -> None:
    """T0 is 10:00 UTC, 11:00 in Berlin: quiet from 11:30 to 13:00 there."""
    one = of(states=("late",), quiet={"mon": ["11:30-13:00"]}, zone="Europe/Berlin")
    acts = [(1, "a", "open", {}), (40, "b", "open", {}), (50, "c", "open", {}), (70, "c", "resolved", {})]
    assert said(played(one, acts, 4)) == ["1 new: a", "120 more: b"]


def test_a_digest_comes_once_an_hour_or_at_its_time_of_day() -> None:
    acts = [(1, "a", "open", {}), (30, "b", "open", {}), (70, "c", "open", {"system": "erp"})]
    assert said(played(of(states=("late",), deliver="hourly"), acts, 3)) == ["61 new: a b", "121 more: c"]
    daily = of(states=("late",), deliver="daily", daily_at="13:15", zone="Europe/Berlin")
    assert said(played(daily, acts, 3)) == ["135 new: a b c"]


def test_the_cap_of_the_book_holds_back_and_sums_up() -> None:
    acts = [(n, f"b{n}", "open", {"stage": f"s{n}"}) for n in range(1, 6)]
    assert said(played(of(states=("late",)), acts, 2)) == [
        "1 new: b1", "2 new: b2", "3 new: b3", "4 new held: b4", "5 new held: b5", "64 summary",
    ]  # fmt: skip


def test_what_began_before_the_subscription_is_history() -> None:
    old = Breach("old", "open", T0 - timedelta(days=1), T0 - timedelta(hours=1), None, breach("old", T0).facts)
    seen = dry_run(
        BOOK,
        personal(of(states=("late",))),
        [old, breach("new", T0 + timedelta(minutes=1))],
        T0,
        T0 + timedelta(hours=1),
    )
    assert said(list(seen.notices)) == ["1 new: new"] and seen.whole


@pytest.mark.parametrize(
    ("wish", "field", "says"),
    [
        ({}, "when", "Everything is no subscription"),
        ({"when": {"custmer_id": "A"}}, "when.custmer_id", "customer_id"),
        ({"states": ("lat",)}, "states", "late"),
        ({"states": ("at_risk",)}, "states", "nobody is told"),
        ({"above": "-1"}, "above", "no amount above 0"),
        ({"above": "1", "currency": "JPY"}, "currency", "no rate for 'JPY'"),
        ({"states": ("late",), "currency": "EUR"}, "currency", "belongs to an amount"),
        ({"states": ("late",), "channel": "sms", "address": "+4915112345678"}, "channel", "does not allow 'sms'"),
        ({"states": ("late",), "channel": "json://x"}, "channel", "does not allow"),
        ({"states": ("late",), "channel": "mailto", "address": "ann"}, "address", "no mail address"),
        ({"states": ("late",), "channel": "mailto", "address": "ann@example.com,b@x.io"}, "address", "no mail address"),
        ({"states": ("late",), "channel": "mailto", "address": "ann@evil.example"}, "address", "example.com only"),
        ({"states": ("late",), "address": "ann@example.com"}, "address", "the inbox needs no address"),
        ({"states": ("late",), "deliver": "weekly"}, "deliver", "at_once"),
        ({"states": ("late",), "daily_at": "25:00"}, "daily_at", "07:30"),
        ({"states": ("late",), "zone": "Mars/Base"}, "zone", "IANA"),
        ({"states": ("late",), "quiet": {"mon": ["26:00-27:00"]}}, "quiet", "open.mon"),
        ({"states": ("late",), "quiet": {"mon-sun": ["00:00-24:00"]}}, "quiet", "always"),
        (
            {"states": ("late",), "quiet": {"mon-sun": ["22:00-08:00"]}, "deliver": "daily"},
            "daily_at",
            "quiet hours of every day",
        ),
    ],
)
def test_what_cannot_be_granted_is_told_with_what_to_do(wish: dict[str, Any], field: str, says: str) -> None:
    [(found, detail)] = problems(Wish(label="x", **wish), BOOK, DAY)
    assert found == field and says in detail


def fact(number: int, name: str, body: Any, actor: str = "ann") -> dict[str, Any]:
    at = T0 + timedelta(minutes=number)
    return {"subscription_id": "s1", "revision": number, "fact": name, "owner": "ann", "actor": actor, "at": at,
            "body": msgspec.json.encode(body).decode()}  # fmt: skip


def test_an_address_counts_once_it_said_yes_and_another_one_is_asked_anew() -> None:
    mail = Wish(label="x", states=("late",), channel="mailto", address="ann@example.com")
    other = msgspec.structs.replace(mail, address="bob@example.com")
    created = [fact(1, "created", mail)]
    one = fold(created)["s1"]
    assert not one.confirmed and one.asked == 1
    yes = fact(2, "confirmed", {"address": one.address_key}, "link")
    assert fold([*created, yes])["s1"].confirmed
    assert not fold([*created, fact(2, "confirmed", {"address": "another"})])["s1"].confirmed
    renamed = fold([*created, yes, fact(3, "changed", msgspec.structs.replace(mail, label="y"))])["s1"]
    assert renamed.confirmed and renamed.wish.label == "y"
    moved = fold([*created, yes, fact(3, "changed", other)])["s1"]
    assert not moved.confirmed and moved.asked == 3
    assert not fold([*created, yes, fact(3, "changed", other), fact(4, "confirmed", {"address": one.address_key})])[
        "s1"
    ].confirmed
    ended = fold([*created, yes, fact(3, "ended", {}, "link"), fact(4, "changed", other)])["s1"]
    assert not ended.live and ended.ended_by == "link" and ended.wish == mail
    plan = personal(one)
    assert plan.roots == () and plan.asking == (one,)


def test_links_hold_for_their_purpose_and_time_and_not_when_changed() -> None:
    links, link = Links([b"k" * 32], "http://tower/"), Link(END, "s1", "a1")
    token = links.token(link, T0)
    assert links.read(END, token, T0 + LASTS[END] - timedelta(seconds=1)) == link
    assert links.make(link, T0).startswith("http://tower/link/unsubscribe?token=")
    assert Links([b"n" * 32, b"k" * 32], "").read(END, token, T0) == link  # after keys were changed over
    assert not Links([b"k" * 32], "").can
    changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    for purpose, text, at in (
        (END, changed, T0),
        (END, token, T0 + LASTS[END] + timedelta(seconds=1)),
        (CONFIRM, token, T0),
        (END, "ä" * 40, T0),
        (END, "", T0),
        (END, "x" * 5000, T0),
        (CONFIRM, links.token(Link(CONFIRM, "s1", "a1"), T0), T0 + timedelta(days=8)),
    ):
        with pytest.raises(LinkError):
            links.read(purpose, text, at)
    with pytest.raises(LinkError):
        Links([b"o" * 32], "").read(END, token, T0)


def test_a_letter_goes_to_its_person_alone_whatever_the_service_is_set_to() -> None:
    letter = Letter("ann+o2c@example.com", "below", {"List-Unsubscribe": "<http://x/?token=a&b>"})
    address = letter.addressed("mailtos://u:p%40ss@smtp.example:587/ops@x.io?from=tower@x.io&to=all@x.io&cc=boss@x.io")
    assert address == (
        "mailtos://u:p%40ss@smtp.example:587/?from=tower%40x.io&to=ann%2Bo2c%40example.com"
        "&+List-Unsubscribe=%3Chttp%3A%2F%2Fx%2F%3Ftoken%3Da%26b%3E"
    )
