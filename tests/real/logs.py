"""Logs of other people's processes as events: a purchase, a bill, a fine, a ticket is an order, what happened its milestones.

Small books of our own ask what can be asked of such a log. Nothing here judges anything. `O2C_LOGS=full` takes every case.
"""

from __future__ import annotations

import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import pandas as pd

from tests.engine.oracle import Ref, Said
from tests.real.convert import DATA

BOOKS = Path(__file__).with_name("books") / "logs"
FULL = os.environ.get("O2C_LOGS") == "full"


@dataclass(frozen=True)
class Log:
    """One log: its file, which share of its cases is taken (one in so many), and how a row becomes events."""

    name: str
    file: str
    one_in: int
    says: Callable[[pd.DataFrame], Iterator[Said]]

    def rows(self) -> pd.DataFrame:
        """Return the log in order of time: case, activity, at, lifecycle; whole cases only."""
        with gzip.open(DATA / self.file, "rt") as text:
            rows = pd.read_csv(text, dtype=str, keep_default_na=False)
        rows = rows.rename(columns={"case_id": "case"})
        rows["at"] = pd.to_datetime(rows.timestamp, utc=True, format="ISO8601")
        taken = rows["case"].map(lambda case: FULL or crc32(case.encode()) % self.one_in == 0)
        return rows[taken].sort_values("at", kind="stable").reset_index(drop=True)


def _told(rows: pd.DataFrame, words: dict[str, tuple[str, str]]) -> Iterator[Said]:
    """Yield one event on the case for each row whose activity is known: (kind, milestone or milestone.suffix)."""
    for number, case, activity, at in zip(rows.index, rows["case"], rows.activity, rows["at"], strict=True):
        if activity in words:
            kind, milestone = words[activity]
            yield _said(f"{number}", at, kind, milestone, ("order", case))


def _said(key: str, at: pd.Timestamp, kind: str, name: str, ref: Ref, above: Ref | None = None) -> Said:
    milestone, _, polarity = name.partition(".")
    links = ((ref, above, False),) if above else ()
    return Said(key, at.to_pydatetime(), kind, milestone, polarity or "reached", (ref,), links)


def _purchases(rows: pd.DataFrame) -> Iterator[Said]:
    """The vendor and the ERP tell of one invoice; each receipt is an invoice, a cancellation takes back the last one."""
    yield from _told(
        rows,
        {
            "Create Purchase Order Item": ("erp", "ordered"),
            "Record Goods Receipt": ("erp", "goods_received"),
            "Vendor creates invoice": ("vendor", "invoice_made"),
            "Record Invoice Receipt": ("erp", "invoice_made"),
            "Change Price": ("erp", "price_changed"),
            "Set Payment Block": ("erp", "payment_blocked"),
            "Remove Payment Block": ("erp", "payment_freed"),
            "Clear Invoice": ("erp", "invoice_cleared"),
        },
    )
    standing: dict[str, list[Ref]] = defaultdict(list)
    receipts: dict[str, int] = defaultdict(int)
    for number, row in rows.iterrows():
        order = ("order", row["case"])
        if row.activity == "Record Invoice Receipt":
            receipts[row["case"]] += 1
            invoice = ("invoice", f"{row['case']}/{receipts[row['case']]}")
            standing[row["case"]].append(invoice)
            yield _said(f"{number} i", row["at"], "erp", "invoice_recorded", invoice, order)
        elif row.activity == "Cancel Invoice Receipt" and standing[row["case"]]:
            yield _said(
                f"{number} c", row["at"], "erp", "invoice_recorded.reversed", standing[row["case"]].pop(), order
            )


def _bills(rows: pd.DataFrame) -> Iterator[Said]:
    words = {
        "NEW": "opened", "RELEASE": "released", "CODE OK": "coded", "CODE NOK": "coded.failed", "CODE ERROR": "coded.failed",
        "BILLED": "billed", "STORNO": "billed.reversed", "REOPEN": "reopened", "DELETE": "deleted",
    }  # fmt: skip
    yield from _told(rows, {activity: ("erp", milestone) for activity, milestone in words.items()})


def _fines(rows: pd.DataFrame) -> Iterator[Said]:
    words = {
        "Create Fine": "created", "Send Fine": "sent", "Insert Fine Notification": "notified", "Payment": "paid",
        "Insert Date Appeal to Prefecture": "appealed", "Add penalty": "penalty_added",
    }  # fmt: skip
    yield from _told(rows, {activity: ("erp", milestone) for activity, milestone in words.items()})
    for number, row in rows[rows.activity == "Payment"].iterrows():
        yield _said(
            f"{number} p",
            row["at"],
            "erp",
            "payment_applied",
            ("payment", f"{row['case']}/{number}"),
            ("order", row["case"]),
        )


def _tickets(rows: pd.DataFrame) -> Iterator[Said]:
    for number, row in rows.iterrows():
        waits = row.activity == "Accepted" and row.lifecycle.startswith("Wait")
        works = row.activity == "Accepted" and row.lifecycle == "In Progress"
        milestone = (
            "waiting"
            if waits
            else "working"
            if works
            else {"Queued": "queued", "Completed": "completed"}.get(row.activity)
        )
        if milestone:
            yield _said(f"{number}", row["at"], "support", milestone, ("order", row["case"]))


LOGS = {
    log.name: log
    for log in (
        Log("purchases", "process_logs/bpic2019_p2p_sample.csv.gz", 12, _purchases),
        Log("bills", "process_logs/hospital_billing_sample.csv.gz", 2, _bills),
        Log("fines", "process_logs/road_fines_sample.csv.gz", 1, _fines),
        Log("tickets", "process_logs/bpic2013_incidents_sample.csv.gz", 8, _tickets),
    )
}


@dataclass(frozen=True)
class Flow:
    """A document of the SAP document flow, on the way to its order."""

    kind: str  # J delivery, R goods issue, M invoice
    number: str
    before: str
    at: datetime


def document_flow() -> tuple[dict[str, datetime], list[Flow]]:
    """Return when each order was first followed, and which document followed which when; one row a pair, the first."""
    with gzip.open(DATA / "sap_document_flow/vbfa_sample.csv.gz", "rt") as text:
        rows = pd.read_csv(text, dtype=str, keep_default_na=False)
    rows["at"] = pd.to_datetime(rows.ERDAT + rows.ERZET, format="%Y%m%d%H%M%S", utc=True)
    rows = rows.sort_values("at", kind="stable").drop_duplicates(["VBELV", "VBELN"])
    orders = {str(n): t.to_pydatetime() for n, t in rows[rows.VBTYP_V == "C"].groupby("VBELV")["at"].min().items()}
    flows = [
        Flow(kind, number, before, at.to_pydatetime().astimezone(UTC))
        for kind, number, before, above, at in zip(
            rows.VBTYP_N, rows.VBELN, rows.VBELV, rows.VBTYP_V, rows["at"], strict=True
        )
        if (above, kind) in {("C", "J"), ("J", "R"), ("J", "M")}
    ]
    return orders, flows


def documents() -> Iterator[Said]:
    """Yield the document flow: a delivery is a shipment of its order, its goods issue and its invoices hang from it."""
    orders, flows = document_flow()
    for number, at in orders.items():
        yield Said(f"C {number}", at, "erp", "order_accepted", "reached", (("order", number),))
    for flow in flows:
        delivery = ("shipment", flow.number if flow.kind == "J" else flow.before)
        key = f"{flow.kind} {flow.number} {flow.before}"
        if flow.kind == "J":
            links = ((delivery, ("order", flow.before), False),)
            yield Said(key, flow.at, "erp", "delivery_created", "reached", (delivery,), links)
        elif flow.kind == "R":
            yield Said(key, flow.at, "erp", "goods_issued", "reached", (delivery,))
        else:
            invoice = ("invoice", flow.number)
            yield Said(key, flow.at, "erp", "invoice_released", "reached", (invoice,), ((invoice, delivery, False),))
