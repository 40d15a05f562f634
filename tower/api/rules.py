"""GET /v1/rules: the rulebook in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from rules.compile.authority import configured
from rules.compile.doubts import can_find
from rules.model import Book, FindingRule, Milestone, Stage, When
from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.versions import versions_of
from tower.api.wire import Json
from tower.model.connections import Connections

router = APIRouter()
_VERSIONS = 20
_EXAMPLE = {
    "hash": "a1b2c3", "currency": "EUR",
    "process": {"start": ["order_captured"], "done": [{"milestone": "delivered", "per": "shipment"}], "cancelled": []},
    "milestones": [
        {
            "milestone": "order_captured", "object": "order", "means": "", "after": [],
            "authority": [{"kind": "edi", "when": [{"channel": "in edi"}], "configured": True, "connections": ["edi"]}],
        }
    ],
    "stages": [],
    "findings": [
        {
            "id": "crm-hears-late", "kind": "sync_late", "label": "Crm hears late", "milestone": "shipment_confirmed",
            "system": "crm", "within_s": 900, "judged": True, "when": [], "owner": "", "runbook": "", "severity": "",
            "where": "book.yaml:40",
        }
    ],
    "score": {"value": 30, "tiers": {}, "promise": 20, "cash": 10, "ageing": 5, "odds": 30},
    "priorities": [], "actions": [], "feeds": [], "versions": [],
}  # fmt: skip


@router.get("/v1/rules", summary="The rulebook in force", responses=answers(_EXAMPLE))
def show_rules(context: Context, _: Caller) -> Response:
    """Show what is promised, who has the word about each milestone, and what can be done."""
    told = plain_book(context.book(), context.connections)
    return Json({**told, "versions": versions_of(context.store, _VERSIONS)})


def plain_book(book: Book, connections: Connections) -> dict[str, Any]:
    """Return the book as JSON; each owner of a milestone with the connections that can speak for it."""
    kinds = connections.kinds
    return {
        "hash": book.hash,
        "currency": book.value.currency,
        "process": {
            "start": list(book.process.start),
            "done": [{"milestone": d.milestone, "per": d.per} for d in book.process.done],
            "cancelled": list(book.process.cancelled),
        },
        "milestones": [_milestone(m, connections) for m in book.milestones.values()],
        "stages": [plain_stage(s) for s in book.stages],
        "findings": [plain_finding(f, kinds) for f in book.findings],
        "score": asdict(book.score),
        "priorities": [{"name": p.name, "when": _when(p.when)} for p in book.priorities],
        "actions": [
            {
                "id": a.id, "kind": a.kind, "stage": a.stage, "target": a.target, "safety": a.safety,
                "verify": {"milestone": a.verify.milestone, "within_s": a.verify.within_s},
                "attempts": a.policy.attempts, "automatic": a.policy.automatic,
            }
            for a in book.actions
        ],
        "feeds": [
            {"connection": f.connection, "quiet_after_s": f.quiet_after_s, "every_s": f.every_s, "cron": f.cron}
            for f in book.feeds
        ],
    }  # fmt: skip


def plain_stage(s: Stage) -> dict[str, Any]:
    """Return a stage as JSON."""
    return {
        "id": s.id, "label": s.label or s.id, "from": s.start.milestone, "to": s.end.milestone, "per": s.per,
        "within_s": s.budget.within_s, "until": s.budget.until, "plus_s": s.budget.plus_s,
        "calendar": s.calendar, "at_risk": None if s.at_risk is None else str(s.at_risk),
        "odds": None if s.odds is None else str(s.odds),
        "pause": [{"from": p.start, "to": p.end} for p in s.pauses],
        "reset": list(s.resets), "cancel": list(s.cancels),
        "when": _when(s.when), "owner": s.owner, "runbook": s.runbook, "severity": s.severity,
        "tiers": [
            {"when": _when(t.when), "within_s": t.budget.within_s if t.budget else None, "calendar": t.calendar}
            for t in s.tiers
        ],
        "where": s.where,
    }  # fmt: skip


def plain_finding(rule: FindingRule, kinds: frozenset[str] | None) -> dict[str, Any]:
    """Return a rule of `findings` as JSON."""
    asked = {
        "out_of_order": ("first", "then"),
        "diverging": ("fact", "systems"),
        "sync_late": ("milestone", "system", "within_s"),
        "duplicate": ("milestone", "per"),
    }[rule.kind]
    told = {name: list(value) if isinstance(value := getattr(rule, name), tuple) else value for name in asked}
    return {
        "id": rule.id, "kind": rule.kind, "label": rule.label or rule.id, **told,
        **({} if rule.kind == "sync_late" else {"settle_s": rule.settle_s}),
        "judged": can_find(rule, kinds), "when": _when(rule.when), "owner": rule.owner, "runbook": rule.runbook,
        "severity": rule.severity, "where": rule.where,
    }  # fmt: skip


def _milestone(milestone: Milestone, connections: Connections) -> dict[str, Any]:
    speaking = configured(milestone, connections.kinds).authority
    return {
        "milestone": milestone.name,
        "object": milestone.object,
        "means": milestone.means,
        "after": list(milestone.after),
        "authority": [
            {
                "kind": a.kind, "when": _when(a.when), "configured": a in speaking,
                "connections": [c.name for c in connections.entries if c.kind == a.kind],
            }
            for a in milestone.authority
        ],
    }  # fmt: skip


def _when(when: When) -> list[dict[str, str]]:
    """Return the groups of a matcher, any of which must hold, each as {attribute: "op values"}."""
    return [
        {c.attribute: f"{c.op} {c.number if c.number is not None else ', '.join(c.values)}" for c in group}
        for group in when.any_of
    ]
