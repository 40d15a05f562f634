"""The figures, one by one: pure functions from sums to a number with its inputs and counts, and the list of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tower.value.figure import Counted, Metric, Sums, Told, refuse
from tower.value.ground import Totals

_NO_ORDERS = "no order came in within this window"
_DAY_S = 86400.0


def _rate(count: int, sums: Sums, per: int, **counts: int) -> Told:
    orders = sums["started"].units
    if not orders:
        return refuse(_NO_ORDERS, **counts)
    return Told(count * per / orders, {"per_orders": per}, {**counts, "orders": orders})


def _share(found: Totals, nothing: str, **counts: int) -> Told:
    return Told(found.good / found.units, {}, counts) if found.units else refuse(nothing)


def _orders(sums: Sums) -> Told:
    found = sums["started"]
    worth = {"amount": found.amount_sum or Decimal(0)}
    return Told(found.units, worth, {"orders": found.units, "not_priced": found.unpriced_units})


def _exceptions(sums: Sums) -> Told:
    found = sums["exceptions"]
    return _rate(found.units, sums, 1000, exceptions=found.units, orders_with_exceptions=found.orders)


def _escalations(sums: Sums) -> Told:
    if not sums.terms["escalates"]:
        return refuse("no route of the book escalates, so nothing can have been escalated")
    return _rate(sums["escalated"].units, sums, 1000, escalations=sums["escalated"].units)


def _touches(sums: Sums) -> Told:
    found = sums["touched"]
    return _rate(found.things, sums, 100, touches=found.things, orders_touched=found.orders)


def _touch_hours(sums: Sums) -> Told:
    minutes, cost, touches = sums.terms["minutes_per_touch"], sums.terms["cost_per_touch"], sums["touched"].things
    if minutes is None:
        return refuse("the book declares no minutes_per_touch", touches=touches)
    rate = _rate(touches, sums, 100, touches=touches)
    if rate.value is None:
        return rate
    inputs = {"minutes_per_touch": minutes, "cost": None if cost is None else cost * touches}
    return Told(float(rate.value) * float(minutes) / 60, {**rate.inputs, **inputs}, rate.counts)


def _on_time(sums: Sums) -> Told:
    found = sums["promised"]
    counts = {"promised": found.units, "kept": found.good, "late": found.units - found.good}
    return _share(found, "no order was promised for a time within this window that has passed", **counts)


def _healed(sums: Sums) -> Told:
    found = sums["healed"]
    nothing = "no disagreement between systems ended within this window"
    return _share(found, nothing, ended=found.units, untouched=found.good)


def _in_time(sums: Sums) -> Told:
    found = sums["clocks"]
    return _share(found, "no stage with a deadline ended within this window", ended=found.units, in_time=found.good)


def _fill(sums: Sums) -> Told:
    found = sums["filled"]
    if not found.units or not found.measure_sum:
        return refuse("no order that shipped within this window says how much was ordered and how much was shipped")
    inputs = {"ordered": found.measure_sum, "shipped": found.other_sum or 0.0}
    return Told(inputs["shipped"] / found.measure_sum, inputs, {"orders": found.units, "complete": found.good})


def _interval(units: str, quantile: str, needs: tuple[str, str]) -> Callable[[Sums], Told]:
    """Return how long it took, at a quantile, in open time; the elapsed time stands beside it."""

    def reckon(sums: Sums) -> Told:
        missing = [m for m in needs if m not in sums.terms["meanings"]]
        if missing:
            return refuse(f"the book has no milestone that means {' or '.join(missing)}")
        found = sums[units]
        if not found.measured:
            return refuse("nothing of this kind was invoiced within this window")
        inputs = {
            "calendar": sums.terms["calendar"] or "always open",
            "elapsed_s": getattr(found, f"other_{quantile}"),
            "mean_elapsed_s": (found.other_sum or 0.0) / found.measured,
        }
        return Told(getattr(found, f"measure_{quantile}"), inputs, {"measured": found.units, "orders": found.orders})

    return reckon


def _detect(sums: Sums) -> Told:
    found = sums["exceptions"]
    if not found.units:
        return refuse("nothing went wrong within this window")
    return Told(found.measure_p50, {"p90_s": found.measure_p90}, {"exceptions": found.units})


def _resolve(sums: Sums) -> Told:
    found = sums["exceptions"]
    if found.other_p50 is None:
        return refuse("nothing that went wrong within this window has been resolved", exceptions=found.units)
    return Told(found.other_p50, {"p90_s": found.other_p90}, {"exceptions": found.units, "resolved": found.good})


def _money(units: str, noun: str, part: str = "amount_sum") -> Callable[[Sums], Told]:
    """Return the money behind some units, the count of them first; what has no rate is counted and not priced."""

    def reckon(sums: Sums) -> Told:
        found = sums[units]
        if part == "good_amount":
            counts = {noun: found.good, "ended": found.units, "not_priced": found.unpriced_units}
        else:
            counts = {noun: found.units, "orders": found.orders, "not_priced": found.unpriced_units}
        return Told(getattr(found, part) or Decimal(0), {"currency": sums.terms["currency"]}, counts)

    return reckon


def _cut_off(units: str, noun: str) -> Callable[[Sums], Told]:
    priced = _money(units, noun)

    def reckon(sums: Sums) -> Told:
        missing = [m for m in ("ship", "invoice") if m not in sums.terms["meanings"]]
        return refuse(f"the book has no milestone that means {' or '.join(missing)}") if missing else priced(sums)

    return reckon


def _waiting_cash(sums: Sums) -> Told:
    found = sums["billed"]
    if not found.amount_seconds or sums.seconds <= 0:
        return refuse("no shipment with a priced order was invoiced within this window", measured=found.units)
    cash = Decimal(found.amount_seconds) / Decimal(sums.seconds)
    invoiced = found.amount_sum or Decimal(0)
    days = found.amount_seconds / float(invoiced) / _DAY_S
    yearly = sums.terms["cost_of_capital"]
    inputs = {
        "days": days, "invoiced": invoiced, "window_days": sums.seconds / _DAY_S,
        "invoiced_a_day": invoiced / Decimal(sums.seconds / _DAY_S),
        "cost_a_year": None if yearly is None else cash * yearly,
    }  # fmt: skip
    return Told(cash, inputs, {"shipments": found.units, "not_priced": found.unpriced_units})


METRICS: tuple[Counted, ...] = (
    Counted(
        "orders",
        "Orders",
        "orders",
        "",
        "orders whose first start milestone lies within the window",
        "started",
        reckon=_orders,
    ),
    Counted(
        "exceptions_per_1000",
        "Exceptions per 1,000 orders",
        "per 1,000 orders",
        "less",
        "breaches that opened within the window and were not retracted × 1,000 ÷ orders that came in",
        "exceptions",
        reckon=_exceptions,
    ),
    Counted(
        "on_time",
        "Orders on time",
        "share",
        "more",
        "orders promised within the window of which every known object was fulfilled by the "
        "promised instant ÷ all that were promised within it, cancelled ones left out",
        "promised",
        reckon=_on_time,
    ),
    Counted(
        "order_to_invoice_p50",
        "Order to invoice, median",
        "open seconds",
        "less",
        "median over invoices released within the window of the open time since their order came in",
        "invoiced",
        reckon=_interval("invoiced", "p50", ("order", "invoice")),
    ),
    Counted(
        "order_to_invoice_p90",
        "Order to invoice, nine in ten",
        "open seconds",
        "less",
        "90 % quantile over invoices released within the window of the open time since their order came in",
        "invoiced",
        reckon=_interval("invoiced", "p90", ("order", "invoice")),
    ),
    Counted(
        "ship_to_invoice_p50",
        "Ship to invoice, median",
        "open seconds",
        "less",
        "median over shipments first invoiced within the window of the open time since they left",
        "billed",
        reckon=_interval("billed", "p50", ("ship", "invoice")),
    ),
    Counted(
        "ship_to_invoice_p90",
        "Ship to invoice, nine in ten",
        "open seconds",
        "less",
        "90 % quantile over shipments first invoiced within the window of the open time since they left",
        "billed",
        reckon=_interval("billed", "p90", ("ship", "invoice")),
    ),
    Counted(
        "stages_in_time",
        "Stages in time",
        "share",
        "more",
        "stages with a deadline that ended within the window by their deadline ÷ all that ended within it",
        "clocks",
        reckon=_in_time,
    ),
    Counted(
        "fill_rate",
        "Fill rate",
        "share",
        "more",
        "quantity shipped, no more than was ordered ÷ quantity ordered, over orders that "
        "first shipped within the window",
        "filled",
        reckon=_fill,
    ),
    Counted(
        "time_to_detect",
        "Time to detect",
        "seconds",
        "less",
        "median time from the start of a breach until the tower saw it",
        "exceptions",
        reckon=_detect,
    ),
    Counted(
        "time_to_resolve",
        "Time to resolve",
        "seconds",
        "less",
        "median time from the start of a breach to its end, over those that have ended",
        "exceptions",
        reckon=_resolve,
        where="good",
    ),
    Counted(
        "touches_per_100",
        "Manual touches per 100 orders",
        "per 100 orders",
        "less",
        "acts of people on orders and messages × 100 ÷ orders that came in; one click on many orders is one act",
        "touched",
        reckon=_touches,
    ),
    Counted(
        "touch_hours_per_100",
        "Manual hours per 100 orders",
        "hours per 100 orders",
        "less",
        "manual touches per 100 orders × minutes_per_touch of the book ÷ 60",
        "touched",
        reckon=_touch_hours,
    ),
    Counted(
        "healed_untouched",
        "Disagreements that ended untouched",
        "share",
        "more",
        "disagreements between systems that ended within the window without an act of a "
        "person on the order while they lasted ÷ all that ended",
        "healed",
        reckon=_healed,
    ),
    Counted(
        "escalations_per_1000",
        "Escalations per 1,000 orders",
        "per 1,000 orders",
        "less",
        "alerts that were escalated within the window × 1,000 ÷ orders that came in",
        "escalated",
        reckon=_escalations,
    ),
    Counted(
        "shipped_not_invoiced",
        "Shipped, not invoiced at cut-off",
        "money",
        "less",
        "shipments that had left by the end of the window without an invoice by then; an "
        "order's amount is shared evenly among its shipments",
        "unbilled",
        reckon=_cut_off("unbilled", "shipments"),
    ),
    Counted(
        "invoiced_not_shipped",
        "Invoiced, not shipped at cut-off",
        "money",
        "less",
        "invoices released by the end of the window of which nothing had left by then; an "
        "order's amount is shared evenly among its invoices",
        "unshipped",
        reckon=_cut_off("unshipped", "invoices"),
    ),
    Counted(
        "unbilled_cash",
        "Cash between shipping and invoice",
        "money",
        "less",
        "Σ amount of a shipment × time from leaving to its invoice ÷ length of the window: "
        "the money that stood there on average (Little's law); × cost_of_capital is its cost "
        "a year",
        "billed",
        reckon=_waiting_cash,
    ),
    Counted(
        "value_found",
        "Value at risk found",
        "money",
        "",
        "amounts of the orders with a breach that opened within the window, each order once",
        "exceptions",
        reckon=_money("exceptions", "exceptions"),
    ),
    Counted(
        "value_moved",
        "Value moved after an act",
        "money",
        "more",
        "amounts of the orders with an act that was verified within the window, each order "
        "once. Some would have moved by themselves; what the tower earned tells how many",
        "acted",
        reckon=_money("acted", "verified_acts", "good_amount"),
        where="good",
    ),
)
BY_ID = {m.id: m for m in METRICS}
# Every query behind the figures.
UNITS = (
    "started", "exceptions", "promised", "invoiced", "billed", "clocks", "filled", "touched", "healed", "unbilled",
    "unshipped", "acted", "escalated",
)  # fmt: skip
# What `measure`, `other` and `good` are in the rows of each query; '' where they say nothing.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "started": ("", "", ""),
    "exceptions": ("seconds until seen", "seconds until resolved", "resolved"),
    "promised": ("seconds after the promise", "", "kept"),
    "invoiced": ("open seconds", "elapsed seconds", ""),
    "billed": ("open seconds", "elapsed seconds", ""),
    "clocks": ("open seconds", "elapsed seconds", "in time"),
    "filled": ("ordered", "shipped", "complete"),
    "touched": ("", "", ""),
    "healed": ("seconds it lasted", "", "untouched"),
    "unbilled": ("seconds since it left", "", ""),
    "unshipped": ("seconds since it was released", "", ""),
    "acted": ("seconds until proof", "", "verified"),
    "escalated": ("seconds after it opened", "", ""),
}
# What can be told by stage: units whose rows know theirs, with the figures that are shares or sums of them alone.
STAGED = ("exceptions", "clocks", "touched", "acted")


def freed(before: Told, now: Told) -> Told:
    """Return the cash that shorter waiting set free: days won since the baseline × money invoiced a day now."""
    if before.value is None or now.value is None:
        return refuse("needs the waiting cash of a locked baseline and of this window")
    days = float(before.inputs["days"]) - float(now.inputs["days"])
    a_day = Decimal(now.inputs["invoiced_a_day"])
    return Told(Decimal(days) * a_day, {"days": days, "invoiced_a_day": a_day}, now.counts)


FREED = Metric(
    "cash_freed", "Cash freed since the baseline", "money", "more",
    "(amount-weighted days from leaving to invoice in the baseline − the same now) × money invoiced a day now",
    "billed",
)  # fmt: skip
