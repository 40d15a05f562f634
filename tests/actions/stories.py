"""Stories about retries, told side by side about orders of their own: a step of the engine is one for all of them.

A story is a generator. It does and asserts what it wants with its own order and yields where the engine is to step: a
second before and a second after the step pass, and what was sent is answered and written down.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rules.model import Breaker, Verify
from tests.actions.desk import Desk
from tests.actions.target_stub import Heard, Reply, TargetStub
from tests.actions.world import World, clock_row, make_book
from tower.actions.item import Item
from tower.store.client import Store

Steps = Generator[None, None, None]
Story = Callable[["Case"], Steps]


def go_on(living: dict[str, Steps], ends: dict[str, AssertionError | None]) -> None:
    """Let each story go on to where the engine is to step; those that ended go to `ends`, with what went wrong."""
    for name, story in list(living.items()):
        try:
            next(story)
        except StopIteration:
            ends[name] = None
        except AssertionError as error:
            ends[name] = error
        if name in ends:
            del living[name]


@dataclass
class Round:
    """What all stories say before the next step of the engine, and what had become of all retries after the last."""

    facts: list[tuple[str, str, tuple[str, str], dict[str, Any]]] = field(default_factory=list)
    items: list[Item] | None = None


class Case:
    """An order that is stuck, with a shipment under it and invoices that hang from the shipment."""

    def __init__(self, desk: Desk, target: TargetStub, name: str, shared: Round) -> None:
        self.desk, self.target, self.shared = desk, target, shared
        self.order = f"SO-{name}"
        self.shipment = ("shipment", f"S-{name}")
        self.contract: Verify | None = None  # of the retry that is to be asked for

    @property
    def now(self) -> datetime:
        """The world's time."""
        return self.desk.world.now

    def invoice(self, number: int) -> tuple[str, str]:
        """Return one of its invoices; the first two hang from the shipment."""
        return ("invoice", f"I{number}-{self.order}")

    def click(self, key: str = "k", *others: str) -> dict[str, str]:
        """Ask for a retry of it, and of others, now; return the result by order."""
        return self.desk.click(self.order, *others, key=f"{self.order}-{key}")

    def retry(self, **contract: Any) -> Steps:
        """Ask for a retry under a contract; it is accepted in the step."""
        self.contract = replace(Verify("invoice_released", 60), **contract)
        yield

    def says(self, milestone: str, on: tuple[str, str], **more: Any) -> Steps:
        """Let a system say something and the engine step."""
        self.shared.facts.append((self.order, milestone, on, more))
        yield

    def link(self, child: tuple[str, str], parent: tuple[str, str], **more: Any) -> None:
        """State that child hangs from parent."""
        self.desk.world.link(self.order, child, parent, **more)

    @property
    def items(self) -> list[Item]:
        """What had become of its retries after the last step."""
        if self.shared.items is None:
            self.shared.items = self.desk.items()
        return [i for i in self.shared.items if i.order_id == self.order]

    @property
    def item(self) -> Item:
        """What became of its only retry."""
        (found,) = self.items
        return found

    @property
    def acts(self) -> list[tuple[str, str]]:
        """(actor, act) of the audit about its retry."""
        subject = f"{self.item.action_id}/{self.item.item_id}"
        sql = "SELECT actor, act FROM audit WHERE startsWith(subject, {subject:String}) ORDER BY seq"
        with self.desk.world.store.reader() as client:
            return [tuple(r) for r in client.query(sql, parameters={"subject": subject}).result_rows]

    @property
    def heard(self) -> list[Heard]:
        """What the target was asked about it."""
        return [h for h in self.target.heard if h.path.endswith(f"/{self.order}")]

    def answers(self, *replies: Reply) -> None:
        """Plan what the target says about it, the last one for ever."""
        self.target.by_path[f"/retry/{self.order}"] = list(replies)


def tell(store: Store, stories: dict[str, Story], **policy: Any) -> dict[str, AssertionError | None]:
    """Tell all stories under a policy of the retry; return for each what went wrong in it."""
    world, target = World(store), TargetStub()
    book = make_book(target.url, **policy)
    calm = replace(book.targets["middleware"], breaker=Breaker(failures=1000))  # one story's trouble is not another's
    desk = Desk(world, replace(book, targets={"middleware": calm}))
    shared = Round()
    cases = {name: Case(desk, target, f"{number:02}", shared) for number, name in enumerate(stories)}
    world.orders(
        [(c.order, [clock_row(object_id=c.shipment[1], error="tax code missing")], {}) for c in cases.values()]
    )
    world.links([(c.order, c.shipment, ("order", c.order)) for c in cases.values()])
    world.links([(c.order, c.invoice(n), c.shipment) for c in cases.values() for n in (1, 2)])
    living = {name: story(cases[name]) for name, story in stories.items()}
    ends: dict[str, AssertionError | None] = {}
    try:
        while living:
            go_on(living, ends)
            world.tell(shared.facts)
            _click(desk, [cases[name] for name in living])
            world.wait(1)
            desk.step()
            desk.collect()
            shared.facts, shared.items = [], None
            world.wait(1)
    finally:
        desk.runner.close()
        target.close()
    return ends


def _click(desk: Desk, cases: Sequence[Case]) -> None:
    """Ask for the retries that the stories want, those under one contract in one go."""
    wanted: dict[Verify, list[Case]] = {}
    for case in cases:
        if case.contract is not None:
            wanted.setdefault(case.contract, []).append(case)
            case.contract = None
    book = desk.book
    for contract, those in wanted.items():
        desk.book = replace(book, actions=(replace(book.actions[0], verify=contract),))
        answered = desk.click(*(c.order for c in those), key=those[0].order)
        assert set(answered.values()) == {"accepted"}, answered
    desk.book = book
