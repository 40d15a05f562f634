"""What the Actions page says of a batch: its state, how far it is, its waves, and what may be said about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.tower_ui import fmt
from dashboards.tower_ui.client import Viewer

# State -> (mark, word, tone of the chip, what it means).
STATES: dict[str, tuple[str, str, str, str]] = {
    "requested": ("?", "Needs approval", "late", "waits for a second person"),
    "running": ("●", "Running", "accent", "goes, or waits for the proof of a wave"),
    "paused": ("‖", "Paused", "late", "somebody holds it"),
    "stopped": ("✖", "Stopped", "failing", "it stopped by itself"),
    "cancelled": ("–", "Cancelled", "muted", "what was not sent was taken back"),
    "done": ("✓", "Done", "good", "nothing is left to be sent or proved"),
}
# Counter -> (word, colour of its part of a bar). In the order of a bar.
PARTS: dict[str, tuple[str, str]] = {
    "verified": ("verified", "good"),
    "accepted": ("being proved", "accent"),
    "sent": ("on the wire", "accent"),
    "no_effect": ("no effect", "failing"),
    "duplicated": ("duplicated", "failing"),
    "regressed": ("came back", "failing"),
    "failed": ("refused", "failing"),
    "expired": ("no answer", "failing"),
    "cancelled": ("cancelled", "muted"),
    "waiting": ("waiting", "groove"),
}
BAD = ("no_effect", "duplicated", "regressed", "failed", "expired")
SAFETY = {
    "R0": "replay into the tower",
    "R1": "redelivery",
    "R2": "may repeat a business effect",
    "R3": "moves money or makes a legal document",
}
_STEPS = {
    "requested": ("approve", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "stopped": ("resume", "cancel"),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One action as the page shows it."""

    action_id: str
    kind: str
    state: str
    safety: str
    stage: str
    reason: str
    by: str
    at: datetime | None
    said_by: str
    said: str
    progress: Mapping[str, int]
    waves: tuple[Mapping[str, int], ...]
    least_verified: float | None
    steps: tuple[Mapping[str, Any], ...]
    arrived: int
    items: tuple[Mapping[str, Any], ...]

    @property
    def total(self) -> int:
        """How many items it has."""
        return self.progress.get("total", 0)

    @property
    def bad(self) -> int:
        """How many items ended badly."""
        return sum(self.progress.get(name, 0) for name in BAD)

    def why(self) -> str:
        """Return in a sentence why it is in its state."""
        if self.state in ("stopped", "paused", "cancelled") and self.said_by:
            return f"{self.said_by}: {self.said}" if self.said else f"by {self.said_by}"
        return STATES.get(self.state, ("", "", "", ""))[3]

    def steps_for(self, viewer: Viewer) -> tuple[str, ...]:
        """Return what this person may be offered; the tower decides again."""
        offered = _STEPS.get(self.state, ())
        may = {
            "approve": viewer.may_approve and viewer.name != self.by,
            "cancel": viewer.may_act or viewer.may_approve,
        }
        return tuple(s for s in offered if may.get(s, viewer.may_act))


def read_batch(body: Mapping[str, Any]) -> Batch:
    """Return an action of the API's list or page."""
    progress = {str(k): int(v) for k, v in (body.get("progress") or {}).items()}
    waves = tuple({str(k): int(v) for k, v in w.items()} for w in body.get("waves") or ())
    arrived = (body.get("arrived_since") or {}).get("orders") or 0
    return Batch(
        str(body.get("action_id") or ""), str(body.get("kind") or ""), str(body.get("state") or ""),
        str(body.get("safety") or ""), str(body.get("stage") or ""), str(body.get("reason") or ""),
        str(body.get("requested_by") or ""), fmt.instant(body.get("requested_at")), str(body.get("state_by") or ""),
        str(body.get("state_reason") or ""), progress, waves, body.get("least_verified"),
        tuple(body.get("steps") or ()), int(arrived), tuple(body.get("items") or ()),
    )  # fmt: skip


def parts(progress: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Return (word, items, colour) of the parts that are not empty, in the order of a bar."""
    return [(word, progress[name], colour) for name, (word, colour) in PARTS.items() if progress.get(name)]


def bar(progress: Mapping[str, int]) -> str:
    """Return a bar of the parts as HTML, with the same in words for those who do not see it."""
    total = progress.get("total") or 0
    found = parts(progress)
    said = ", ".join(f"{n:,} {word}" for word, n, _ in found) or "nothing"
    inside = "".join(
        f'<i style="width:{n / total * 100:.3f}%;background:var(--t-{colour})"></i>' for _, n, colour in found if total
    )
    return f'<span class="t-parts" role="img" aria-label="{said}" title="{said}">{inside}</span>'
