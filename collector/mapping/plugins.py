"""What an expression cannot work out: Python functions that give a `foreach` its items.

A plugin looks at what expressions look at and returns a list of dicts; the mapping says the rest. So what it gives goes
through the same rules as everything else: named values only, ids by key, times with a zone.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from collector.mapping.errors import Unusable
from collector.mapping.numbers import number

Plugin = Callable[[dict[str, Any]], list[dict[str, Any]]]


def netsuite_unapplied(root: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a customer payment leaves unapplied, `{"amount": ...}`, nothing when every cent has its invoice.

    JMESPath knows no subtraction. Source: NetSuite customer payment record, `payment` and `apply.items[].amount`.
    """
    body = root["body"]
    lines = body.get("apply")
    items = lines.get("items") if isinstance(lines, dict) else lines
    if not isinstance(items, list) or body.get("payment") is None:
        return []
    applied = Decimal(0)
    for item in items:
        if isinstance(item, dict) and item.get("apply", True) in (True, "T", "true") and item.get("amount") is not None:
            applied += number(item["amount"])
    left = number(body["payment"]) - applied
    if left < 0:
        raise Unusable(f"{applied} are applied of a payment of {body['payment']}")
    return [{"amount": left}] if left else []


PLUGINS: dict[str, Plugin] = {
    "netsuite_unapplied": netsuite_unapplied,
}
