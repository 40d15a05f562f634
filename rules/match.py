"""Matchers: what an author writes under `when`, as values and as SQL.

All keys of a mapping must hold. A list means one of, a scalar equals, ">= 100" compares, "!= x" or {not: [...]}
excludes. `any: [...]` holds when one of its mappings does, `all: [...]` when each does. The value is kept as groups
of conditions of which one must hold whole, so the SQL is one flat line that people can read.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from rules.errors import closest
from rules.literal import sql_text
from rules.model import Condition, When
from rules.vocabulary import ALERT_NUMBERS, ALERT_TEXTS, NUMBER_ATTRIBUTES, TEXT_ATTRIBUTES, TIME_ATTRIBUTES


class Words(NamedTuple):
    """Which attributes a matcher may name."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Numbers and texts."""
        return self.numbers + self.texts


OF_ORDERS = Words(NUMBER_ATTRIBUTES, (*TEXT_ATTRIBUTES, "priority"))
OF_BREACHES = Words(OF_ORDERS.numbers + ALERT_NUMBERS, OF_ORDERS.texts + ALERT_TEXTS)
MATCHABLE: tuple[str, ...] = OF_ORDERS.all
GROUP_KEYS = ("any", "all")
_COMPARISON = re.compile(r"(>=|<=|!=|==|>|<|=)\s*(.*)", re.DOTALL)
_MAX_GROUPS = 200
_MAX_NUMBER = Decimal(10) ** 24

Report = Callable[[str, str, str], None]  # key below `when`, problem, hint
_Groups = list[tuple[Condition, ...]]
_EXAMPLE = 'write {order_type: [standard, same_day], amount: ">= 100"}'


def parse_when(value: Any, report: Report, words: Words = OF_ORDERS) -> When:
    """Return the matcher that a `when` mapping describes; what is wrong with it goes to report. None always holds."""
    groups = _groups(value, "", report, words)
    if len(groups) > _MAX_GROUPS:
        report(
            "", f"the combinations of `any` give {len(groups)} groups", f"at most {_MAX_GROUPS}; write lists instead"
        )
        return When()
    return When() if groups == [()] else When(tuple(groups))


def _groups(value: Any, key: str, report: Report, words: Words) -> _Groups:
    if value is None:
        return [()]
    if not isinstance(value, Mapping):
        report(key, f"{value!r} is no mapping of matchers", _EXAMPLE)
        return [()]
    groups: _Groups = [()]
    for name, written in value.items():
        at = f"{key}.{name}" if key else str(name)
        if name in GROUP_KEYS:
            groups = _both(groups, _branches(str(name), written, at, report, words))
        elif (condition := _condition(str(name), written, at, report, words)) is not None:
            groups = _both(groups, [(condition,)])
        if len(groups) > _MAX_GROUPS:
            break
    return groups


def _branches(name: str, written: Any, key: str, report: Report, words: Words) -> _Groups:
    if not isinstance(written, list) or not written:
        report(
            key, f"`{name}` needs a list of mappings", f'write {name}: [{{customer_tier: key}}, {{amount: ">= 100"}}]'
        )
        return [()]
    parts = [_groups(part, f"{key}.{i}", report, words) for i, part in enumerate(written)]
    if name == "any":
        return [group for part in parts for group in part]
    groups: _Groups = [()]
    for part in parts:
        groups = _both(groups, part)
    return groups


def _both(one: _Groups, other: _Groups) -> _Groups:
    return [a + tuple(c for c in b if c not in a) for a in one for b in other]


def _condition(attribute: str, written: Any, key: str, report: Report, words: Words) -> Condition | None:
    if attribute in TIME_ATTRIBUTES:
        report(
            key,
            f"{attribute} is an instant, and matchers compare text and numbers",
            f"use until: {attribute} in a stage",
        )
        return None
    if attribute not in words.all:
        report(key, f"unknown attribute {attribute!r}", closest(attribute, (*words.all, *GROUP_KEYS)))
        return None
    if isinstance(written, Mapping):
        if list(written) != ["not"]:
            report(key, "a matcher is a value, a list, a comparison or {not: ...}", _EXAMPLE)
            return None
        return _members(attribute, "not_in", written["not"], key, report, words)
    if isinstance(written, str) and (match := _COMPARISON.fullmatch(written.strip())):
        op, operand = match[1], match[2].strip()
        if op in ("=", "==", "!="):
            return _members(attribute, "not_in" if op == "!=" else "in", operand, key, report, words)
        return _comparison(attribute, op, operand, key, report, words)
    if isinstance(written, list) and any(isinstance(v, str) and _COMPARISON.match(v.strip()) for v in written):
        matches = [_COMPARISON.fullmatch(v.strip()) if isinstance(v, str) else None for v in written]
        if all(m is not None and m[1] == "!=" for m in matches):
            return _members(attribute, "not_in", [m[2].strip() for m in matches if m], key, report, words)
        report(
            key, "a list means one of its values and holds no comparisons", f'write all: [{{{attribute}: ">= 1"}}, ...]'
        )
        return None
    return _members(attribute, "in", written, key, report, words)


def _members(attribute: str, op: str, written: Any, key: str, report: Report, words: Words) -> Condition | None:
    values = written if isinstance(written, list) else [written]
    if not values or any(v is None or isinstance(v, Mapping | list) for v in values):
        report(key, f"{written!r} is no value to match", "write a text, a number or a list of them")
        return None
    if attribute in words.numbers:
        numbers = [_number(v, key, report) for v in values]
        if any(n is None for n in numbers):
            return None
        return Condition(attribute, op, tuple(format(n, "f") for n in numbers if n is not None))
    return Condition(attribute, op, tuple(_plain(v) for v in values))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _comparison(attribute: str, op: str, operand: str, key: str, report: Report, words: Words) -> Condition | None:
    if attribute not in words.numbers:
        report(
            key,
            f"{attribute} is text and has no {op}",
            f"compare {' or '.join(words.numbers)}, or list the values",
        )
        return None
    number = _number(operand, key, report)
    return None if number is None else Condition(attribute, op, number=number)


def _number(value: Any, key: str, report: Report) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    exponent = number.as_tuple().exponent
    if isinstance(value, bool) or not isinstance(exponent, int) or abs(number) >= _MAX_NUMBER or exponent < -6:
        report(key, f"{value!r} is no usable number", 'write for example ">= 100" or "< 2500.50", at most six decimals')
        return None
    return number


def when_sql(when: When, columns: Mapping[str, str]) -> str:
    """Return the matcher as one SQL expression that is never null; always-true is '1'.

    columns: SQL expression of each attribute. A number that is not known (an amount without a rate) matches nothing;
    a text that is not known is ''.
    """
    groups = [" AND ".join(_condition_sql(c, columns[c.attribute]) for c in group) or "1" for group in when.any_of]
    if not groups:
        return "1"
    if len(groups) == 1:
        return f"({groups[0]})"
    return "(" + " OR ".join(f"({group})" for group in groups) + ")"


def holds(when: When, values: Mapping[str, str | Decimal | None]) -> bool:
    """Return what `when_sql` gives for these values: attributes by name, of which a missing one is not known."""
    return not when.any_of or any(all(_condition_holds(c, values) for c in group) for group in when.any_of)


def _condition_holds(condition: Condition, values: Mapping[str, str | Decimal | None]) -> bool:
    value = values.get(condition.attribute)
    if condition.number is not None:
        return isinstance(value, Decimal) and _COMPARE[condition.op](value, condition.number)
    if condition.attribute in OF_BREACHES.numbers:
        among = isinstance(value, Decimal) and any(value == Decimal(v) for v in condition.values)
        return among if condition.op == "in" else value is not None and not among
    return ((value or "") in condition.values) == (condition.op == "in")


_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def _condition_sql(condition: Condition, column: str) -> str:
    if condition.number is not None:
        return f"ifNull({column} {condition.op} {_number_sql(format(condition.number, 'f'))}, 0)"
    number = condition.attribute in NUMBER_ATTRIBUTES
    values = ", ".join(_number_sql(v) if number else sql_text(v) for v in condition.values)
    if condition.op == "in":
        return f"ifNull({column} IN ({values}), 0)"
    return f"ifNull({column} NOT IN ({values}), {0 if number else 1})"


def _number_sql(number: str) -> str:
    return f"toDecimal128('{number}', 6)"
