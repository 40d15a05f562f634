"""A colleague of the demo's operator: retries every other stuck order after a while and leaves the rest alone.

Which order is a matter of chance, not of what is wrong with it; so those that are left are fair twins of those retried,
and the tower can say what retrying wins. Speaks HTTP only, under a key of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

EVERY_S = 4.0
PATIENCE_S = 12  # how long an order is stuck before the colleague looks at it
SHARE = 2
log = structlog.get_logger("tower.demo")


def lot(order_id: str) -> bool:
    """Return whether the colleague takes care of an order: half of all, and always the same."""
    return hashlib.sha256(f"shift {order_id}".encode()).digest()[0] % SHARE == 0


def wants(row: Mapping[str, Any]) -> bool:
    """Return whether a row of the board is to be retried now."""
    stuck_s = row["age_s"] if row["state"] == "failing" else row["overdue_s"]
    return bool(row["retryable"] and not row["retries"] and (stuck_s or 0) >= PATIENCE_S and lot(str(row["order_id"])))


class Shift:
    """Looks at the board every few seconds and retries what is its own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.retried = 0

    async def run(self) -> None:
        """Work until cancelled; a tower that does not answer is asked again."""
        while True:
            try:
                await self.look()
            except httpx.HTTPError as error:
                log.warning("shift_unheard", error=str(error) or type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Retry what is due once; return how many orders that were."""
        reply = await self._client.get("/v1/orders", params={"state": "stuck", "sort": "-age", "limit": "500"})
        reply.raise_for_status()
        chosen = [row for row in reply.json()["orders"] if wants(row)]
        for row in chosen:
            order = {"order_id": row["order_id"], "version": row["version"]}
            body = {"kind": "retry", "orders": [order], "stage": row["stage"], "reason": "taken care of by the shift"}
            key = f"shift-{row['order_id']}-{row['stage']}"
            await self._client.post("/v1/actions", json=body, headers={"Idempotency-Key": key})
        self.retried += len(chosen)
        return len(chosen)
