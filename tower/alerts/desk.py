"""The desk: breaches come in, alerts keep their state, notices come out. In memory and pure; rows are kept elsewhere.

What is looked at in a step is what changed and what fell due, not every open alert.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rules.calendar import Calendar
from rules.match import holds
from rules.model import Book, Inhibition, Receiver, Route
from tower.alerts.alert import SKIPPED, Alert, Member
from tower.alerts.breach import Breach
from tower.alerts.caps import Caps
from tower.alerts.decide import View, look
from tower.alerts.notice import Notice
from tower.alerts.personal import NOBODY, Personal
from tower.alerts.suppress import Inhibitor, Silence, silence_of
from tower.alerts.tree import alert_id_of, every_route, group_key, labels_of, routes_of


@dataclass(frozen=True, slots=True)
class Plan:
    """Who hears about what: the trees of routes (each root has its own matcher), receivers, times and inhibitions."""

    roots: tuple[Route, ...] = ()
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    inhibitions: tuple[Inhibition, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)  # route -> what was detected before is history to it

    @classmethod
    def of(cls, book: Book, personal: Personal = NOBODY) -> Plan:
        """The plan of a rulebook and what people subscribed to."""
        roots = (book.routes,) if book.routes is not None else ()
        return cls(
            roots + personal.roots, {**book.receivers, **personal.receivers}, {**book.calendars, **personal.calendars},
            book.inhibitions, personal.since,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What somebody said about an alert; taken back when `by` is ''."""

    alert_id: str
    by: str
    at: datetime
    note: str = ""


@dataclass(slots=True)
class Stepped:
    """What a step did: notices to send in business order, alerts that changed, and which of their members did."""

    notices: list[Notice] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)

    def touch(self, alert: Alert, members: Iterable[Member] = ()) -> None:
        """Note that an alert, and some of its members, are to be written."""
        self.alerts[alert.alert_id] = alert
        kept = self.members.setdefault(alert.alert_id, {})
        kept.update((m.breach.breach_id, m) for m in members)


class Desk:
    """The open alerts of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.alerts: dict[str, Alert] = {}  # open ones by id
        self.silences: Sequence[Silence] = ()
        self.caps = Caps()
        self.routes = {route.key: route for root in plan.roots for route in every_route(root)}
        self._inhibitor = Inhibitor(plan.inhibitions)
        self._groups: dict[str, Alert] = {}
        self._holding: dict[str, list[Alert]] = {}  # open alerts by breach
        self._of_order: dict[int, set[str]] = {}  # breaches that alerts hold, by order
        self._heap: list[tuple[datetime, str]] = []
        self._wake: dict[str, datetime] = {}

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take up alerts as they were kept, and look at each in the next step."""
        for alert in alerts:
            self._keep(alert)
            for member in alert.members.values():
                alert.sort_in(member)
                self._inhibitor.note(member.breach)
                self._hold(member.breach, alert)
            self._wake_at(alert, alert.opened_at)

    def step(
        self, changes: Iterable[Breach], now: datetime, *, quiet: bool = False, said: Iterable[Acknowledged] = ()
    ) -> Stepped:
        """Take in changed breaches and what people said, and decide what is told now. quiet: what opens is history."""
        done = Stepped()
        news = list(changes)
        for breach in news:
            self._inhibitor.note(breach)
        for breach in news:
            self._take(breach, now, quiet, done)
        for word in said:
            self._acknowledge(word, done)
        notices: list[Notice] = []
        for alert in (done.alerts | self._due(now)).values():  # each once: one that changed may be due as well
            notices += self._look(alert, now, done)
        done.notices = self.caps.judge(notices, self.plan.receivers, now)
        return done

    def adopt(self, plan: Plan, now: datetime) -> Stepped:
        """Follow another plan: alerts whose route is gone are closed, their breaches join others without a notice."""
        done = Stepped()
        before, self.plan = list(self.alerts.values()), plan
        self.routes = {route.key: route for root in plan.roots for route in every_route(root)}
        self._inhibitor = Inhibitor(plan.inhibitions)
        breaches = {k: m.breach for a in before for k, m in a.members.items() if m.breach.is_open}
        for breach in breaches.values():
            self._inhibitor.note(breach)
        for alert in before:
            if alert.route not in self.routes:
                alert.closed_at, alert.next_at, alert.next_reason = now, None, ""
                self._forget(alert)
                done.touch(alert)
        for breach in breaches.values():
            self._take(breach, now, True, done)
        return done

    def wake_at(self) -> datetime | None:
        """Return when something falls due without news."""
        moments = [at for at in (min(self._wake.values(), default=None), self.caps.wake_at(self.plan.receivers)) if at]
        return min(moments, default=None)

    def held_by(self, breach: Breach, now: datetime) -> str:
        """Return what keeps a breach from being told: 'silence ID', 'breach ID', or ''."""
        if silence := silence_of(self.silences, breach, now):
            return f"silence {silence}"
        behind = self._inhibitor.behind(breach)
        return f"breach {behind}" if behind else ""

    def _take(self, breach: Breach, now: datetime, quiet: bool, done: Stepped) -> None:
        holding = self._holding.get(breach.breach_id, [])
        if not breach.is_open:
            for alert in holding:
                if (member := alert.put(breach, quiet=False)) is not None:
                    done.touch(alert, [member])
            return
        wanted: dict[str, tuple[Route, dict[str, str]]] = {}
        for root in self.plan.roots:
            for route in routes_of(root, breach) if holds(root.when, breach.facts) else []:
                labels = labels_of(route, breach)
                wanted[group_key(route, labels)] = (route, labels)
        for alert in [a for a in holding if a.group not in wanted]:
            self._move_away(alert, breach, now, done)
        for group, (route, labels) in wanted.items():
            found = self._groups.get(group) or self._open(group, route, labels, now)
            history = quiet or breach.detected_at - breach.opened_at > timedelta(seconds=route.max_age_s)
            began = self.plan.since.get(route.key)
            history = history or (began is not None and breach.detected_at < began)
            member = found.put(breach, quiet=history)
            if member is not None:
                self._hold(breach, found)
                done.touch(found, [member])

    def _hold(self, breach: Breach, alert: Alert) -> None:
        if alert not in (kept := self._holding.setdefault(breach.breach_id, [])):
            kept.append(alert)
        self._of_order.setdefault(breach.order_no, set()).add(breach.breach_id)

    def holds_of(self, orders: Iterable[int]) -> list[int]:
        """Return those of the orders that alerts hold breaches of: what they are now may send these elsewhere."""
        return [number for number in orders if number in self._of_order]

    def _move_away(self, alert: Alert, breach: Breach, now: datetime, done: Stepped) -> None:
        """The order has changed so that another group has the breach now."""
        member = alert.members[breach.breach_id]
        member.breach = replace(breach, state="moved", over_at=now)
        member.told_over = SKIPPED
        alert.sort_in(member)
        self._holding[breach.breach_id].remove(alert)
        done.touch(alert, [member])

    def _open(self, group: str, route: Route, labels: dict[str, str], now: datetime) -> Alert:
        alert_id = alert_id_of(group, int(now.timestamp() * 1000))
        anchor = now + timedelta(seconds=route.group_wait_s)
        alert = Alert(alert_id, group, route.key, route.receiver, labels, now, anchor)
        self._keep(alert)
        return alert

    def _keep(self, alert: Alert) -> None:
        self.alerts[alert.alert_id] = self._groups[alert.group] = alert

    def _forget(self, alert: Alert) -> None:
        del self.alerts[alert.alert_id]
        del self._groups[alert.group]
        self._wake.pop(alert.alert_id, None)
        for breach_id, member in alert.members.items():
            holding = self._holding.get(breach_id, [])
            if alert in holding:
                holding.remove(alert)
            if not holding:
                self._holding.pop(breach_id, None)
                self._let_go(member.breach)

    def _let_go(self, breach: Breach) -> None:
        if kept := self._of_order.get(breach.order_no):
            kept.discard(breach.breach_id)
            if not kept:
                del self._of_order[breach.order_no]

    def _acknowledge(self, word: Acknowledged, done: Stepped) -> None:
        alert = self.alerts.get(word.alert_id)
        if alert is None or (alert.acknowledged_by, alert.acknowledged_at) == (word.by, word.at):
            return
        alert.acknowledged_by, alert.acknowledged_at, alert.note = word.by, word.at if word.by else None, word.note
        done.touch(alert)

    def _look(self, alert: Alert, now: datetime, done: Stepped) -> list[Notice]:
        route = self.routes[alert.route]
        view = View(self.plan.receivers, self.plan.calendars, lambda breach: self.held_by(breach, now))
        before = (alert.flush_at, alert.next_at, alert.next_reason, alert.escalated)
        found = look(alert, route, view, now)
        after = (alert.flush_at, alert.next_at, alert.next_reason, alert.escalated)
        if found.notices or found.changed or before != after or alert.closed_at is not None:
            done.touch(alert, found.changed)
        if alert.closed_at is not None:
            self._forget(alert)
        elif found.wake_at is not None:
            self._wake_at(alert, found.wake_at)
        else:
            self._wake.pop(alert.alert_id, None)
        return found.notices

    def _wake_at(self, alert: Alert, at: datetime) -> None:
        self._wake[alert.alert_id] = at
        heapq.heappush(self._heap, (at, alert.alert_id))

    def _due(self, now: datetime) -> dict[str, Alert]:
        found: dict[str, Alert] = {}
        while self._heap and self._heap[0][0] <= now:
            at, alert_id = heapq.heappop(self._heap)
            if self._wake.get(alert_id) == at and alert_id in self.alerts:
                found[alert_id] = self.alerts[alert_id]
        return found
