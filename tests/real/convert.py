"""Other people's order data as CloudEvents, one NDJSON line each; run it to see the lines.

The mapping of activities to milestones is the one in the data folder's README. Items are order lines, packages are
shipments that hang from the items they hold, a failed delivery is a failure of `delivered`.
"""

from __future__ import annotations

import ast
import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parents[3] / "shared" / "data"


def event(source: str, name: str, milestone: str, at: str, data: dict[str, Any]) -> bytes:
    """Return one structured CloudEvent without its line end."""
    made = {"specversion": "1.0", "id": name, "source": source, "type": f"o2c.{milestone}", "time": at, "data": data}
    return json.dumps(made, separators=(",", ":")).encode()


def northwind(folder: Path) -> Iterator[bytes]:
    """Yield the orders and their shipments; days become midnight UTC, RequiredDate the promise."""
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "order_details.csv"):
        lines[row["OrderID"]].append(row)
    shippers = {row["ShipperID"]: row["CompanyName"] for row in _rows(folder / "shippers.csv")}
    for row in _rows(folder / "orders.csv"):
        order = row["OrderID"]
        data = {
            "order_id": order,
            "order_line_id": [f"{order}/{line['ProductID']}" for line in lines[order]],
            "customer_id": row["CustomerID"],
            "amount": str(sum((_line_amount(line) for line in lines[order]), Decimal(0))),
            "currency": "USD",
            "promised_at": _midnight(row["RequiredDate"]),
        }
        yield event("/erp/northwind", f"order-{order}", "order_accepted", _midnight(row["OrderDate"]), data)
        if row["ShippedDate"]:
            shipment = {"order_id": order, "shipment_id": f"{order}-1", "partner": shippers[row["ShipVia"]]}
            at = _midnight(row["ShippedDate"])
            yield event("/wms/northwind", f"shipment-{order}", "shipment_confirmed", at, shipment)


# Activity -> (source, milestone).
_ACTIVITIES = {
    "place order": ("/erp/shop", "order_accepted"),
    "confirm order": ("/erp/shop", "order_confirmed"),
    "item out of stock": ("/wms/shop", "backordered"),
    "reorder item": ("/wms/shop", "reordered"),
    "pick item": ("/wms/shop", "picked"),
    "create package": ("/wms/shop", "packed"),
    "send package": ("/wms/shop", "shipment_confirmed"),
    "package delivered": ("/carrier/shop", "delivered"),
    "failed delivery": ("/carrier/shop", "delivered.failed"),
    "pay order": ("/erp/shop", "payment_applied"),
    "payment reminder": ("/erp/shop", "dunning_sent"),
}


class LogRow(NamedTuple):
    """One row of the order log."""

    eid: str
    activity: str
    at: str
    orders: list[str]
    items: list[str]
    packages: list[str]
    price: str


def order_log_rows(folder: Path) -> Iterator[LogRow]:
    """Yield the rows of the log in its order."""
    with gzip.open(folder / "order_management_until_2019-08-01.csv.gz", "rt", newline="") as text:
        for row in csv.DictReader(text):
            ids = (_ids(row[f"ocel:type:{name}"]) for name in ("orders", "items", "packages"))
            at = row["ocel:timestamp"].replace(" ", "T")
            yield LogRow(row["ocel:eid"].removesuffix(".0"), row["ocel:activity"], at, *ids, row["price"])


def order_log(folder: Path) -> Iterator[bytes]:
    """Yield the events of the log in its order; each names only the objects that its own row names."""
    for row in order_log_rows(folder):
        source, milestone = _ACTIVITIES[row.activity]
        named = {"order_id": row.orders, "order_line_id": row.items, "shipment_id": row.packages}
        data: dict[str, Any] = {key: ids for key, ids in named.items() if ids}
        if milestone == "order_accepted":
            data |= {"amount": row.price, "currency": "EUR"}
        if milestone.endswith(".failed"):
            data["error"] = row.activity
        yield event(source, row.eid, milestone, row.at, data)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _ids(cell: str) -> list[str]:
    return list(ast.literal_eval(cell)) if cell.strip() else []


def _line_amount(line: dict[str, str]) -> Decimal:
    return Decimal(line["UnitPrice"]) * Decimal(line["Quantity"]) * (1 - Decimal(line["Discount"]))


if __name__ == "__main__":
    chosen = {"northwind": northwind, "order_management_log": order_log}[sys.argv[1]]
    for line in chosen(DATA / sys.argv[1]):
        sys.stdout.buffer.write(line + b"\n")
