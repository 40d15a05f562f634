"""How much one event and one request may hold. Documented in docs/events.md; a test keeps the two equal."""

from __future__ import annotations

from datetime import timedelta

MAX_ID = 256  # characters of an event or object id, and of a short attribute
MAX_SOURCE = 1024
MAX_TYPE = 128
MAX_IDS = 1000  # ids in one list
MAX_LINKS = 1000  # explicit links in one event
MAX_TEXT = 65536  # characters of reason and error
MAX_EVENTS = 100_000  # events in one request
MAX_ATTRIBUTES = 32  # allow-listed further fields kept of one event
MAX_ATTRIBUTE = 512  # characters kept of each
MAX_NUMBER = 2**63 - 1  # greatest number of a numbering
MAX_DIGITS = 20  # of a number written as text, with leading zeros
MAX_REPORTED = 10_000  # refused lines named in a problem

OTLP_BODY = 64 << 20

FUTURE = timedelta(minutes=5)
# Within what the store can hold, with room for deadlines after the last instant.
FIRST_YEAR, LAST_YEAR = 1900, 2199
# Within Decimal(38, 6), with room for rates and sums.
WHOLE_DIGITS, FRACTION_DIGITS = 24, 6
