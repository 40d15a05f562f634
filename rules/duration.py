"""Durations as authors write them: `90`, `30m`, `1h30m`, `2d`. A day is 24 hours, on a calendar 24 open hours."""

from __future__ import annotations

import re

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
HINT = "write a number with a unit, for example 30m, 1h30m or 2d; a bare number is seconds"
_FORM = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in UNITS))


def parse_duration(value: object) -> int:
    """Return the seconds of a duration. Raises ValueError with what is wrong."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if text.isdecimal() and len(text) <= 12:
        return int(text)
    match = _FORM.fullmatch(text.replace(" ", ""))
    if not text or match is None or not any(match.groups()):
        raise ValueError(f"{value!r} is no duration")
    return sum(int(count) * size for count, size in zip(match.groups(), UNITS.values(), strict=True) if count)
