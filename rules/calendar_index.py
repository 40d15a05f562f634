"""The arrays with which SQL computes business time in a constant number of steps per row.

Open spans are cut at UTC midnights. `before_ms` and `spans` answer "how much open time lies before this instant" by
its day; `bucket` turns the question round: it says at which open day to start looking for a given amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rules.hours import DAY_S


@dataclass(frozen=True, slots=True)
class CalendarIndex:
    """One row of the table calendar_index; see its comments for the columns."""

    calendar: str
    first_day: int
    before_ms: list[int]
    spans: list[list[tuple[int, int]]]
    open_days: list[int]
    bucket_ms: int
    bucket: list[int]


def build_index(calendar: str, low: int, high: int, spans: list[tuple[int, int]]) -> CalendarIndex:
    """Return the arrays for the spans (UTC seconds, in order, disjoint) within [low, high), both UTC midnights."""
    first_day = low // DAY_S
    days: list[list[tuple[int, int]]] = [[] for _ in range(high // DAY_S - first_day)]
    for start, end in spans:
        day = start // DAY_S
        midnight = day * DAY_S
        while end > midnight + DAY_S:
            days[day - first_day].append(((start - midnight) * 1000, DAY_S * 1000))
            day, midnight = day + 1, midnight + DAY_S
            start = midnight
        days[day - first_day].append(((start - midnight) * 1000, (end - midnight) * 1000))
    before_ms = [0]
    open_days = []
    for number, cut in enumerate(days):
        length = 0
        for start, end in cut:
            length += end - start
        before_ms.append(before_ms[-1] + length)
        if length:
            open_days.append(number)
    bucket_ms, bucket = _buckets([before_ms[day + 1] for day in open_days])
    return CalendarIndex(calendar, first_day, before_ms, days, open_days, bucket_ms, bucket)


def _buckets(after: list[int]) -> tuple[int, list[int]]:
    """Return (width, positions): position k is the first day whose end lies beyond k widths of open time.

    Open time t (above 0) is used up on a day between positions (t - 1) div width and the one after that. The width
    starts at the average open day and is halved until no bucket holds many days, within a bound on the array.
    """
    total = after[-1] if after else 1
    width = max(1, total // max(1, len(after)))
    while True:
        bucket, position = [], 0
        for k in range(-(-total // width)):
            while after and after[position] <= k * width:
                position += 1
            bucket.append(position)
        bucket.append(max(0, len(after) - 1))
        most = max((b - a for a, b in pairwise(bucket)), default=0)
        if most <= 4 or len(bucket) > 4 * len(after) + 64 or width == 1:
            return width, bucket
        width = -(-width // 2)
