"""When a fact happened: the first of a mapping's choices that the message tells, bounded by what can be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from collector.mapping.context import Context
from collector.mapping.errors import MappingFailed, Unusable, failed
from collector.mapping.model import Received, Root, Time
from collector.mapping.times import Moment, Stamp, moment
from collector.mapping.transforms import Surroundings, text
from collector.mapping.zones import zone_of

_COARSE = ("day", "batch")


def occurred_at(
    key: str, choices: Sequence[Time | Received], root: Root, around: Surroundings, context: Context
) -> Moment:
    """Return the time of a fact. Raises MappingFailed when no choice has a value.

    A day that is not over when the message comes ends with the message: nothing is reported before it happens.
    """
    for choice in choices:
        if isinstance(choice, Received):
            return Moment(context.received_at.astimezone(UTC), "instant", "received")
        found = time_of(choice, root, around, context)
        if found is None:
            continue
        if found.precision in _COARSE and found.at > context.received_at:
            return found._replace(at=context.received_at.astimezone(UTC), basis="received", note="not_over")
        return found
    expressions = ", ".join(c.value.expression for c in choices if isinstance(c, Time))
    raise failed(f"{key}.occurred_at", expressions, "the message tells no time")


def time_of(time: Time, root: Root, around: Surroundings, context: Context) -> Moment | None:
    """Return a time, None where the message has none. Raises MappingFailed."""
    value = time.value.get(root, around)
    if value is None:
        return None
    try:
        stamp = time.parse(value)
        if stamp is None:
            return None
        if time.precision:
            stamp = _forced(stamp, time.precision)
        zone, note = _zone(time, root, around, context)
        found = moment(stamp, zone)
    except Unusable as error:
        raise failed(time.value.key, time.value.expression, str(error)) from None
    note = note or found.note
    if time.not_after is not None and found.precision in _COARSE:
        latest = time_of(time.not_after, root, around, context)
        if latest is not None and latest.at < found.at:
            return Moment(latest.at, found.precision, time.basis, "not_over")
    if note == found.note and time.basis == found.basis:
        return found
    return found._replace(basis=time.basis, note=note)


def _forced(stamp: Stamp, precision: str) -> Stamp:
    """Return a stamp that is only as exact as the mapping says; a day is the day as written, in the local zone."""
    if precision == "day":
        return Stamp(stamp.at.replace(tzinfo=None), precision)
    return stamp._replace(precision=precision)


def _zone(time: Time, root: Root, around: Surroundings, context: Context) -> tuple[tzinfo, str]:
    """Return the zone of a local time, and a note if the one that the message names is unknown."""
    if isinstance(time.zone, tzinfo):
        return time.zone, ""
    note = ""
    if time.zone is not None:
        named = time.zone.get(root, around)
        if named is not None:
            zone = zone_of(text(named))
            if zone is not None:
                return zone, ""
            note = "unknown_zone"
    zone = zone_of(context.zone)
    if zone is None:
        raise MappingFailed(f"the connection's zone {context.zone!r} is unknown")
    return zone, note
