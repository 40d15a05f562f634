"""Events as a sender writes them, and what every test here does with a tower."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

BOOKS = Path(__file__).with_name("books")
TWO_DAYS_AGO = (datetime.now(UTC) - timedelta(days=2)).replace(microsecond=0)
NDJSON = {"Content-Type": "application/x-ndjson"}


def rfc3339(at: datetime) -> str:
    """Return an instant as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(source: str, name: str, milestone: str, at: datetime, **data: Any) -> dict[str, Any]:
    """Return one structured CloudEvent."""
    head = {"specversion": "1.0", "id": name, "source": source, "type": f"o2c.{milestone}", "time": rfc3339(at)}
    return {**head, "data": data} if data else head


def lines(events: list[dict[str, Any]]) -> bytes:
    """Return events as NDJSON."""
    return b"".join(json.dumps(e).encode() + b"\n" for e in events)


def send(client: httpx.Client, *events: dict[str, Any], wait: bool = True) -> None:
    """Send events that must be accepted and, if asked to, wait for the verdicts."""
    reply = client.post(
        "/v1/events", params={"wait": "stored"} if wait else {}, content=lines(list(events)), headers=NDJSON
    )
    assert reply.status_code == 200, reply.text
    assert reply.json()["accepted"] == len(events), reply.text


def page(client: httpx.Client, order: str, **query: str) -> dict[str, Any]:
    """Return the page of an order."""
    reply = client.get(f"/v1/orders/{order}", params=query)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def clock(client: httpx.Client, order: str, stage: str, **query: str) -> dict[str, Any]:
    """Return the one clock of a stage on an order."""
    (found,) = [c for c in page(client, order, **query)["clocks"] if c["stage"] == stage]
    return dict(found)


def breaches(client: httpx.Client, order: str, **query: str) -> list[dict[str, Any]]:
    """Return the breaches of an order."""
    reply = client.get("/v1/breaches", params={"order_id": order, **query})
    assert reply.status_code == 200, reply.text
    return list(reply.json()["breaches"])


def accepted(name: str, **data: str) -> dict[str, Any]:
    """Return the event that an order was accepted two days ago."""
    return event("/erp/main", f"{name}-a", "order_accepted", TWO_DAYS_AGO, order_id=name, **data)


def until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again, for a minute at most, until something holds."""
    for _ in range(300):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"it never came to this: {what}")
