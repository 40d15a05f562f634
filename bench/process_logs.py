"""Other people's process logs as clocks: steps with a start and a stop."""

from __future__ import annotations

import ast
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

DATA = Path(__file__).parents[2] / "shared" / "data"
Clock = tuple[int, int | None]  # epoch milliseconds of start and stop; None: it had not stopped when the log ends
Traces = Mapping[str, list[tuple[int, str]]]  # by case: (epoch ms, activity), by time
_SANE = (1_512_086_400_000, 1_577_836_800_000)  # December 2017 to 2019


def order_log(folder: Path = DATA) -> dict[str, list[Clock]]:
    """Return the steps of the simulated order log: orders, items and packages, cut off at a moment."""
    names = ("orders", "items", "packages")
    traces: dict[str, dict[str, list[tuple[int, str]]]] = {name: defaultdict(list) for name in names}
    with gzip.open(folder / "order_management_log/order_management_until_2019-08-01.csv.gz", "rt", newline="") as text:
        for row in csv.DictReader(text):
            at = _ms(row["ocel:timestamp"])
            for name, found in traces.items():
                cell = row[f"ocel:type:{name}"].strip()
                for one in ast.literal_eval(cell) if cell else ():
                    found[str(one)].append((at, row["ocel:activity"]))
    return {
        "confirm": step(traces["orders"], "place order", "confirm order"),
        "pay": step(traces["orders"], "confirm order", "pay order"),
        "pick": step(traces["items"], "place order", "pick item"),
        "send": step(traces["packages"], "create package", "send package"),
        "deliver": step(traces["packages"], "send package", "package delivered"),
    }


def purchase_log(folder: Path = DATA) -> dict[str, list[Clock]]:
    """Return the steps of the real purchase-to-pay log; its wrong years are left out."""
    traces: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with gzip.open(folder / "process_logs/bpic2019_p2p_sample.csv.gz", "rt", newline="") as text:
        for row in csv.DictReader(text):
            at = _ms(row["timestamp"])
            if _SANE[0] < at < _SANE[1]:
                traces[row["case_id"]].append((at, row["activity"]))
    return {
        "receipt": step(traces, "Create Purchase Order Item", "Record Goods Receipt"),
        "invoice": step(traces, "Record Goods Receipt", "Record Invoice Receipt"),
        "clear": step(traces, "Record Invoice Receipt", "Clear Invoice"),
    }


def billing_log(folder: Path = DATA) -> dict[str, list[Clock]]:
    """Return the steps of the real hospital billing log."""
    traces: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with gzip.open(folder / "process_logs/hospital_billing_sample.csv.gz", "rt", newline="") as text:
        for row in csv.DictReader(text):
            traces[row["case_id"]].append((_ms(row["timestamp"]), row["activity"]))
    return {"release": step(traces, "FIN", "RELEASE"), "bill": step(traces, "CODE OK", "BILLED")}


LOGS = {"order log": order_log, "purchase log": purchase_log, "billing log": billing_log}


def step(traces: Traces, start: str, stop: str) -> list[Clock]:
    """Return one clock a case: from its first `start` to the first `stop` after that."""
    clocks: list[Clock] = []
    for trace in traces.values():
        events = sorted(trace)
        begun = next((at for at, activity in events if activity == start), None)
        if begun is not None:
            clocks.append((begun, next((at for at, activity in events if activity == stop and at >= begun), None)))
    return sorted(clocks, key=lambda c: (c[0], c[1] or 0))


def last_instant(steps: Iterable[list[Clock]]) -> int:
    """Return when a log ends, without the one in two hundred that lies furthest out."""
    instants = sorted(stop or start for clocks in steps for start, stop in clocks)
    return instants[int(len(instants) * 0.995)]


def _ms(text: str) -> int:
    at = datetime.fromisoformat(text.replace(" ", "T"))
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
