"""The order log and the SAP document flow as the systems behind them would send them: each with the numbers it knows.

The shop counts orders its own way, the warehouse speaks of items and packages, the carrier of tracking numbers, the bank
of the shop's order; of a SAP delivery the warehouse knows nothing but its number.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.real.convert import event, order_log_rows


def shop(order: str) -> str:
    """Return the shop's number of an order."""
    return f"commerce_order_id:shop/{order}"


def tracking(package: str) -> str:
    """Return the carrier's number of a package."""
    return f"tracking_no:carrier/{package}"


def order_log(folder: Path) -> Iterator[bytes]:
    """Yield the events of the order log as shop, ERP, warehouse, carrier and bank would send them."""
    for row in order_log_rows(folder):
        name, at, orders, items, packages = row.eid, row.at, row.orders, row.items, row.packages
        match row.activity:
            case "place order":
                (order,) = orders
                yield event("/commerce/shop", f"{name}-shop", "order_captured", at, {"order_id": shop(order)})
                alias = [{"from": f"order:{shop(order)}", "to": f"order:{order}", "relation": "alias"}]
                data: dict[str, Any] = {"order_id": order, "order_line_id": items, "links": alias}
                yield event("/erp/main", name, "order_accepted", at, data)
            case "confirm order":
                yield event("/erp/main", name, "credit_released", at, {"order_id": orders})
            case "create package":
                (package,) = packages
                alias = [{"from": f"shipment:{tracking(package)}", "to": f"shipment:{package}", "relation": "alias"}]
                yield event(
                    "/wms/main", name, "packed", at, {"order_line_id": items, "shipment_id": package, "links": alias}
                )
            case "send package":
                yield event("/wms/main", name, "shipment_confirmed", at, {"shipment_id": packages})
            case "package delivered":
                yield event("/tms/carrier", name, "delivered", at, {"shipment_id": [tracking(p) for p in packages]})
            case "pay order":
                data = {"order_id": [shop(o) for o in orders], "payment_id": f"pay-{name}"}
                yield event("/bank/main", name, "payment_received", at, data)
            case "pick item":
                yield event("/wms/main", name, "picked", at, {"order_line_id": items})


def sap_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the document flow."""
    with gzip.open(folder / "vbfa_sample.csv.gz", "rt", newline="") as text:
        return list(csv.DictReader(text))


def sap_flow(folder: Path) -> Iterator[bytes]:
    """Yield the document flow as sales, shipping, warehouse and billing would tell it, a document at a time.

    An order is told by sales when its first document follows. A delivery names its orders; a goods movement and an
    invoice name the deliveries they follow, and an order only where no delivery lies between.
    """
    rows = sap_rows(folder)
    known: set[str] = set()
    for row in sorted(rows, key=lambda r: (r["ERDAT"], r["ERZET"])):
        if row["VBTYP_V"] == "C" and row["VBELV"] not in known:
            known.add(row["VBELV"])
            yield event("/erp/sales", f"C{row['VBELV']}", "order_accepted", _at(row), {"order_id": row["VBELV"]})
    behind_delivery = {(r["VBELN"], r["VBTYP_N"]) for r in rows if r["VBTYP_V"] == "J"}
    for number, row in enumerate(rows):
        pair = (row["VBTYP_V"], row["VBTYP_N"])
        name, at, before, document = f"row-{number}", _at(row), row["VBELV"], row["VBELN"]
        if pair == ("C", "J"):
            named = {"order_id": before, "fulfillment_id": document}
            yield event("/erp/shipping", name, "fulfillment_requested", at, named)
        elif pair == ("J", "R"):
            yield event(
                "/wms/plant", name, "shipment_confirmed", at, {"fulfillment_id": before, "shipment_id": document}
            )
        elif pair == ("J", "M"):
            yield event(
                "/erp/billing", name, "invoice_released", at, {"fulfillment_id": before, "invoice_id": document}
            )
        elif pair == ("C", "M") and (document, "M") not in behind_delivery:
            yield event("/erp/billing", name, "invoice_released", at, {"order_id": before, "invoice_id": document})


def _at(row: dict[str, str]) -> str:
    day, time = row["ERDAT"], row["ERZET"].zfill(6)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}Z"
