"""Amounts and quantities as systems write them, to exact decimal text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collector.amount import exact_text
from collector.mapping.errors import Unusable, leaf, no
from collector.rejection import Rejection

# Digits after the point of the smallest unit, where they are not two. Source: ISO 4217, list one, January 2024.
_NO_MINOR = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]
_THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
_FOUR = ("CLF", "UYW")
MINOR_DIGITS = {**dict.fromkeys(_NO_MINOR, 0), **dict.fromkeys(_THREE, 3), **dict.fromkeys(_FOUR, 4)}

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_WHOLE = re.compile(r"[-+]?\d+")
# What stands between groups of three digits, by the sign before the fraction.
_GROUPS = {".": r"[,'’\s\u00a0\u202f]", ",": r"[.'’\s\u00a0\u202f]"}
MARKS = {"point": ".", "comma": ","}
_LOCAL = {
    mark: re.compile(rf"\d{{1,3}}(?:{_GROUPS[mark]}\d{{3}})+(?:{re.escape(mark)}\d*)?|\d*(?:{re.escape(mark)}\d*)?")
    for mark in MARKS.values()
}


def number(value: Any) -> Decimal:
    """Return the number that a value is. Raises Unusable."""
    value = leaf(value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise no(value, "number")


def number_text(value: Any, field: str) -> str:
    """Return the one plain spelling of a number. Raises Unusable."""
    try:
        return exact_text(number(value), field)
    except Rejection as refused:
        raise Unusable(refused.detail) from None


def local_number(value: Any, mark: str) -> Decimal:
    """Return a number written with a decimal mark and, maybe, separated thousands; a sign may stand on either side."""
    value = leaf(value)
    if not isinstance(value, str):
        return number(value)
    text = value.strip()
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    elif text[:1] in ("-", "−", "+"):
        negative, text = text[0] != "+", text[1:].strip()
    elif text[-1:] in ("-", "−", "+"):
        negative, text = text[-1] != "+", text[:-1].strip()
    if not _LOCAL[mark].fullmatch(text) or not any(c.isdigit() for c in text):
        raise no(value, f"number with a decimal {'point' if mark == '.' else 'comma'}")
    plain = re.sub(_GROUPS[mark], "", text).replace(mark, ".")
    return -Decimal(plain) if negative else Decimal(plain)


def marked_number(value: Any) -> Decimal:
    """Return a number without separated thousands whose decimal mark is a point or a comma, as ISO 9735 allows."""
    value = leaf(value)
    return number(value.replace(",", ".") if isinstance(value, str) else value)


def implied(value: Any, digits: int) -> Decimal:
    """Return a number whose last digits stand after a point that is not written; a written point counts."""
    value = leaf(value)
    text = str(value).strip()
    if isinstance(value, str) and "." in text and _NUMBER.fullmatch(text):
        return Decimal(text)
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise no(value, f"whole number with {digits} implied decimals")
    return Decimal(text).scaleb(-digits)


def minor_units(value: Any, currency: str, own: Mapping[str, int]) -> Decimal:
    """Return an amount given in the smallest unit of a currency; own: digits that a sender counts other than ISO."""
    if not currency:
        raise Unusable("an amount in minor units needs a currency; give the event one, or the connection a default")
    code = currency.upper()
    return implied(value, own[code] if code in own else MINOR_DIGITS.get(code, 2))
