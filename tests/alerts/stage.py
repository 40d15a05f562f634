"""A desk on which a test lets breaches open and cease by the second, and hears what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.match import OF_BREACHES, parse_when
from rules.parse import parse_book
from tests.rules.test_broken import BASE
from tower.alerts.breach import Breach
from tower.alerts.desk import Acknowledged, Desk, Plan
from tower.alerts.notice import SUMMARY, Notice
from tower.alerts.suppress import Silence

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday


def plan_of(text: str) -> Plan:
    """Return the plan of the routes, receivers and so on in a YAML text, joined to a small book."""
    return Plan.of(parse_book({"base.yaml": BASE, "routes.yaml": text}))


def breach(name: str, at: datetime, state: str = "open", **facts: Any) -> Breach:
    """Return a breach of that name; its facts are order attributes and so on."""
    values: dict[str, str | Decimal | None] = {"rule": "ship", "stage": "ship", "kind": "late", "order_id": name}
    values |= {k: Decimal(str(v)) if k in OF_BREACHES.numbers else str(v) for k, v in facts.items()}
    return Breach(name, state, at, at, None if state == "open" else at, values)


def said(notice: Notice, start: datetime) -> str:
    """Return a notice as the table writes it: 'seconds receiver reason: opened / ended'."""
    second = int((notice.at - start).total_seconds())
    opened, ended = (" ".join(sorted(b.breach_id for b in part)) for part in (notice.opened, notice.ended))
    about = opened + (f" / {ended}" if ended else "")
    held = " (held)" if notice.held else ""
    return f"{second} {notice.receiver} {notice.reason}{held}: {about}".strip().replace(":  /", ": /")


def play(plan: Plan, start: datetime, until_s: int, acts: Iterable[dict[str, Any]]) -> list[str]:
    """Step every second from start on, with the acts of each second, and return what was said."""
    desk = Desk(plan)
    living: dict[str, Breach] = {}
    by_second: dict[int, list[dict[str, Any]]] = {}
    for act in acts:
        by_second.setdefault(int(act["at"]), []).append(act)
    heard: list[str] = []
    for second in range(until_s + 1):
        now = start + timedelta(seconds=second)
        news: list[Breach] = []
        words: list[Acknowledged] = []
        quiet = False
        for act in by_second.get(second, []):
            for name in _names(act.get("open")):
                facts = act.get("facts", {})
                began = now - timedelta(seconds=act.get("began", 0))
                living[name] = Breach(**{**_fields(breach(name, now, **facts)), "opened_at": began})
                news.append(living[name])
            for state in ("resolved", "retracted"):
                for name in _names(act.get(state)):
                    old = living[name]
                    news.append(Breach(name, state, old.opened_at, old.detected_at, now, old.facts))
            if "silence" in act:
                when = parse_when(act["silence"], lambda *p: (_ for _ in ()).throw(AssertionError(p)), OF_BREACHES)
                ends = now + timedelta(seconds=act["for"])
                desk.silences = [*desk.silences, Silence(f"s{second}", when, now, ends)]
            if "ack" in act:
                words += [Acknowledged(alert_id, act["ack"], now) for alert_id in desk.alerts]
            quiet = quiet or bool(act.get("quiet"))
        heard += _in_order(desk.step(news, now, quiet=quiet, said=words).notices, start)
    return heard


def _in_order(notices: list[Notice], start: datetime) -> list[str]:
    """Return what was said, the equally urgent of one moment by text; that the urgent come first is asserted."""
    classes = [n.urgency[:2] for n in notices if n.reason != SUMMARY]
    assert classes == sorted(classes)
    return [said(n, start) for n in sorted(notices, key=lambda n: (n.reason == SUMMARY, n.urgency[:2], said(n, start)))]


def _names(value: Any) -> Sequence[str]:
    return value if isinstance(value, list) else [value] if value else []


def _fields(found: Breach) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Breach.__slots__}
