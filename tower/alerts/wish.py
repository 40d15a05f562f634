"""What a person who subscribes asks for: of what, by which way, when. Pure: checked by the book, made a matcher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from rules.calendar import Calendar
from rules.errors import RulebookError, closest
from rules.hours import read_hours
from rules.match import OF_BREACHES, parse_when
from rules.model import Book, Condition, When
from rules.rates import rate_of
from rules.vocabulary import DELIVERIES, STATE_KINDS

MOST_MATCHERS = 20
_MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+)")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY_S = 86_400
Found = Iterator[tuple[str, str]]  # field, what is wrong with it and what to do


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """when: matchers in the words of routes. above: only orders worth more than that, in currency.

    states: order states, any of them; none: all. quiet: hours of the zone in which nothing is said, as a calendar has
    them. daily_at: local time of the daily digest.
    """

    label: str = ""
    when: dict[str, Any] = {}
    above: str = ""
    currency: str = ""
    states: tuple[str, ...] = ()
    channel: str = "inbox"
    address: str = ""
    deliver: str = "at_once"
    daily_at: str = "07:30"
    quiet: dict[str, list[str]] = {}
    zone: str = "UTC"


def problems(wish: Wish, book: Book, on: date) -> list[tuple[str, str]]:
    """Return what keeps a wish from being granted: field, and what is wrong with it and what to do."""
    return [*_content(wish, book, on), *_way(wish, book), *_times(wish)]


def _content(wish: Wish, book: Book, on: date) -> Found:
    wrong: list[tuple[str, str]] = []
    parse_when(wish.when, lambda k, p, h: wrong.append((f"when.{k}" if k else "when", f"{p}. {h}")), OF_BREACHES)
    yield from wrong
    if len(wish.when) > MOST_MATCHERS:
        yield "when", f"at most {MOST_MATCHERS} matchers; write lists instead"
    for state in wish.states:
        if state not in STATE_KINDS:
            yield "states", f"nobody is told of the state {state!r}. {closest(state, tuple(STATE_KINDS))}"
    if wish.above:
        if not _amount(wish.above):
            yield "above", f"{wish.above!r} is no amount above 0. Write for example 25000.50"
        if rate_of(book.value, wish.currency or book.value.currency, on) is None:
            known = sorted({book.value.currency, *(r.currency for r in book.value.rates)})
            yield "currency", f"the book has no rate for {wish.currency!r}. It has {', '.join(known)}"
    elif wish.currency:
        yield "currency", "a currency belongs to an amount. Write above beside it"
    if not (wish.when or wish.states or wish.above):
        yield "when", "say what to hear of: matchers, states or an amount. Everything is no subscription"


def _way(wish: Wish, book: Book) -> Found:
    if wish.channel not in book.subscriptions.allow:
        allowed = ", ".join(book.subscriptions.allow) or "none"
        yield "channel", f"the rulebook does not allow {wish.channel!r} for subscriptions. Allowed: {allowed}"
    elif wish.channel == "inbox":
        if wish.address:
            yield "address", "the inbox needs no address. Leave it out"
    elif wish.channel == "sms":
        if not _NUMBER.fullmatch(wish.address):
            yield "address", "that is no telephone number. Write it with its country: +4915112345678"
    else:
        match, domains = _MAIL.fullmatch(wish.address), book.subscriptions.domains
        if match is None:
            yield "address", "that is no mail address. Write for example ann@example.com"
        elif domains and match[1].lower() not in domains:
            yield "address", f"the rulebook allows mail to {', '.join(domains)} only"


def _times(wish: Wish) -> Found:
    if wish.deliver not in DELIVERIES:
        yield "deliver", f"{wish.deliver!r} is none of {', '.join(DELIVERIES)}"
    if not _TIME.fullmatch(wish.daily_at):
        yield "daily_at", f"{wish.daily_at!r} is no time of day. Write for example 07:30"
    try:
        ZoneInfo(wish.zone)
    except (KeyError, ValueError, OSError):
        yield "zone", f"{wish.zone!r} is no time zone. Write an IANA name, for example Europe/Berlin"
        return
    if not wish.quiet:
        return
    try:
        weekly = read_hours({"zone": wish.zone, "open": wish.quiet}).weekly
    except RulebookError as error:
        yield "quiet", "; ".join(f"{p.key}: {p.problem}. {p.hint}" for p in error.problems)
        return
    if sum(end - start for day in weekly for start, end in day) >= 7 * _DAY_S:
        yield "quiet", "it would be quiet always. Leave some hours, or end the subscription"
    elif wish.deliver == "daily":
        at = int(wish.daily_at[:2]) * 3600 + int(wish.daily_at[3:]) * 60 if _TIME.fullmatch(wish.daily_at) else -1
        if all(_covers(weekly, day, at) for day in range(7)):
            yield "daily_at", "that time lies in the quiet hours of every day. Choose another"


def _covers(weekly: tuple[tuple[tuple[int, int], ...], ...], day: int, at: int) -> bool:
    """Return whether a second of a weekday lies in a span of it, or in one that began the day before."""
    before = weekly[(day - 1) % 7]
    return any(s <= at < e for s, e in weekly[day]) or any(s <= at + _DAY_S < e for s, e in before)


def calendar_of(wish: Wish, name: str) -> Calendar:
    """Return the quiet hours as a calendar that is open while it is quiet. Raises RulebookError."""
    return Calendar.from_config({"zone": wish.zone, "open": wish.quiet}, name)


def matcher_of(wish: Wish, book: Book, on: date) -> When | None:
    """Return the wish as one matcher of breaches; None where the book has no rate for its amount."""
    when = parse_when(wish.when, _ignore, OF_BREACHES)
    also: list[Condition] = []
    if wish.states:
        kinds = [kind for state in wish.states for kind in STATE_KINDS.get(state, ())]
        also.append(Condition("kind", "in", tuple(kinds)))
    if wish.above:
        rate = rate_of(book.value, wish.currency or book.value.currency, on)
        if rate is None:
            return None
        also.append(Condition("amount", ">", number=Decimal(wish.above) * rate))
    return narrowed(when, also)


def narrowed(when: When, also: list[Condition]) -> When:
    """Return a matcher that holds where `when` and each of the conditions do."""
    if not also:
        return when
    return replace(when, any_of=tuple((*group, *also) for group in when.any_of or ((),)))


def _amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and 0 < amount < Decimal(10) ** 24


def _ignore(_key: str, _problem: str, _hint: str) -> None:
    """A wish was checked when it was granted."""
