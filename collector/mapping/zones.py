"""Names of time zones and offsets as messages write them."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET = re.compile(r"(?:UTC|GMT)?([-+PM])(\d{2}):?(\d{2})?|(?:UTC|GMT)?([-+PM])(\d)")
# X12 data element 623. A code of "time" follows daylight saving of its zone; of standard or daylight time it does not.
_X12 = {
    "UT": "UTC", "GM": "UTC", "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver",
    "PT": "America/Los_Angeles", "AT": "America/Anchorage", "HT": "Pacific/Honolulu", "TT": "America/Halifax",
    "NT": "America/St_Johns", "ES": "-05:00", "ED": "-04:00", "CS": "-06:00", "CD": "-05:00", "MS": "-07:00",
    "MD": "-06:00", "PS": "-08:00", "PD": "-07:00", "AS": "-09:00", "AD": "-08:00", "HS": "-10:00", "HD": "-09:00",
    "TS": "-04:00", "TD": "-03:00", "NS": "-03:30", "ND": "-02:30",
}  # fmt: skip


@lru_cache(1024)
def zone_of(name: str) -> tzinfo | None:
    """Return the zone behind an IANA name, an offset (`+01:00`, `UTC+1`, X12 `P01`) or an X12 code; None if unknown."""
    text = _X12.get(name.strip(), name.strip())
    if text in ("Z", "UTC", "GMT"):
        return UTC
    if found := _OFFSET.fullmatch(text):
        sign, hours, minutes = found[1] or found[4], int(found[2] or found[5]), int(found[3] or 0)
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if sign in "-M" else offset) if offset < timedelta(hours=24) else None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
