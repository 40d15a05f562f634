"""What the rules of the small books find in the logs, worked out again from the rows with pandas and loops alone.

A finding is (rule, kind, object) -> (opened, resolved). Nothing of the product and nothing of the oracle is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd

Found = dict[tuple[str, str, str], tuple[Any, Any]]
DAY = pd.Timedelta(days=1)


def _times(rows: pd.DataFrame) -> dict[str, dict[str, list[pd.Timestamp]]]:
    """Return the moments of each activity of each case, oldest first."""
    found: dict[str, dict[str, list[pd.Timestamp]]] = defaultdict(lambda: defaultdict(list))
    for case, activity, at in zip(rows["case"], rows.activity, rows["at"], strict=True):
        found[case][activity].append(at)
    return found


def _promise(
    rule: str, case: str, now: pd.Timestamp, start: Any, stop: Any, within: pd.Timedelta, *,
    resets: Iterable[pd.Timestamp] = (), cancels: Iterable[pd.Timestamp] = (), pauses: Iterable[tuple[Any, Any]] = (),
) -> Found:  # fmt: skip
    """Return the findings of one clock; None: it did not start, or did not stop."""
    if start is None:
        return {}
    start = max([start, *(r for r in resets if r > start and (stop is None or r < stop))])
    if stop is not None and stop < start:
        return {(rule, "out_of_order", case): (start, None)}
    if any(c >= start and (stop is None or c < stop) for c in cancels):
        return {}
    due = start + within
    for low, high in pauses:
        low = max(low, start)
        if high is not None and high <= low:
            continue
        if low - start < due - start:
            if high is None:
                return {}
            due += high - low
    if (stop or now) > due:
        return {(rule, "late", case): (due, stop)}
    return {}


def purchases(rows: pd.DataFrame, now: pd.Timestamp) -> Found:
    """Invoices before goods, invoices recorded twice, the ERP told late by the vendor, invoices cleared late."""
    found: Found = {}
    standing = _standing(rows)
    for case, at in _times(rows).items():
        goods, booked, made = at["Record Goods Receipt"], at["Record Invoice Receipt"], at["Vendor creates invoice"]
        for recorded, invoice in standing[case]:
            if not goods or goods[0] > recorded:
                found["billed-unreceived", "out_of_order", invoice] = (recorded, goods[0] if goods else None)
        if made and (not booked or booked[0] > made[0] + 7 * DAY):
            found["erp-hears-late", "sync_late", case] = (made[0] + 7 * DAY, booked[0] if booked else None)
        both = [t[0] for t in (made, booked) if t]
        if len(both) == 2 and max(both) > min(both) + 3 * DAY:
            found["invoice-differs", "diverging", case] = (min(both) + 3 * DAY, max(both))
        elif len(both) == 1 and now > both[0] + 3 * DAY:
            found["invoice-differs", "diverging", case] = (both[0] + 3 * DAY, None)
        blocks = [(t, next((f for f in at["Remove Payment Block"] if f >= t), None)) for t in at["Set Payment Block"]]
        start, stop = standing[case][0][0] if standing[case] else None, (at["Clear Invoice"] or [None])[0]
        found |= _promise("clear", case, now, start, stop, 30 * DAY, resets=at["Change Price"], pauses=_merged(blocks))
        if len(standing[case]) > 1:
            found["recorded-twice", "duplicate", case] = (standing[case][1][0], None)
    return found


def _merged(spans: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    merged: list[tuple[Any, Any]] = []
    for low, high in sorted(spans, key=lambda s: s[0]):
        if merged and (merged[-1][1] is None or low <= merged[-1][1]):
            before = merged[-1]
            merged[-1] = (before[0], None if None in (before[1], high) else max(before[1], high))
        else:
            merged.append((low, high))
    return merged


def _standing(rows: pd.DataFrame) -> dict[str, list[tuple[pd.Timestamp, str]]]:
    """Return the receipts of each purchase that no cancellation took back, oldest first, each with its number."""
    standing: dict[str, list[tuple[pd.Timestamp, str]]] = defaultdict(list)
    receipts: dict[str, int] = defaultdict(int)
    for case, activity, at in zip(rows["case"], rows.activity, rows["at"], strict=True):
        if activity == "Record Invoice Receipt":
            receipts[case] += 1
            standing[case].append((at, f"{case}/{receipts[case]}"))
        elif activity == "Cancel Invoice Receipt" and standing[case]:
            standing[case].pop()
    return standing


def bills(rows: pd.DataFrame, now: pd.Timestamp) -> Found:
    """Billed uncoded, billed late after the release, codes that failed; a storno takes the bill back."""
    found: Found = {}
    for case, at in _times(rows).items():
        if not at["NEW"]:
            continue
        back = max(at["STORNO"], default=None)
        billed = next((t for t in at["BILLED"] if back is None or t > back), None)
        coded = at["CODE OK"][0] if at["CODE OK"] else None
        if billed is not None and (coded is None or coded > billed):
            found["billed-uncoded", "out_of_order", case] = (billed, coded)
        released = at["RELEASE"][0] if at["RELEASE"] else None
        found |= _promise("bill", case, now, released, billed, 60 * DAY, resets=at["REOPEN"], cancels=at["DELETE"])
        fails = sorted(at["CODE NOK"] + at["CODE ERROR"])
        if fails:
            before = [t for t in at["CODE OK"] if t < fails[-1]]
            since = next(t for t in fails if not before or t > before[-1])
            found["coded.failed", "failing", case] = (since, next((t for t in at["CODE OK"] if t > fails[-1]), None))
    return found


def fines(rows: pd.DataFrame, now: pd.Timestamp) -> Found:
    """Sent late, paid before it was sent, paid twice, unpaid for 60 days without an appeal."""
    found: Found = {}
    for case, at in _times(rows).items():
        created, sent, paid = (at[name][0] if at[name] else None for name in ("Create Fine", "Send Fine", "Payment"))
        if created is None:
            continue
        found |= _promise("send", case, now, created, sent, 90 * DAY)
        notified = at["Insert Fine Notification"][0] if at["Insert Fine Notification"] else None
        found |= _promise("pay", case, now, notified, paid, 60 * DAY, cancels=at["Insert Date Appeal to Prefecture"])
        if paid is not None and (sent is None or sent > paid):
            found["paid-unsent", "out_of_order", case] = (paid, sent)
        if len(at["Payment"]) > 1:
            found["paid-twice", "duplicate", case] = (at["Payment"][1], None)
        if sent is not None and sent >= created and sent - created < 10 * DAY:
            found["send", "too_fast", case] = (sent, sent)
    return found


def tickets(rows: pd.DataFrame, now: pd.Timestamp) -> Found:
    """Not completed within five days, waiting not counted."""
    found: Found = {}
    for case, part in rows.groupby("case"):
        accepted = part.activity == "Accepted"
        works = list(part["at"][accepted & (part.lifecycle == "In Progress")])
        waits = list(part["at"][accepted & part.lifecycle.str.startswith("Wait")])
        done = list(part["at"][part.activity == "Completed"])
        pauses = [(w, next((t for t in works if t >= w), None)) for w in sorted(set(waits))]
        start, stop = works[0] if works else None, done[0] if done else None
        found |= _promise("complete", str(case), now, start, stop, 5 * DAY, pauses=_merged(pauses))
    return found


def documents(orders: dict[str, datetime], flows: Iterable[Any], now: datetime) -> Found:
    """Invoiced before goods issue, two invoices of one delivery, goods issued late."""
    found: Found = {}
    created, issued, billed = {}, {}, defaultdict(list)
    above: dict[str, set[str]] = defaultdict(set)
    for flow in flows:
        if flow.kind == "J":
            created[flow.number] = min(flow.at, created.get(flow.number, flow.at))
            above[flow.number].add(flow.before)
    for flow in flows:
        if flow.kind == "R":
            issued[flow.before] = min(flow.at, issued.get(flow.before, flow.at))
        elif flow.kind == "M":
            billed[flow.before].append((flow.at, flow.number))
    deliveries: dict[str, list[str]] = defaultdict(list)
    first: dict[str, datetime] = {}
    for delivery, bills_of in billed.items():
        for at, number in bills_of:
            deliveries[number].append(delivery)
            first[number] = min(at, first.get(number, at))
    for number, parts in deliveries.items():
        known = [d for d in parts if above[d] & orders.keys()]
        goods = [issued.get(d) for d in known]
        done = None if None in goods else max((g for g in goods if g), default=None)
        if known and (done is None or done > first[number]):
            found["billed-unissued", "out_of_order", number] = (first[number], done)
    for delivery, start in created.items():
        if not above[delivery] & orders.keys():
            continue
        invoices = sorted({(first[n], n) for _, n in billed[delivery]})
        if len(invoices) > 1:
            found["billed-twice", "duplicate", delivery] = (invoices[1][0], None)
        found |= _promise("issue", delivery, pd.Timestamp(now), start, issued.get(delivery), 7 * DAY)
    return found
