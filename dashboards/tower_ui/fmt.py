"""How numbers, times and states read on every page. Pure: no Streamlit, no clock of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NONE = "–"

# State -> (mark, word). The mark carries the meaning without colour; the word carries it without the mark.
STATES: dict[str, tuple[str, str]] = {
    "failing": ("✖", "Failing"),
    "late": ("▲", "Late"),
    "diverging": ("≠", "Diverging"),
    "unknown": ("?", "Unknown"),
    "at_risk": ("●", "At risk"),
    "on_track": ("○", "On track"),
    "done": ("✓", "Done"),
    "cancelled": ("–", "Cancelled"),
}
STUCK = ("failing", "late", "diverging")
STATE_HELP: dict[str, str] = {
    "failing": "a step reported an error and has not succeeded since",
    "late": "past its due time, and the system that would know has reported since",
    "diverging": "systems contradict each other",
    "unknown": "past its due time, but the feed that would tell us is behind",
    "at_risk": "not late yet, most of its time is used",
    "on_track": "within its time",
    "done": "everything it needs has happened",
    "cancelled": "cancelled or rejected",
}

_SYSTEMS = {
    "crm": "CRM",
    "commerce": "Commerce",
    "edi": "EDI",
    "erp": "ERP",
    "wms": "WMS",
    "tms": "TMS",
    "oms": "OMS",
    "3pl": "3PL",
    "psp": "PSP",
    "tax": "Tax",
    "billing": "Billing",
    "bank": "Bank",
}
_CURRENCIES = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "CNY": "CN¥", "BRL": "R$"}

# What became of a retry, in the words an operator needs at night.
OUTCOMES: dict[str, tuple[str, str, str]] = {
    # state: (short, tone, sentence)
    "requested": ("queued", "busy", "asked for, not sent yet"),
    "approved": ("queued", "busy", "approved, not sent yet"),
    "sent": ("sending", "busy", "sent, no answer yet"),
    "accepted": ("watching", "busy", "accepted; waiting for the order to move"),
    "verified": ("verified", "good", "worked: the order moved"),
    "no_effect": ("no effect", "bad", "had no effect: accepted, but the order did not move in time"),
    "duplicated": ("duplicated", "bad", "did its work twice; check before you go on"),
    "regressed": ("came back", "bad", "worked for a while, then the order got stuck again"),
    "failed": ("refused", "bad", "was refused by the target system"),
    "expired": ("unanswered", "bad", "got no answer; what it did is not known"),
    "cancelled": ("cancelled", "muted", "was cancelled before it was sent"),
}
DETAILED = ("failed", "expired", "duplicated")  # outcomes whose detail says more than the sentence
# Kinds of actions that are said by hand and sent to nobody.
BY_HAND = ("hold", "release", "assign", "unassign", "note", "escalate", "deescalate", "mark_done", "reopen")
IN_FLIGHT = ("requested", "approved", "sent", "accepted")

# What the API says about one item of a request.
RESULTS: dict[str, tuple[str, str]] = {
    "accepted": ("accepted", "accepted; the tower sends it now"),
    "gone": ("gone", "no longer on the board, nothing sent"),
    "running": ("already running", "a retry is already on its way, nothing sent twice"),
    "not_retryable": ("cannot be retried", "this step must not be repeated; fix the data at the source"),
    "stale": ("changed", "changed since you saw it; look again before you retry"),
}


def state_mark(state: str) -> str:
    """Return the mark of a state; a dot for a word this page does not know."""
    return STATES.get(state, ("·", ""))[0]


def state_word(state: str) -> str:
    """Return the word of a state as people read it."""
    return STATES.get(state, ("", words(state)))[1]


def words(identifier: str) -> str:
    """Return an identifier (`ship-to-invoice`, `invoice_released`) as words."""
    text = identifier.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:] if text else NONE


# Reached, this milestone is good news, and its name is not.
_MILESTONES = {"integration_failed": "Integration works again"}
AWAITED = {"integration_failed": " the same work to succeed"}


def milestone(name: str, polarity: str = "reached") -> str:
    """Return a milestone as words; of one that failed without the word that its sentence adds."""
    if polarity == "reached":
        return _MILESTONES.get(name, words(name))
    return words(name.removesuffix("_failed") if name in _MILESTONES else name)


def thing(object_id: str) -> str:
    """Return the id of an object as people read it: work between systems without its mark."""
    return object_id.removeprefix("call:")


def label(stage: Mapping[str, object]) -> str:
    """Return what a stage is called: its label, else its id as words."""
    name, text = str(stage.get("id") or ""), str(stage.get("label") or "")
    return text if text and text != name else words(name)


def system(kind: str) -> str:
    """Return a system kind as people write it."""
    return _SYSTEMS.get(kind, words(kind)) if kind else NONE


def symbol(currency: str) -> str:
    """Return the sign of a currency, or its code with a space where there is no common sign."""
    return _CURRENCIES.get(currency, f"{currency} " if currency else "")


def decimal(value: object) -> Decimal | None:
    """Return an amount from the API (text or Decimal) exactly; None for none."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        try:
            parsed = Decimal(value)
        except InvalidOperation:
            return None
        return parsed if parsed.is_finite() else None
    return None


def money_short(value: Decimal | None, currency: str = "") -> str:
    """Return an amount for a card: three or four digits and a unit (`€18.8M`, `€96.5k`, `€950`)."""
    if value is None:
        return NONE
    sign, size = ("−" if value < 0 else ""), abs(value)
    for unit, factor in (("B", Decimal(10**9)), ("M", Decimal(10**6)), ("k", Decimal(1000))):
        if size < factor * Decimal("0.9995"):  # below, the smaller unit still shows less than 1000
            continue
        scaled = size / factor
        digits = Decimal("0.1") if scaled < Decimal("99.95") else Decimal(1)
        return f"{sign}{symbol(currency)}{scaled.quantize(digits, ROUND_HALF_UP)}{unit}"
    return f"{sign}{symbol(currency)}{size.quantize(Decimal(1), ROUND_HALF_UP)}"


def money_full(value: Decimal | None, currency: str = "") -> str:
    """Return an amount with every digit of the cents (`€18,800,123.40`), for tables and confirmations."""
    if value is None:
        return NONE
    sign = "−" if value < 0 else ""
    return f"{sign}{symbol(currency)}{abs(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def minor(value: Decimal | None) -> str:
    """Return an amount in hundredths as text, exact for any size; empty for none."""
    return "" if value is None else str(int((value * 100).quantize(Decimal(1), ROUND_HALF_UP)))


def duration(seconds: float | None) -> str:
    """Return a length of time with its two largest units: `45s`, `12m`, `3h 07m`, `1d 05h`, `14d`."""
    if seconds is None or seconds != seconds:
        return NONE
    sign, left = ("−" if seconds < 0 else ""), int(abs(seconds))
    if left < 60:
        return f"{sign}{left}s"
    if left < 3600:
        return f"{sign}{left // 60}m"
    if left < 86400:
        return f"{sign}{left // 3600}h {left % 3600 // 60:02d}m"
    if left < 10 * 86400:
        return f"{sign}{left // 86400}d {left % 86400 // 3600:02d}h"
    return f"{sign}{left // 86400:,}d"


def count(value: int | None) -> str:
    """Return a count with thousands marks."""
    return NONE if value is None else f"{value:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """Return `1 order`, `2 orders`."""
    return f"{number:,} {one if number == 1 else (many or one + 's')}"


def percent(part: float | None, whole: float | None) -> int | None:
    """Return part of whole in percent, None where there is no whole."""
    if part is None or not whole or whole <= 0 or part != part or whole != whole:
        return None
    return round(part / whole * 100)


def instant(text: object) -> datetime | None:
    """Return an aware UTC instant from RFC 3339 text or a datetime; None for none."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    if not isinstance(text, str) or not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def zone(name: str | None) -> tzinfo:
    """Return the reader's time zone, UTC when the browser names none that is known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_name(tz: tzinfo, at: datetime) -> str:
    """Return the short name of a zone at an instant (`CET`), to be said once per page."""
    return at.astimezone(tz).strftime("%Z") or "UTC"


def clock(at: datetime | None, tz: tzinfo) -> str:
    """Return the time of day with seconds."""
    return NONE if at is None else at.astimezone(tz).strftime("%H:%M:%S")


def moment(at: datetime | None, tz: tzinfo, now: datetime) -> str:
    """Return an instant as short as is safe: `14:05:10` today, `22 Nov 14:05` this year, else with the year."""
    if at is None:
        return NONE
    local, today = at.astimezone(tz), now.astimezone(tz)
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%d %b %H:%M" if local.year == today.year else "%d %b %Y %H:%M")
