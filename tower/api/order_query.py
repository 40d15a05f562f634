"""The filters of the board: what a caller may ask, and the clauses that ClickHouse then binds.

One clause per filter in a literal table; values never become SQL text. Sort keys are single expressions, so that a
cursor is one value and the order_id that breaks its ties.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rules.vocabulary import CLOSED_STATES, OPEN_STATES, STUCK_STATES
from tower.api.wire import Instant, parse_instant
from tower.model.problem import Problem

STATE_GROUPS: dict[str, tuple[str, ...]] = {"stuck": STUCK_STATES, "open": OPEN_STATES, "closed": CLOSED_STATES}
_STATES = OPEN_STATES + CLOSED_STATES
MAX_LIMIT = 5000
_WIDE = Context(prec=60)

_WORST_RUNS = "clocks.state[worst] = 'running'"  # worst: an alias of api_orders.sql
_RANKS = (
    "transform(state, ["
    + ", ".join(f"'{s}'" for s in _STATES)
    + f"], [{', '.join(map(str, range(len(_STATES))))}], 99)"
)
# Sort key -> (expression, ClickHouse type, value of a missing key when rising, and when falling: missing comes last).
_SORTS: dict[str, tuple[str, str, str, str]] = {
    "value_at_risk": ("value_at_risk", "Decimal(38, 6)", "1e30", "-1e30"),
    "age": ("-toUnixTimestamp64Milli(since)", "Int64", "9e18", "-9e18"),
    "overdue": (f"if({_WORST_RUNS}, -toUnixTimestamp64Milli(due_at), NULL)", "Int64", "9e18", "-9e18"),
    "due_at": ("toUnixTimestamp64Milli(due_at)", "Int64", "9e18", "-9e18"),
    "priority": ("nullIf(toString(priority), '')", "String", "'\\x7f'", "''"),
    "state": (f"toInt64({_RANKS})", "Int64", "99", "99"),
    "score": ("score_points", "Int64", "9e18", "-9e18"),  # aliases of rules.compile.score
    "odds": ("if(closed_at IS NULL, toInt64(round(breach_odds * 1000)), NULL)", "Int64", "9e18", "-9e18"),
    "order_id": ("order_id", "String", "''", "''"),
}
SORT_KEYS = tuple(_SORTS)

# Filter -> clause over the columns of `orders`; the clock-wise filters are written in `clauses`.
_CLAUSES: dict[str, str] = {
    "system": "system IN {system:Array(String)}",
    "priority": "priority IN {priority:Array(String)}",
    "customer_id": "customer_id = {customer_id:String}",
    "partner": "partner = {partner:String}",
    "assignee": "assignee = {assignee:String}",
    "held": "(held_by != '') = {held:Bool}",
    "min_value": "reporting_amount >= {min_value:Decimal(38, 6)}",
    "q": (
        "(positionCaseInsensitiveUTF8(order_id, {q:String}) > 0"
        " OR arrayExists(name -> positionCaseInsensitiveUTF8(name, {q:String}) > 0, names.name_id)"
        " OR positionCaseInsensitiveUTF8(customer_id, {q:String}) > 0"
        " OR positionCaseInsensitiveUTF8(error, {q:String}) > 0)"
    ),
}


class OrderFilter(BaseModel):
    """Which orders. Lists are written with commas. An absent filter excludes nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[
        str | None, Field(description="State, or stuck, open, closed; several with commas", examples=["stuck"])
    ] = None
    stage: Annotated[
        str | None, Field(description="Orders that have a clock of this stage, in `state` if that is given")
    ] = None
    system: Annotated[str | None, Field(description="Authority of the milestone the order waits for")] = None
    priority: Annotated[str | None, Field(examples=["P1,P2"])] = None
    customer_id: str | None = None
    partner: str | None = None
    assignee: Annotated[
        str | None, Field(max_length=100, description="Who works on it; empty for orders that nobody has")
    ] = None
    held: Annotated[bool | None, Field(description="Only orders that somebody holds, or only the others")] = None
    min_value: Annotated[
        Decimal | None, Field(description="Least value in the reporting currency", examples=["1000"])
    ] = None
    q: Annotated[str | None, Field(max_length=200, description="Part of an order id, customer id or error text")] = None

    @field_validator("*", mode="before")
    @classmethod
    def _no_control_bytes(cls, value: object) -> object:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("holds a zero byte")
        return value

    @field_validator("state")
    @classmethod
    def _known_states(cls, value: str | None) -> str | None:
        for name in _names(value):
            if name not in STATE_GROUPS and name not in _STATES:
                raise ValueError(f"{name!r} is no state; states are {', '.join((*_STATES, *STATE_GROUPS))}")
        return value

    @field_validator("min_value")
    @classmethod
    def _sane_amount(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and (not value.is_finite() or abs(value) >= Decimal(10) ** 30):
            raise ValueError("is no amount that money can have")
        return None if value is None else _micros(value)

    @property
    def states(self) -> tuple[str, ...]:
        """The states asked for, groups resolved; empty for all."""
        return tuple(s for name in _names(self.state) for s in STATE_GROUPS.get(name, (name,)))

    def clauses(self) -> tuple[list[str], dict[str, Any]]:
        """Return WHERE clauses and the values they bind.

        With a stage, open states speak of its clocks and closed states of the order.
        """
        clauses, values = ["on_board"], dict[str, Any]()
        states = self.states
        if states and not set(states) & set(CLOSED_STATES):
            clauses.append("closed_at IS NULL")
        if self.stage is not None:
            values["stages"] = _names(self.stage)
            values["states"] = list(states or OPEN_STATES)
            having = (
                "arrayExists((rule, verdict) -> has({stages:Array(String)}, rule)"
                " AND has({states:Array(String)}, verdict), clocks.rule, clocks.verdict)"
            )
            if set(states) & set(CLOSED_STATES):
                closed = "has({states:Array(String)}, state) AND hasAny(clocks.rule, {stages:Array(String)})"
                having = f"({having} OR (closed_at IS NOT NULL AND {closed}))"
            clauses.append(having)
        elif states:
            values["states"] = list(states)
            clauses.append("state IN {states:Array(String)}")
        for name, clause in _CLAUSES.items():
            value = getattr(self, name)
            if value is not None:
                clauses.append(clause)
                values[name] = _names(value) if "Array" in clause else value
        return clauses, values


class OrderQuery(OrderFilter):
    """Which orders, as of when, in which order and how many."""

    as_of: Annotated[Instant | None, Field(description="Judge with the facts up to this instant")] = None
    known_at: Annotated[Instant | None, Field(description="Use only what was known at this instant")] = None
    sort: Annotated[str, Field(description=f"One of {', '.join(SORT_KEYS)}; - before it turns it round")] = (
        "-value_at_risk"
    )
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 100
    cursor: Annotated[str | None, Field(max_length=2000, description="next_cursor of the page before")] = None

    @field_validator("sort")
    @classmethod
    def _known_sort(cls, value: str) -> str:
        if value.removeprefix("-") not in _SORTS:
            raise ValueError(f"{value!r} is no sort key; they are {', '.join(SORT_KEYS)}, each also with - before it")
        return value

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """The expression to sort by, its type, and ASC or DESC."""
        name, falling = self.sort.removeprefix("-"), self.sort.startswith("-")
        expression, kind, rising_null, falling_null = _SORTS[name]
        missing = falling_null if falling else rising_null
        typed = missing if kind == "String" else f"CAST('{Decimal(missing):f}', '{kind}')"
        return f"ifNull({expression}, {typed})", kind, "DESC" if falling else "ASC"

    @property
    def by_score(self) -> bool:
        """Whether the rows are sorted by what changes with time: their score or their odds."""
        return self.sort.removeprefix("-") in ("score", "odds")

    def scored_at(self, now: datetime) -> datetime:
        """Return the instant that scores are computed for: that of the first page, which the cursor keeps."""
        if self.cursor is None or not self.by_score:
            return now
        _, value, _ = read_cursor(self.cursor)
        try:
            return parse_instant(value.partition("@")[2])
        except ValueError:
            raise _bad_cursor() from None

    def after(self) -> tuple[list[str], dict[str, Any]]:
        """Return the clause that continues behind the cursor; raises Problem when the cursor is not one of ours."""
        if self.cursor is None:
            return [], {}
        expression, kind, direction = self.sort_key
        sort, value, order_id = read_cursor(self.cursor)
        if sort != self.sort:
            raise Problem(
                400, "bad_cursor", f"this cursor belongs to sort={sort}; keep the sort or start without cursor"
            )
        try:
            bound = _bound(kind, value.partition("@")[0] if self.by_score else value)
        except (ValueError, InvalidOperation):
            raise _bad_cursor() from None
        beyond = "<" if direction == "DESC" else ">"
        key = f"{{cursor_key:{kind}}}"
        clause = f"({expression} {beyond} {key} OR ({expression} = {key} AND order_id > {{cursor_id:String}}))"
        return [clause], {"cursor_key": bound, "cursor_id": order_id}


def write_cursor(sort: str, value: str, order_id: str) -> str:
    """Return the opaque mark behind one row."""
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, value, order_id])).decode().rstrip("=")


def read_cursor(text: str) -> tuple[str, str, str]:
    """Return (sort, key value, order_id); raises Problem when it is not a cursor."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[str, str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _bad_cursor() from None


def _bad_cursor() -> Problem:
    return Problem(400, "bad_cursor", "this is no cursor of ours; start again without cursor")


def _bound(kind: str, text: str) -> str | int | Decimal:
    """Return a cursor's key as the type it is compared as; raises when it is none."""
    if kind == "String":
        return text
    if kind == "Int64":
        number = int(text)
        if not -(2**63) <= number < 2**63:
            raise ValueError(text)
        return number
    amount = Decimal(text)
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 31:
        raise ValueError(text)
    return _micros(amount)


def _micros(amount: Decimal) -> Decimal:
    """Return the amount as exactly as the store holds money: six places."""
    return amount.quantize(Decimal("0.000001"), context=_WIDE)


def _names(value: str | None) -> list[str]:
    return [n.strip() for n in (value or "").split(",") if n.strip()]
