"""Targets that are down, as breaches: what waits behind one is not told order by order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from rules.match import OF_BREACHES
from tower.alerts.breach import Breach
from tower.alerts.suppress import TARGET_DOWN


class DownTargets:
    """Remembers which targets were down, and tells of those that change."""

    def __init__(self) -> None:
        self._down: dict[str, Breach] = {}

    def restore(self, known: dict[str, Breach]) -> None:
        """Take up those that alerts hold open."""
        self._down = {b.text("target"): b for b in known.values() if b.text("kind") == TARGET_DOWN and b.is_open}

    def changes(self, rows: Iterable[tuple[str, datetime | None, str]], now: datetime) -> list[Breach]:
        """Return the targets that went down or are well again since the last look; rows: those that are down now."""
        down = {name: (opened_at or now, said) for name, opened_at, said in rows}
        news = [breach_of(name, at, now, said) for name, (at, said) in down.items() if name not in self._down]
        over = [
            Breach(b.breach_id, "resolved", b.opened_at, b.detected_at, now, b.facts)
            for name, b in self._down.items()
            if name not in down
        ]
        self._down = {n: b for n, b in self._down.items() if n in down} | {b.text("target"): b for b in news}
        return [*news, *over]


def breach_of(target: str, opened_at: datetime, now: datetime, said: str) -> Breach:
    """Return the breach of a target whose breaker is open; its id is the target and when it opened."""
    digest = hashlib.sha256(f"target\x1f{target}\x1f{opened_at.isoformat()}".encode()).hexdigest()[:16]
    facts: dict[str, str | Decimal | None] = dict.fromkeys(OF_BREACHES.texts, "")
    facts |= {"kind": TARGET_DOWN, "rule": f"target.{target}", "target": target, "object_type": "target"}
    facts |= {"object_id": target, "error": said[:300]}
    return Breach(digest, "open", opened_at, now, None, facts)
