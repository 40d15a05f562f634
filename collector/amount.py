"""Exact numbers as the store holds them: Decimal(38, 6), never rounded."""

from __future__ import annotations

from decimal import Decimal

from collector.limits import FRACTION_DIGITS, WHOLE_DIGITS
from collector.rejection import Rejection


def exact_text(value: Decimal, field: str) -> str:
    """Return the one plain spelling of a number: 1.50, 1.5 and 15e-1 give "1.5".

    Raises Rejection when it is no finite number or has more digits than the store keeps.
    """
    text = str(value)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if (
        len(whole) <= WHOLE_DIGITS
        and len(fraction) <= FRACTION_DIGITS
        and whole.lstrip("-").isdigit()
        and (not fraction or fraction.isdigit())
    ):
        if fraction:
            return f"{whole}.{fraction}"
        return "0" if whole == "-0" else whole
    return _unusual(value, field)


def _unusual(value: Decimal, field: str) -> str:
    """Spell out a number with an exponent, many digits, or none."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Rejection("invalid_event", f"{value} is no number - at `$.data.{field}`")
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    kept = text.rstrip("0")
    exponent += len(text) - len(kept)
    if -exponent > FRACTION_DIGITS or len(kept) + exponent > WHOLE_DIGITS:
        raise Rejection(
            "number_out_of_range",
            f"{WHOLE_DIGITS} digits before the point and {FRACTION_DIGITS} after it can be kept exactly"
            f" - at `$.data.{field}`",
        )
    if exponent >= 0:
        plain = kept + "0" * exponent
    else:
        kept = kept.rjust(1 - exponent, "0")
        plain = f"{kept[:exponent]}.{kept[exponent:]}"
    return "-" + plain if sign else plain
