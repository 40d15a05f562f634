"""How many notices a receiver gets in a time, and the one summary of what was held back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rules.model import Receiver
from tower.alerts.notice import SUMMARY, Notice
from tower.alerts.tree import notice_id_of

Held = tuple[str, str, str, datetime]  # notice id, alert id, priority, when


class Caps:
    """Counts per receiver. What a route sends at once is never held back, and counts."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[datetime]] = {}
        self._held: dict[str, list[Held]] = {}

    def remember(self, receiver: str, at: datetime) -> None:
        """Note a notice that went out before."""
        self._sent.setdefault(receiver, deque()).append(at)

    def remember_held(self, receiver: str, held: Held) -> None:
        """Note a notice that was held back before and is in no summary yet."""
        self._held.setdefault(receiver, []).append(held)

    def judge(self, notices: Iterable[Notice], receivers: Mapping[str, Receiver], now: datetime) -> list[Notice]:
        """Return the notices, the most urgent first, those above a cap marked held, and the summaries that are due."""
        out: list[Notice] = []
        for notice in sorted(notices, key=lambda n: n.urgency):
            receiver = receivers.get(notice.receiver)
            cap = receiver.cap if receiver else None
            sent = self._recent(notice.receiver, now, cap.per_s if cap else 0)
            if cap is not None and not notice.urgent and len(sent) >= cap.notices:
                notice = replace(notice, held=True)
                self.remember_held(notice.receiver, (notice.notice_id, notice.alert_id, notice.priority, now))
            else:
                sent.append(now)
            out.append(notice)
        return [*out, *self._summaries(receivers, now)]

    def wake_at(self, receivers: Mapping[str, Receiver]) -> datetime | None:
        """Return when the next summary is due."""
        return min((at for name in self._held if (at := self._due(name, receivers)) is not None), default=None)

    def _recent(self, name: str, now: datetime, per_s: int) -> deque[datetime]:
        sent = self._sent.setdefault(name, deque())
        while sent and sent[0] <= now - timedelta(seconds=per_s):
            sent.popleft()
        return sent

    def _due(self, name: str, receivers: Mapping[str, Receiver]) -> datetime | None:
        """The summary goes out when the first held notice has waited for the cap's time."""
        held, receiver = self._held.get(name), receivers.get(name)
        if not held:
            return None
        per_s = receiver.cap.per_s if receiver is not None and receiver.cap is not None else 0
        return held[0][3] + timedelta(seconds=per_s)

    def _summaries(self, receivers: Mapping[str, Receiver], now: datetime) -> list[Notice]:
        found = []
        for name in list(self._held):
            due = self._due(name, receivers)
            if due is None or now < due:
                continue
            held = self._held.pop(name)
            if name not in receivers:
                continue
            alerts = sorted({alert_id for _, alert_id, _, _ in held})
            best = min((priority for _, _, priority, _ in held if priority), default="")
            found.append(
                Notice(
                    notice_id_of(SUMMARY, 0, held[0][0]), "", 0, name, SUMMARY, now, {"alerts": str(len(alerts))},
                    open_count=len(held), priority=best, covers=tuple(notice_id for notice_id, *_ in held),
                )
            )  # fmt: skip
            self._recent(name, now, 0).append(now)
        return found
