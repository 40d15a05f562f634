"""What the Targets page says of each place that actions go to; pure, from the API's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.tower_ui import fmt

_WINDOWS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


@dataclass(frozen=True, slots=True)
class LimitView:
    """One window of a rate or a budget."""

    calls: int
    seconds: int
    used: int

    @property
    def full(self) -> bool:
        """Whether nothing more goes out for now."""
        return self.used >= self.calls

    @property
    def text(self) -> str:
        """Used of allowed, and in what time."""
        return f"{self.used:,} of {self.calls:,} per {_WINDOWS.get(self.seconds, f'{self.seconds} s')}"


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target as the page shows it."""

    name: str
    kind: str
    url: str
    health: str
    breaker: str
    failures: int
    opens_at: int
    retry_at: datetime | None
    well_at: datetime | None
    unreached_since: datetime | None
    said: str
    waiting: int
    limits: tuple[LimitView, ...]
    answers: tuple[Mapping[str, Any], ...]
    actions: tuple[str, ...]

    @property
    def left_alone(self) -> bool:
        """Whether the breaker holds calls back."""
        return self.breaker != "closed"

    @property
    def word(self) -> str:
        """The state in words; never colour alone."""
        if self.breaker == "open":
            return "Left alone"
        if self.breaker == "half_open":
            return "Being tried"
        return {"well": "Works", "failing": "Failing", "unreachable": "Unreachable"}.get(self.health, "Not called yet")

    @property
    def tone(self) -> str:
        """The colour of the state."""
        if self.left_alone or self.health == "unreachable":
            return "failing"
        return {"well": "good", "failing": "at_risk"}.get(self.health, "muted")

    @property
    def mark(self) -> str:
        """The shape before the word."""
        return {"failing": "■", "at_risk": "▲", "good": "●"}.get(self.tone, "○")

    def todo(self, now: datetime) -> str:
        """What somebody should do about it; '' for nothing."""
        waits = f" {fmt.plural(self.waiting, 'item')} wait." if self.waiting else ""
        if self.breaker == "open":
            left = max(0.0, (self.retry_at - now).total_seconds()) if self.retry_at else 0.0
            soon = f"in {fmt.duration(left)}" if left else "now"
            return f"Look at the target; one call tries again {soon}, or probe it.{waits}"
        if self.breaker == "half_open":
            return f"Wait for the one call that tries.{waits}"
        if self.health == "unreachable":
            return f"Check its address, the network and the secret.{waits}"
        if any(limit.full for limit in self.limits):
            return f"Its budget is used up; raise it in the rulebook or wait.{waits}"
        return ""


def read_targets(body: Mapping[str, Any]) -> list[TargetView]:
    """Return the targets, those that need somebody first."""
    found = [_target(t) for t in body.get("targets") or ()]
    return sorted(found, key=lambda t: (t.tone != "failing", t.tone != "at_risk", t.name))


def _target(t: Mapping[str, Any]) -> TargetView:
    breaker: Mapping[str, Any] = t.get("breaker") or {}
    limits: Sequence[Mapping[str, Any]] = t.get("limits") or ()
    return TargetView(
        name=str(t.get("name", "")),
        kind=str(t.get("kind", "")),
        url=str(t.get("url", "")),
        health=str(t.get("health", "")),
        breaker=str(breaker.get("state") or "closed"),
        failures=int(breaker.get("failures") or 0),
        opens_at=int(breaker.get("opens_at") or 0),
        retry_at=fmt.instant(breaker.get("retry_at")),
        well_at=fmt.instant(t.get("well_at")),
        unreached_since=fmt.instant(t.get("unreached_since")),
        said=str(t.get("said") or ""),
        waiting=int(t.get("waiting") or 0),
        limits=tuple(LimitView(int(x["calls"]), int(x["seconds"]), int(x["used"])) for x in limits),
        answers=tuple(t.get("answers") or ()),
        actions=tuple(str(a) for a in t.get("actions") or ()),
    )
