"""From a click to stored intent: which orders may be acted on, item by item, and the same answer to a repeated click.

Nothing is sent here. The batch is frozen first, then the items are written, then the request's own row, all synced and
all under the store's write lock, so that a double click finds the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from rules.compile.retry import cases_sql
from rules.model import Action, Book, Policy
from rules.vocabulary import STUCK_STATES
from tower.actions.batch import AT_ONCE, LEAST_VERIFIED, RAMP, Frozen, waves_of
from tower.actions.batches import broken_targets, freeze
from tower.actions.hand import BY_HAND, item_of, refusal
from tower.actions.item import ENGINE, Contract, Item, digest, item_id_of, write_items
from tower.actions.policy import by_error, chosen
from tower.actions.template import TemplateError, render, shown
from tower.actions.tried import Tried, Tries, read_tried, retry_open
from tower.model.problem import Problem
from tower.model.scope import Scope
from tower.store.client import Store
from tower.store.sql import load

_ACTION_COLUMNS = [
    "action_id", "kind", "requested_at", "requested_by", "stage", "reason", "idempotency_key", "request_hash", "reply",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for: an act of some kind, for orders as they saw them (version None: as they are)."""

    kind: str
    orders: tuple[tuple[str, str | None], ...]
    stage: str = ""
    reason: str = ""
    filter: str = ""  # JSON of the filter that chose the orders
    ramp: tuple[int, ...] = ()  # sizes of the waves, the last one repeats; empty: as usual
    least_verified: float = LEAST_VERIFIED
    objects: frozenset[int] | None = None  # only these of the stuck objects; None: all of them
    assignee: str = ""  # of kind assign; '' for whoever asks


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wish comes to: the answer per order in the order asked, the items, and the orders as they are."""

    answers: list[dict[str, Any]]
    items: list[Item]
    orders: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Clock:
    """One stuck clock of an order."""

    verdict: str
    rule: str
    object: int
    object_type: str
    object_id: str
    from_milestone: str
    to_milestone: str
    started_at: datetime
    due_at: datetime | None
    system: str
    error: str


class Intake:
    """Takes wishes for one store by one rulebook."""

    def __init__(self, store: Store, book: Book, actor: str, now: datetime, scope: Scope | None = None) -> None:
        """scope: the orders that exist for the actor."""
        self._store = store
        self._book = book
        self._actor = actor
        self._now = now
        self._scope = scope

    def repeated(self, key: str, request_hash: str) -> bytes | None:
        """Return the reply already given under this key, None for a new key; raises Problem for another body."""
        parameters = {"action_id": action_id_of(self._actor, key)}
        with self._store.reader() as client:
            rows = client.query(load("action_reply"), parameters=parameters).result_rows
        if not rows:
            return None
        if rows[0][0] != request_hash:
            raise Problem(
                422, "idempotency_key_reused", "this Idempotency-Key was used for another request; take a new one"
            )
        return str(rows[0][1]).encode()

    def request(self, wish: Wish, key: str, request_hash: str) -> bytes:
        """Store the wish and return the reply as JSON. Raises Problem when the key belongs to another request."""
        action_id = action_id_of(self._actor, key)
        with self._store.writer() as client:
            earlier = self.repeated(key, request_hash)
            if earlier is not None:
                return earlier
            plan = self._plan(client, wish, action_id)
            frozen = self._frozen(wish, action_id, plan)
            self._ask_for_reason(wish, frozen)
            reply = msgspec.json.encode({"action_id": action_id, "items": plan.answers})
            freeze(client, frozen, self._ranked(plan), self._now)
            write_items(client, plan.items)
            row = [
                action_id, wish.kind, self._now, self._actor, wish.stage, wish.reason, key, request_hash,
                reply.decode(),
            ]  # fmt: skip
            client.insert("actions", [row], column_names=_ACTION_COLUMNS)
        return reply

    def preview(self, wish: Wish, key: str) -> dict[str, Any]:
        """Return what `request` would do, with the exact request of every item, and write nothing."""
        with self._store.reader() as client:
            plan = self._plan(client, wish, action_id_of(self._actor, key))
        frozen = self._frozen(wish, "", plan)
        wires = {i.item_id: {k: v for k, v in i.wire.items() if k != "why"} for i in plan.items}
        targets = self._book.targets
        requests = {i: shown(w, targets[w["target"]]) if w["target"] else w for i, w in wires.items()}
        for answer in plan.answers:
            for part in answer["objects"]:
                part["request"] = requests.get(part.pop("item_id", ""))
        summary = _summary(frozen, plan)
        if self._by_hand(wish) and BY_HAND[wish.kind].needs_reason:
            summary["needs"] = ["reason"]
        return {"dry_run": True, "items": plan.answers, "batch": summary}

    def _by_hand(self, wish: Wish) -> bool:
        """Return whether the wish is a word about orders; what the book sends somewhere by that name goes first."""
        return wish.kind in BY_HAND and not any(a.kind == wish.kind for a in self._book.actions)

    def _ask_for_reason(self, wish: Wish, frozen: Frozen) -> None:
        if wish.reason.strip():
            return
        if self._by_hand(wish) and BY_HAND[wish.kind].needs_reason:
            raise Problem(400, "reason_missing", f"{wish.kind} needs words that others can read: say them in `reason`")
        if frozen.safety >= "R2":
            raise Problem(400, "reason_missing", f"{_RISKS[frozen.safety]} ({frozen.safety}): say why in `reason`")

    def _frozen(self, wish: Wish, action_id: str, plan: Plan) -> Frozen:
        """Return the batch: as careful as its most careful item, in waves unless few orders were picked by hand."""
        of = {a.id: a.safety for a in self._book.actions}
        if self._by_hand(wish):
            of = {wish.kind: BY_HAND[wish.kind].safety}
        safety = max((of[i.rule_action] for i in plan.items), default="R0")
        ramp = wish.ramp or ((max(len(plan.items), 1),) if self._at_once(wish) else RAMP)
        waves = waves_of(len(plan.items), ramp)
        return Frozen(action_id, safety, wish.least_verified, waves, wish.filter, tuple(o for o, _ in wish.orders))

    def _at_once(self, wish: Wish) -> bool:
        """Return whether it goes without a ramp: few orders that were picked, or nothing that is sent."""
        return self._by_hand(wish) or (not wish.filter and len(wish.orders) <= AT_ONCE)

    def _ranked(self, plan: Plan) -> list[str]:
        """Return the item ids, what matters most first: by priority, then by value."""

        def rank(item: Item) -> tuple[str, Decimal, str, str]:
            order = plan.orders[item.order_id]
            return order["priority"] or "P9", -(order["reporting_amount"] or Decimal(0)), item.order_id, item.object_id

        return [i.item_id for i in sorted(plan.items, key=rank)]

    def _plan(self, client: Client, wish: Wish, action_id: str) -> Plan:
        """Return what the wish comes to now."""
        wanted = dict(wish.orders)
        text = load("action_orders").replace("$cases", cases_sql(self._book, "o"))
        found = client.query(text, parameters={"order_ids": list(wanted)})
        rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
        rows = [row for row in rows if self._scope is None or self._scope.holds(row)]
        orders = {row["order_id"]: {**row, "stuck": [Clock(*c) for c in row["stuck"]]} for row in rows}
        objects = sorted({c.object for o in orders.values() for c in o["stuck"]})
        _, tries = read_tried(client, [], objects, own=action_id)
        tried = dict(tries)
        left_alone = {} if self._at_once(wish) else broken_targets(client)
        answers: list[dict[str, Any]] = []
        items: list[Item] = []
        for order_id, version in wanted.items():
            answer, new = self._order(orders.get(order_id), order_id, version, wish, action_id, tried)
            if said := next((left_alone[i.target] for i in new if i.target in left_alone), ""):
                answer, new = _answer(order_id, "not_retryable", answer["stage"], said), []
            answers.append(answer)
            items += new
            for item in new:
                past = tried.get((item.object, item.rule_action), Tried())
                tried[item.object, item.rule_action] = Tried(past.begun + 1, past.spent, in_flight=True)
        return Plan(answers, items, orders)

    def _order(
        self, order: dict[str, Any] | None, order_id: str, version: str | None, wish: Wish, action_id: str, tried: Tries
    ) -> tuple[dict[str, Any], list[Item]]:
        if order is not None and order["on_board"] and self._by_hand(wish):
            return self._word(order, version, wish, action_id)
        if order is None or not order["on_board"] or order["closed_at"] is not None:
            return _answer(order_id, "gone", wish.stage, "the order is closed or not on the board"), []
        stuck: Sequence[Clock] = order["stuck"]
        stage = wish.stage or order["stage"]
        clocks = [c for c in stuck if c.rule == stage and (wish.objects is None or c.object in wish.objects)]
        if not clocks and (stuck or order["state"] not in STUCK_STATES or wish.stage):
            return _answer(order_id, "gone", stage, "the order is no longer stuck there"), []
        if version is not None and version != order["version"]:
            return _answer(order_id, "stale", stage, "the order has changed since you saw it; look again"), []
        action = self._book.action_for(stage, wish.kind) if stage else None
        if action is None or not clocks:
            return _answer(order_id, "not_retryable", stage, f"the rulebook has no {wish.kind} for this"), []
        if order["held_by"]:
            said = f"{order['held_by']} holds the order; release it first"
            return _answer(order_id, "not_retryable", stage, said), []
        parts: list[dict[str, Any]] = []
        items: list[Item] = []
        for clock in clocks:
            part, item = self._item(action, order, clock, wish, action_id, tried)
            parts.append(part)
            items += [item] if item else []
        results = [p["result"] for p in parts]
        result = next(r for r in ("accepted", "running", "not_retryable") if r in results)
        detail = next((p["detail"] for p in parts if p["result"] == result), "")
        return {**_answer(order_id, result, stage, detail), "objects": parts}, items

    def _word(
        self, order: dict[str, Any], version: str | None, wish: Wish, action_id: str
    ) -> tuple[dict[str, Any], list[Item]]:
        """Return the answer about one order of which something is to be said by hand, and the item that says it."""
        result, detail = refusal(wish.kind, order, version)
        if result:
            return _answer(order["order_id"], result, "", detail), []
        who = wish.assignee.strip() or self._actor
        item = item_of(wish.kind, order, action_id, self._actor, who, wish.reason, self._now)
        part = {"object_type": "order", "object_id": order["order_id"], "result": "accepted", "detail": ""}
        answer = _answer(order["order_id"], "accepted", "", "")
        return {**answer, "objects": [{**part, "item_id": item.item_id}]}, [item]

    def _item(
        self, action: Action, order: dict[str, Any], clock: Clock, wish: Wish, action_id: str, tried: Tries
    ) -> tuple[dict[str, Any], Item | None]:
        part = {"object_type": clock.object_type, "object_id": clock.object_id}
        past = tried.get((clock.object, action.id), Tried())
        if past.in_flight:
            return {**part, "result": "running", "detail": "this is already under way for the object"}, None
        error = clock.error or order["error"]
        held = order["cases"].get(action.id, ())
        policy = chosen(action.policy, held, self._book.error_class(error))
        if not retry_open(action, clock.object, tried, policy):
            said = f"all {policy.attempts} attempts of {action.id} are used up; correct the data first"
            if not policy.attempts:
                said = f"{action.id} is never tried for such an error; correct the data first"
            return {**part, "result": "not_retryable", "detail": said}, None
        contract = Contract.of(action, policy, by_error(action.policy, held), self._give_up_at(policy, clock))
        item_id = item_id_of(action_id, order["order_id"], clock.rule, clock.object_type, clock.object_id)
        ordinal = past.begun + 1
        fields = _fields(order, clock, wish, action_id, item_id, ordinal, self._actor)
        key = digest("attempt", item_id)
        try:
            wire = render(action, self._book.targets[action.target], fields, key)
        except TemplateError as wrong:
            return {**part, "result": "not_retryable", "detail": f"the request of {action.id}: {wrong}"}, None
        item = Item(
            action_id=action_id, item_id=item_id, rule_action=action.id, kind=wish.kind, order_no=order["order_no"],
            order_id=order["order_id"], object=clock.object, object_type=clock.object_type, object_id=clock.object_id,
            stage=clock.rule, seen_version=order["version"], error=error,
            amount=order["amount"],
            contract=msgspec.json.encode(contract).decode(),
            request=msgspec.json.encode({**wire, "why": wish.reason}).decode(),
            ordinal=ordinal, state="requested", attempts=0, attempt_key=key, requested_by=self._actor,
            requested_at=self._now, noted_at=None, sent_at=None, accepted_at=None, verify_by=None, next_at=None,
            finished_at=None, status_code=0, detail="", updated_at=self._now, revision=1,
        )  # fmt: skip
        return {**part, "result": "accepted", "detail": "", "item_id": item_id}, item

    def _give_up_at(self, policy: Policy, clock: Clock) -> datetime | None:
        """A person's act grows old from the click, the engine's own from when the order became stuck."""
        if policy.give_up_s is None:
            return None
        stuck_at = clock.due_at if clock.due_at is not None and clock.due_at < self._now else clock.started_at
        since = stuck_at if self._actor == ENGINE else self._now
        return since + timedelta(seconds=policy.give_up_s)


def action_id_of(actor: str, key: str) -> str:
    """Return the id of the action behind one person's Idempotency-Key."""
    return digest("action", actor, key)


def _summary(frozen: Frozen, plan: Plan) -> dict[str, Any]:
    """Return what a batch would be: how many, how much money, in which waves, what it needs, and what was refused."""
    results: dict[str, int] = {}
    refused: dict[str, int] = {}
    for answer in plan.answers:
        results[answer["result"]] = results.get(answer["result"], 0) + 1
        if answer["result"] != "accepted":
            refused[answer["detail"]] = refused.get(answer["detail"], 0) + 1
    money = [plan.orders[order_id]["reporting_amount"] for order_id in {i.order_id for i in plan.items}]
    return {
        "orders": len(plan.answers),
        "items": len(plan.items),
        "value": str(sum((m for m in money if m is not None), Decimal(0)).quantize(Decimal("0.01"))),
        "without_value": sum(m is None for m in money),
        "results": results,
        "refused": [{"reason": reason, "orders": n} for reason, n in sorted(refused.items(), key=lambda r: -r[1])],
        "safety": frozen.safety,
        "needs": [need for need, least in (("reason", "R2"), ("approval", "R3")) if frozen.safety >= least],
        "waves": list(frozen.waves),
        "least_verified": frozen.least_verified if frozen.ramped else None,
        "targets": sorted({i.target for i in plan.items} - {""}),
    }


_RISKS = {
    "R2": "this may repeat a business effect",
    "R3": "this moves money or makes a legal document",
}


def _answer(order_id: str, result: str, stage: str, detail: str) -> dict[str, Any]:
    return {"order_id": order_id, "result": result, "stage": stage, "detail": detail, "objects": []}


def _fields(
    order: dict[str, Any], clock: Clock, wish: Wish, action_id: str, item_id: str, ordinal: int, actor: str
) -> dict[str, str]:
    """Return the values of TEMPLATE_FIELDS, fixed at the click: a re-send under one key must be the same request."""
    same = ("order_id", "priority", "currency", "customer_id", "customer_tier", "channel", "order_type", "company")
    fields = {name: str(order[name]) for name in (*same, "warehouse", "partner")}
    return fields | {
        "object_type": clock.object_type, "object_id": clock.object_id, "stage": clock.rule, "attempt": str(ordinal),
        "action_id": action_id, "item_id": item_id, "requested_by": actor, "reason": wish.reason,
        "state": clock.verdict, "error": clock.error or order["error"], "system": clock.system,
        "from_milestone": clock.from_milestone, "milestone": clock.to_milestone, "since": _iso(clock.started_at),
        "due_at": _iso(clock.due_at), "amount": "" if order["amount"] is None else f"{order['amount'].normalize():f}",
    }  # fmt: skip


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
