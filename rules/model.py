"""The rulebook as values: frozen, fully resolved, in the order the author wrote them.

Parsing (rules.parse) makes these, the compiler (rules.compile) and the engine read them. Durations are whole
seconds; zones are IANA names; nothing here knows about files except `where`, which errors point to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rules.calendar import Calendar
from rules.errors import Problem
from rules.vocabulary import MEANINGS


@dataclass(frozen=True, slots=True)
class Condition:
    """One matcher on one attribute: `amount: ">= 100"`, `order_type: [standard, same_day]`.

    op is one of in, not_in, >, >=, <, <=. Values of in and not_in are text; of the others Decimal.
    Attribute is an order attribute or `priority`.
    """

    attribute: str
    op: str
    values: tuple[str, ...] = ()
    number: Decimal | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Groups of conditions: any group must hold, and all conditions of that group. No groups: always true."""

    any_of: tuple[tuple[Condition, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Authority:
    """A system kind whose word counts, for the orders that match."""

    kind: str
    when: When = When()


@dataclass(frozen=True, slots=True)
class Milestone:
    """One thing that can be reached on objects of one type."""

    name: str
    object: str
    authority: tuple[Authority, ...] = ()
    after: tuple[str, ...] = ()
    means: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One end of a stage. pick: first, last, or (to only) complete."""

    milestone: str
    pick: str = "first"


@dataclass(frozen=True, slots=True)
class Pause:
    """A clock stands still from one milestone to the other."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Budget:
    """How long: `within_s` open seconds, or until an order attribute plus `plus_s` open seconds."""

    within_s: int | None = None
    until: str | None = None
    plus_s: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    """What changes for the orders that match; None keeps the stage's own."""

    when: When
    budget: Budget | None = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A promise: from one milestone to another within a time, per object."""

    id: str
    start: Anchor
    end: Anchor
    budget: Budget
    per: str = "order"
    calendar: str | None = None  # None: always open
    not_before_s: int | None = None
    pauses: tuple[Pause, ...] = ()
    resets: tuple[str, ...] = ()  # milestones at which it starts anew
    cancels: tuple[str, ...] = ()  # milestones that end it without a verdict
    at_risk: Decimal | None = None  # share of the budget, 0.75 for 75%
    odds: Decimal | None = None  # or: predicted chance to breach
    when: When = When()
    tiers: tuple[Tier, ...] = ()
    owner: str = ""
    runbook: str = ""
    severity: str = ""
    label: str = ""
    where: str = ""  # file:line, for messages


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A rule that is no promise: sequence, duplicate, divergence or sync lag. Only the fields of its kind are set.

    out_of_order: first, then, and what makes a `first` count: since (a milestone) or fresh_s. diverging: fact, systems.
    sync_late: milestone, system, within_s. duplicate: milestone, and the type of object that may have one only, per.
    """

    id: str
    kind: str
    first: str = ""
    then: str = ""
    since: str = ""
    fresh_s: int = 0
    fact: str = ""
    systems: tuple[str, ...] = ()
    milestone: str = ""
    per: str = ""
    system: str = ""
    within_s: int = 0
    settle_s: int = 0  # how long it may last before it is a finding
    when: When = When()
    owner: str = ""
    runbook: str = ""
    severity: str = ""
    label: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """One clause of process.done: the milestone, complete over the objects of type per."""

    milestone: str
    per: str


@dataclass(frozen=True, slots=True)
class Process:
    """Which milestones start, finish and cancel an order."""

    start: tuple[str, ...]
    done: tuple[Done, ...]
    cancelled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """How many events an open hour brings at least and at most; an hour that is open for a part counts by that part."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """What a connection promises to send: a stream (quiet_after_s, volume or both) or a timetable (every_s or cron).

    grace_s: how late a run, or the events of an hour, may arrive. settle_s: how long a stream that was silent must
    speak again before it vouches for the time since.
    """

    connection: str
    quiet_after_s: int | None = None
    calendar: str | None = None
    every_s: int | None = None
    cron: str | None = None
    zone: str = "UTC"
    grace_s: int = 0
    volume: Volume | None = None
    settle_s: int = 0

    @property
    def scheduled(self) -> bool:
        """Whether it follows a timetable; a stream otherwise."""
        return self.every_s is not None or self.cron is not None


@dataclass(frozen=True, slots=True)
class Priority:
    """One class of orders; the first whose matcher holds wins."""

    name: str
    when: When = When()


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a target is left alone: after so many failed calls in a row, for open_s, doubled up to longest_s."""

    failures: int = 5
    open_s: int = 30
    longest_s: int = 900


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many calls in any window of so many seconds."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials: where a token comes from, and by whose `client_id:client_secret` (a reference).

    method: how the client proves itself, client_secret_basic (a header) or client_secret_post (in the body).
    """

    token_url: str
    client: str
    scope: str = ""
    audience: str = ""
    method: str = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class Target:
    """Where actions go. The host of `url` is all that they reach; a token may also come from one of `hosts`.

    Secrets are references, never values.
    """

    name: str
    kind: str
    url: str
    auth: dict[str, str] = field(default_factory=dict)  # {"bearer": "env:TOWER_SECRET_X"} or {"basic": ref}
    headers: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    breaker: Breaker = Breaker()
    rate: Limit | None = None
    budget: tuple[Limit, ...] = ()  # of an hour, of a day
    probe: str = ""  # a path that says by GET whether the target is well; '' for a HEAD of its address
    oauth2: OAuth2 | None = None
    hosts: tuple[str, ...] = ()

    @property
    def way_in(self) -> str:
        """How it is convinced: bearer, basic, oauth2, or '' for not at all."""
        return "oauth2" if self.oauth2 is not None else next(iter(self.auth), "")

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Rate and budgets, which are one thing with windows of different length."""
        return (*((self.rate,) if self.rate else ()), *self.budget)


@dataclass(frozen=True, slots=True)
class Request:
    """A templated HTTP request; `{field}` is filled from order, object and finding."""

    method: str
    path: str
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verify:
    """The contract: this milestone must come within so many seconds of acceptance.

    system: whose word counts; '' for the milestone's authority. once: milestones that may stand on one object only,
    among the item's object and what hangs under it. keep: milestones that must not be taken back or fail once they
    were reached; None for every other one.
    """

    milestone: str
    within_s: int
    system: str = ""
    once: tuple[str, ...] = ()
    keep: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """A kind of error: any of the texts in it, whatever their case, or answered with one of the statuses."""

    id: str
    texts: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently an item is re-sent. backoff: immediate, fixed, exponential.

    attempts 0: never, by nobody. jitter: share of a wait by which it is moved at most, either way. give_up_s: age at
    which nothing is sent any more. cases: the first whose conditions hold takes the place of the policy.
    """

    attempts: int = 1
    backoff: str = "exponential"
    first_s: int = 30
    max_s: int = 3600
    automatic: bool = False
    jitter: float = 0.0
    give_up_s: int | None = None
    cases: tuple[PolicyCase, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """A policy for some orders (`when`) and some errors (ids of error classes; () for any)."""

    when: When
    errors: tuple[str, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Action:
    """What an operator may do about a stage; stage `any` is the default for stages without their own."""

    id: str
    kind: str
    stage: str
    target: str
    request: Request
    verify: Verify
    policy: Policy = Policy()
    safety: str = "R1"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who hears next of an alert that nobody acknowledged, so long after the first notice."""

    after_s: int
    receiver: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Notices go out at these moments only."""

    cron: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the routing tree, each parameter resolved: its own, else that of the node above.

    key names the node by the matchers and receivers on the way to it, so that it stays the same when routes beside it
    come and go. mute, active, when and continues belong to the node alone.
    """

    key: str
    receiver: str
    when: When = When()
    group_by: tuple[str, ...] = ()  # "..." alone: each breach by itself
    group_wait_s: int = 30
    group_interval_s: int = 300
    repeat_interval_s: int = 14_400
    at_once: tuple[str, ...] = ("P1",)  # priorities that wait for no group and no cap
    digest: Digest | None = None
    flap_hold_s: int = 0  # how long a breach must stay resolved before it counts as that
    max_age_s: int = 86_400  # what began longer before it was detected is history, and nobody is told
    escalate: tuple[Escalation, ...] = ()
    continues: bool = False
    mute: tuple[str, ...] = ()  # calendars
    active: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a machine hears, signed with each of the secrets (references) while they are rotated."""

    url: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many notices in so long; then one summary of what was held back."""

    notices: int
    per_s: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who hears, and how: the inbox of the product, people by Apprise addresses (references), machines by webhook."""

    name: str
    inbox: bool = False
    apprise: tuple[str, ...] = ()
    webhook: Webhook | None = None
    resolved: str = "end"  # told when all of an alert is over, of each part (each), or not at all (none)
    cap: Cap | None = None
    ping_s: int | None = None  # the webhook hears that the tower lives, this often

    @property
    def channels(self) -> tuple[str, ...]:
        """The ways on which a notice goes out."""
        ways = (("inbox", self.inbox), ("apprise", bool(self.apprise)), ("webhook", self.webhook is not None))
        return tuple(name for name, there in ways if there)


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While a breach matches source, those that match target and have the same values in `equal` are not told."""

    source: When
    target: When
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A subscription that is offered ready-made. when: as written; above: orders worth more than that, in currency."""

    name: str
    label: str
    when: dict[str, Any] = field(default_factory=dict)
    above: Decimal | None = None
    currency: str = ""
    states: tuple[str, ...] = ()
    deliver: str = "at_once"


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What people may subscribe by themselves: the ways allowed, and the service of each.

    through: references to the services' Apprise addresses. domains: mail goes only to addresses of these; none: to any.
    cap: of each subscription.
    """

    allow: tuple[str, ...] = ("inbox",)
    through: dict[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    cap: Cap = Cap(30, 3600)
    templates: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the reporting currency for one unit of `currency`, from a date on (UTC)."""

    currency: str
    rate: Decimal
    since: str  # YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the process under one name: the stages whose figures are added up in it."""

    name: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What figures for executives are made of: money, time, and the milestones that mean something to them.

    means: meaning (rules.vocabulary.MEANINGS) -> milestones, any of which has it.
    """

    currency: str = "EUR"
    rates: tuple[Rate, ...] = ()
    cost_per_touch: Decimal | None = None  # in the reporting currency
    minutes_per_touch: Decimal | None = None
    cost_of_capital: Decimal | None = None  # a year, 0.08 for 8%
    baseline_s: int | None = None  # window that improvements are measured against
    calendar: str | None = None  # in whose open time intervals are told; None: elapsed
    means: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(MEANINGS))
    phases: tuple[Phase, ...] = ()
    horizon_s: int | None = None  # how long after an act its effect is looked for

    def phase_of(self, stage: str) -> str:
        """Return the phase of a stage, '' for one that is in none."""
        return next((p.name for p in self.phases if stage in p.stages), "")


@dataclass(frozen=True, slots=True)
class Score:
    """Points of each term of the score; tiers: by customer tier. ageing: points a day, without an end."""

    value: float = 30.0
    tiers: dict[str, float] = field(default_factory=dict)
    promise: float = 20.0
    cash: float = 10.0
    ageing: float = 5.0
    odds: float = 30.0


@dataclass(frozen=True, slots=True)
class Example:
    """Given events and the findings, states or clocks expected of them as of a moment; see docs/rulebook.md."""

    name: str
    as_of: str
    given: tuple[dict[str, Any], ...]
    expect: dict[str, Any]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """A whole rulebook. hash identifies its text and the dates its calendars resolve to.

    warnings tell what this version reads and does not act on.
    """

    hash: str
    process: Process
    milestones: dict[str, Milestone]
    calendars: dict[str, Calendar]
    stages: tuple[Stage, ...]
    findings: tuple[FindingRule, ...] = ()
    feeds: tuple[Feed, ...] = ()
    priorities: tuple[Priority, ...] = ()
    targets: dict[str, Target] = field(default_factory=dict)
    errors: tuple[ErrorClass, ...] = ()
    actions: tuple[Action, ...] = ()
    value: Value = Value()
    score: Score = field(default_factory=Score)
    examples: tuple[Example, ...] = ()
    routes: Route | None = None  # the root of the tree; without one nobody is told
    receivers: dict[str, Receiver] = field(default_factory=dict)
    inhibitions: tuple[Inhibition, ...] = ()
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    warnings: tuple[Problem, ...] = ()
    text: dict[str, str] = field(default_factory=dict)  # file name -> YAML text, for the record

    def stage(self, stage_id: str) -> Stage | None:
        """Return the stage of that id, or None."""
        return next((s for s in self.stages if s.id == stage_id), None)

    def finding(self, rule_id: str) -> FindingRule | None:
        """Return the finding rule of that id, or None."""
        return next((f for f in self.findings if f.id == rule_id), None)

    def action_for(self, stage_id: str, kind: str = "retry") -> Action | None:
        """Return the action of that kind offered where the stage is stuck: its own, else the `any` one."""
        own = next((a for a in self.actions if a.kind == kind and a.stage == stage_id), None)
        return own or next((a for a in self.actions if a.kind == kind and a.stage == "any"), None)

    def error_class(self, text: str, status: int = 0) -> str:
        """Return the id of the first class an error belongs to, '' for none."""
        low = text.lower()
        return next(
            (e.id for e in self.errors if status in e.statuses or any(part.lower() in low for part in e.texts)), ""
        )
