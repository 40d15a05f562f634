"""What changed between two rulebooks, in business words: one line a difference, in the order of the book's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.calendar import Calendar
from rules.model import Anchor, Authority, Book, Budget, Done, Pause, Rate, Stage, Tier, When

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_LISTED_DATES = 8
_NOT_SAID = ("where", "text", "hash", "warnings")
# Part of the book -> what one of its entries is called.
_PARTS = {
    "milestones": "milestone", "stages": "stage", "findings": "finding", "feeds": "feed", "priorities": "priority",
    "actions": "action", "targets": "target", "receivers": "receiver",
}  # fmt: skip
_KEYS = ("id", "name", "connection")
_WORDS = {
    "start": "from", "end": "to", "budget": "limit", "pauses": "pause", "resets": "reset", "cancels": "cancel",
    "not_before_s": "not before",
    "first_s": "first", "within_s": "within", "settle_s": "settle", "quiet_after_s": "quiet after", "every_s": "every",
    "grace_s": "grace",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. part: stage, calendar ...; change: added, removed or changed; text: a sentence for people."""

    part: str
    name: str
    change: str
    text: str
    old: str = ""
    new: str = ""


def diff(old: Book, new: Book, today: datetime) -> list[Difference]:
    """Return what differs, texts that mean the same left out.

    Calendars are compared by the dates that they resolve to, from a year before `today` to two years after it.
    """
    found = list(_fields("process", "process", old.process, new.process))
    for part, what in _PARTS.items():
        found += _entries(what, _named(getattr(old, part)), _named(getattr(new, part)))
    found += _calendars(old.calendars, new.calendars, today)
    found += _fields("value", "value", old.value, new.value)
    for part in ("routes",):
        if getattr(old, part) != getattr(new, part):
            found.append(Difference(part, part, "changed", f"{part} differ"))
    return found


def _named(entries: Any) -> dict[str, Any]:
    if isinstance(entries, Mapping):
        return dict(entries)
    return {next(str(getattr(e, k)) for k in _KEYS if hasattr(e, k)): e for e in entries}


def _entries(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in new:
            yield Difference(what, name, "removed", f"{what} {name} is removed{_about(old[name])}")
        elif name not in old:
            yield Difference(what, name, "added", f"{what} {name} is new{_about(new[name])}")
        else:
            yield from _fields(what, name, old[name], new[name])
    kept = [n for n in old if n in new]
    if what == "priority" and kept != [n for n in new if n in old]:
        yield Difference(what, "", "changed", f"the priorities come in another order: {', '.join(new)}")


def _about(entry: object) -> str:
    if isinstance(entry, Stage):
        return f": {stage_words(entry)}"
    return ""


def _fields(what: str, name: str, old: Any, new: Any) -> Iterator[Difference]:
    if not hasattr(old, "__dataclass_fields__"):
        if old != new:
            yield Difference(what, name, "changed", f"{what} {name} is changed")
        return
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after and field.name not in _NOT_SAID:
            word = _WORDS.get(field.name, field.name.removesuffix("_s").replace("_", " "))
            one, other = say(before, seconds=field.name.endswith("_s")), say(after, seconds=field.name.endswith("_s"))
            subject = what if what == name else f"{what} {name}"
            yield Difference(what, name, "changed", f"{subject}: {word} was {one}, is {other}", one, other)


def _calendars(old: Mapping[str, Calendar], new: Mapping[str, Calendar], today: datetime) -> Iterator[Difference]:
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in new or name not in old:
            gone = name not in new
            change = "removed" if gone else "added"
            yield Difference("calendar", name, change, f"calendar {name} is {'removed' if gone else 'new'}")
        elif old[name].key != new[name].key:
            yield Difference("calendar", name, "changed", f"calendar {name}: {_dates(old[name], new[name], today)}")


def _dates(old: Calendar, new: Calendar, today: datetime) -> str:
    """Return on which days the open hours differ, in words."""
    start = today.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=365)
    days = [start + timedelta(days=n) for n in range(3 * 365)]
    differ = []
    for day in days:
        following = day + timedelta(days=1)
        before, after = old.working_seconds(day, following), new.working_seconds(day, following)
        # The same hours at other times of a day show at its noon.
        noon = day + timedelta(hours=12)
        if before != after or old.working_seconds(day, noon) != new.working_seconds(day, noon):
            differ.append(f"{day:%F} {duration(before)} to {duration(after)}")
    if not differ:
        return f"other days than those from {days[0]:%F} to {days[-1]:%F}"
    shown = ", ".join(differ[:_LISTED_DATES])
    more = f" and {len(differ) - _LISTED_DATES} more days" if len(differ) > _LISTED_DATES else ""
    return f"open time of days (UTC) is changed: {shown}{more}"


def stage_words(stage: Stage) -> str:
    """Return a promise in words: "from shipped to invoiced within 2h of finance time, per shipment"."""
    told = f"from {say(stage.start)} to {say(stage.end)} {say(stage.budget)}"
    told += f" of {stage.calendar} time" if stage.calendar else ""
    told += f", per {stage.per}"
    told += f", not before {duration(stage.not_before_s)}" if stage.not_before_s else ""
    told += f", only where {say(stage.when)}" if stage.when.any_of else ""
    told += f", standing still {say(stage.pauses)}" if stage.pauses else ""
    return told + "".join(f"; where {say(t.when)}: {_tier(t)}" for t in stage.tiers)


def _tier(tier: Tier) -> str:
    parts = [say(tier.budget)] if tier.budget else []
    parts += [f"{tier.calendar} time"] if tier.calendar else []
    return " of ".join(parts) or "the same"


def duration(seconds: int | None) -> str:
    """Return "1h30m"; "none" for None."""
    if seconds is None:
        return "none"
    left, text = abs(seconds), ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return ("-" if seconds < 0 else "") + (text or "0s")


def say(value: Any, *, seconds: bool = False) -> str:
    """Return a value of a book in words."""
    if value is None or value in ((), "", {}):
        return "none"
    if seconds and isinstance(value, int):
        return duration(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    told = next((words(value) for kind, words in _SAID_AS.items() if isinstance(value, kind)), None)
    if told is not None:
        return told
    if isinstance(value, tuple | list):
        return ", ".join(say(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {say(v)}" for k, v in value.items())
    if hasattr(value, "__dataclass_fields__"):
        parts = ((f.name, getattr(value, f.name)) for f in fields(value))
        return ", ".join(
            f"{_WORDS.get(n, n)} {say(v, seconds=n.endswith('_s'))}" for n, v in parts if v not in (None, (), "")
        )
    return str(value)


def _budget(budget: Budget) -> str:
    if budget.until is None:
        return f"within {duration(budget.within_s)}"
    plus = f" {'plus' if budget.plus_s > 0 else 'less'} {duration(abs(budget.plus_s))}" if budget.plus_s else ""
    return f"until {budget.until}{plus}"


def _when(when: When) -> str:
    signs = {"in": "is", "not_in": "is not"}
    groups = [
        " and ".join(
            f"{c.attribute} {signs.get(c.op, c.op)} {c.number.normalize():f}"
            if c.number is not None
            else f"{c.attribute} {signs.get(c.op, c.op)} {' or '.join(c.values)}"
            for c in group
        )
        for group in when.any_of
    ]
    return ", or ".join(groups) or "always"


_SAID_AS: dict[type, Callable[[Any], str]] = {
    Budget: _budget,
    When: _when,
    Anchor: lambda a: a.milestone if a.pick == "first" else f"{a.pick} {a.milestone}",
    Pause: lambda p: f"from {p.start} to {p.end}",
    Done: lambda d: f"{d.milestone} of every {d.per}",
    Authority: lambda a: f"{a.kind} where {_when(a.when)}" if a.when.any_of else a.kind,
    Rate: lambda r: f"{r.currency} at {r.rate} since {r.since}",
    Tier: lambda t: f"where {_when(t.when)}: {_tier(t)}",
    bool: lambda b: "yes" if b else "no",
}
