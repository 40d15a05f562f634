"""What can be done to a value between its expression and the event: a fixed list, applied in the order written.

Each entry of TRANSFORMS checks its argument when the mapping is loaded and gives the function to run. A missing value
stays missing through all of them but `default`. Unless it says otherwise, a transform of a list works on each member.
docs/connections/mappings.md explains each; a test keeps the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from collector.mapping.errors import Unusable, leaf, no
from collector.mapping.numbers import MARKS, implied, local_number, marked_number, minor_units, number

Codes = Mapping[str, Mapping[str, str]]
UNKNOWN = ("keep", "drop", "fail")


class Surroundings(NamedTuple):
    """What a transform may look at beside its value: the connection's tables of codes, and the event's currency."""

    codes: Codes
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that a mapping holds itself."""

    own: Codes


Change = Callable[[Any, Surroundings], Any]


@dataclass(frozen=True, slots=True)
class Transform:
    """One entry of the list. build takes the argument as written and raises ValueError with what to write."""

    build: Callable[[Any, Tables], Change]
    each: bool = True
    missing_too: bool = False


class NoLookup(Unusable):
    """A code that is in no table, where the mapping says that this must not be."""


def text(value: Any) -> str:
    """Return a plain value as text. Raises Unusable for anything else."""
    if type(value) is str:
        return value
    value = leaf(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise no(value, "text")


def _plain(change: Callable[[str], Any]) -> Callable[[Any, Tables], Change]:
    """Return the builder of a transform of texts that takes no argument."""

    def build(argument: Any, _tables: Tables) -> Change:
        if argument is not None:
            raise ValueError("it takes no argument")
        return lambda value, _around: change(text(value))

    return build


def _strip_zeros(value: str) -> str:
    """Return a number without leading zeros; anything with other signs in it is no number and stays."""
    return (value.lstrip("0") or "0") if value.isdigit() else value


def _pad(argument: Any, _tables: Tables) -> Change:
    width = _count(argument, 1, 64)
    return lambda value, _around: text(value).zfill(width) if text(value).isdigit() else text(value)


def _affix(take: Callable[[str, str], str]) -> Callable[[Any, Tables], Change]:
    def build(argument: Any, _tables: Tables) -> Change:
        affixes = _texts(argument)

        def change(value: Any, _around: Surroundings) -> str:
            found = text(value)
            for affix in affixes:
                shorter = take(found, affix)
                if shorter != found:
                    return shorter
            return found

        return change

    return build


def _extract(argument: Any, _tables: Tables) -> Change:
    try:
        pattern = re.compile(str(argument) if argument is not None else "(")
    except re.error as error:
        raise ValueError(f"{argument!r} is no regular expression: {error}") from None
    if pattern.groups > 1:
        raise ValueError("write one group at most: what it holds is the result")

    def change(value: Any, _around: Surroundings) -> str | None:
        found = pattern.search(text(value)[:_LONGEST_SEARCHED])
        return found[pattern.groups] if found else None

    return change


# Regular expressions are an author's own; a short text keeps a bad one from taking long.
_LONGEST_SEARCHED = 2000


def _split(argument: Any, _tables: Tables) -> Change:
    by, take = (argument.get("by"), argument.get("take")) if isinstance(argument, dict) else (argument, None)
    if not isinstance(by, str) or not by or (isinstance(argument, dict) and set(argument) - {"by", "take"}):
        raise ValueError('write split: "," for a list, or split: {by: ",", take: 0} for one part')
    if take is None:
        return lambda value, _around: [part.strip() for part in text(value).split(by) if part.strip()]
    place = _count(take, -100, 100)

    def change(value: Any, _around: Surroundings) -> str | None:
        parts = text(value).split(by)
        return parts[place].strip() if -len(parts) <= place < len(parts) else None

    return change


def _join(argument: Any, _tables: Tables) -> Change:
    if not isinstance(argument, str):
        raise ValueError('write the text between the parts, such as join: "/"')

    def change(value: Any, _around: Surroundings) -> str | None:
        if not isinstance(value, list):
            raise no(value, "list")
        if any(part in (None, "") for part in value):
            return None
        return argument.join(map(text, value))

    return change


def _sum(argument: Any, _tables: Tables) -> Change:
    if argument is not None:
        raise ValueError("it takes no argument")

    def change(value: Any, _around: Surroundings) -> Decimal | None:
        members = [m for m in value if m not in (None, "")] if isinstance(value, list) else [value]
        return sum(map(number, members), Decimal(0)) if members else None

    return change


def _unique(argument: Any, _tables: Tables) -> Change:
    if argument is not None:
        raise ValueError("it takes no argument")

    def change(value: Any, _around: Surroundings) -> Any:
        return list(dict.fromkeys(map(text, value))) if isinstance(value, list) else value

    return change


def _default(argument: Any, _tables: Tables) -> Change:
    if argument is None or isinstance(argument, dict | list):
        raise ValueError("write the value to take where there is none, such as default: EUR")
    return lambda value, _around: argument if value in (None, "", []) else value


def _blank(argument: Any, _tables: Tables) -> Change:
    nothing = frozenset(_texts(argument))
    return lambda value, _around: None if text(value) in nothing else value


def _decimal(argument: Any, _tables: Tables) -> Change:
    name = "point" if argument is None else argument
    if name == "either":
        return lambda value, _around: marked_number(value)
    if name not in MARKS:
        raise ValueError("write decimal: point, decimal: comma or decimal: either")
    return lambda value, _around: local_number(value, MARKS[name])


def _implied(argument: Any, _tables: Tables) -> Change:
    digits = _count(argument, 0, 6)
    return lambda value, _around: implied(value, digits)


def _minor_units(argument: Any, _tables: Tables) -> Change:
    if not (argument is None or isinstance(argument, dict)):
        raise ValueError("it takes no argument, or the digits of currencies that differ, such as minor_units: {ISK: 2}")
    own = {str(code): _count(digits, 0, 6) for code, digits in (argument or {}).items()}
    return lambda value, around: minor_units(value, around.currency, own)


def _negate(argument: Any, _tables: Tables) -> Change:
    if argument is not None:
        raise ValueError("it takes no argument")
    return lambda value, _around: -number(value)


def _absolute(argument: Any, _tables: Tables) -> Change:
    if argument is not None:
        raise ValueError("it takes no argument")
    return lambda value, _around: abs(number(value))


def _lookup(argument: Any, tables: Tables) -> Change:
    """Look a code up in a table of the mapping or of the connection, whose words go first."""
    write = "write lookup: a-table, or lookup: {table: a-table, unknown: keep|drop|fail}"
    name, unknown = (argument, "keep") if isinstance(argument, str) else ("", "keep")
    own: Mapping[str, str] = {}
    if isinstance(argument, dict):
        if set(argument) - {"table", "unknown"}:
            raise ValueError(write)
        unknown = argument.get("unknown", "keep")
        if isinstance(argument.get("table"), dict):
            own = {str(code): text(word) for code, word in argument["table"].items()}
        else:
            name = argument.get("table") or ""
    if unknown not in UNKNOWN or not (name or own) or not isinstance(name, str):
        raise ValueError(write)
    if not own:
        own = tables.own.get(name, {})

    def change(value: Any, around: Surroundings) -> Any:
        code = text(value).strip()
        word = around.codes[name].get(code) if name in around.codes else None
        if word is None:
            word = own.get(code)
        if word is not None:
            return word
        if unknown == "fail":
            raise NoLookup(
                f"{code!r} is not in the table {name or 'of this mapping'}; add it to the connection's codes"
            )
        return value if unknown == "keep" else None

    return change


def _count(argument: Any, least: int, most: int) -> int:
    if isinstance(argument, bool) or not isinstance(argument, int) or not least <= argument <= most:
        raise ValueError(f"write a whole number from {least} to {most}")
    return argument


def _texts(argument: Any) -> Sequence[str]:
    items = argument if isinstance(argument, list) else [argument]
    if not items or any(item is None or isinstance(item, dict | list | bool) for item in items):
        raise ValueError("write a text, in quotes, or a list of texts")
    return [str(item) for item in items]


TRANSFORMS: dict[str, Transform] = {
    "trim": Transform(_plain(str.strip)),
    "upper": Transform(_plain(str.upper)),
    "lower": Transform(_plain(str.lower)),
    "collapse": Transform(_plain(lambda value: " ".join(value.split()))),
    "strip_zeros": Transform(_plain(_strip_zeros)),
    "pad": Transform(_pad),
    "strip_prefix": Transform(_affix(str.removeprefix)),
    "strip_suffix": Transform(_affix(str.removesuffix)),
    "extract": Transform(_extract),
    "split": Transform(_split),
    "join": Transform(_join, each=False),
    "unique": Transform(_unique, each=False),
    "default": Transform(_default, each=False, missing_too=True),
    "blank": Transform(_blank),
    "lookup": Transform(_lookup),
    "decimal": Transform(_decimal),
    "implied": Transform(_implied),
    "minor_units": Transform(_minor_units),
    "sum": Transform(_sum, each=False),
    "absolute": Transform(_absolute),
    "negate": Transform(_negate),
}


def build(name: str, argument: Any, tables: Tables) -> Change:
    """Return the function of a transform. Raises ValueError with what to write, KeyError for an unknown name."""
    transform = TRANSFORMS[name]
    change = transform.build(argument, tables)
    each, missing_too = transform.each, transform.missing_too

    def run(value: Any, around: Surroundings) -> Any:
        if value is None and not missing_too:
            return None
        if each and type(value) is list:
            return [None if member is None else change(member, around) for member in value]
        return change(value, around)

    return run
