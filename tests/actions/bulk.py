"""Bulk retries on one small world, and stories about them told side by side: a step of the engine is one for all.

A story is a generator about orders of its own. It does and asserts what it wants and yields where the engine is to step;
what was sent is then answered and written down, and a second has passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from rules.model import Breaker, Verify
from tests.actions.stories import go_on
from tests.actions.target_stub import TargetStub
from tests.actions.world import KINDS, World, clock_row, make_book
from tower.actions.intake import Intake, Wish
from tower.actions.runner import Actions
from tower.actions.steps import Said, take_step
from tower.api.batch_view import progress_of
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry
from tower.store.client import Store

Ticks = Generator[None, None, None]
Story = Callable[["Bulk"], Ticks]


class Plant:
    """A world, a target and the engine that acts on it."""

    def __init__(self, world: World, target: TargetStub) -> None:
        self.world, self.target = world, target
        self.book = make_book(target.url, attempts=1)
        self.audit = Audit(world.store)
        self.runners: list[Actions] = []
        self.restart()

    def restart(self) -> None:
        """Begin a new engine process: nothing but the store is left of the old one."""
        secrets = Secrets({"TOWER_SECRET_MIDDLEWARE": "secret-of-the-target"})
        self.runner = Actions(self.world.store, secrets, self.world.clock)
        self.runners.append(self.runner)

    def tick(self, *, listen: bool = True) -> None:
        """Step, wait until what was sent is answered, write that down as the next step would first; a second passes.

        listen: False leaves the answers to be read by nobody, as before a kill.
        """
        self.runner.step(self.book, KINDS, self.world.now, {})
        deadline = time.monotonic() + 10
        while any(not entry[-1].done() for entry in self.runner._under_way.values()):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if listen:
            self.runner._collect(self.book)
        self.world.wait(1)

    def record(self, entries: Sequence[Entry]) -> None:
        """Put acts of people into the audit."""
        self.audit.append(entries, self.world.now)

    def close(self) -> None:
        """End all engines."""
        for runner in self.runners:
            runner.close()


class Bulk:
    """An operator with many orders, worth more from one to the next; those numbered 3, 10, 17 and so on are urgent."""

    def __init__(self, plant: Plant, name: str, orders: int) -> None:
        self.plant, self.world, self.book = plant, plant.world, plant.book
        self.names = [f"{name}-{n:02}" for n in range(orders)]
        self.asked: list[str] = []

    def rows(self) -> list[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
        """Return its orders as the world takes them, each stuck with a shipment."""
        return [
            (name, [clock_row(object_id=f"S-{name}")], {"amount": Decimal(n), "priority": "P1" if n % 7 == 3 else "P3"})
            for n, name in enumerate(self.names)
        ]

    def ask(self, *names: str, key: str = "k", **more: Any) -> str:
        """Ask for a retry of the orders as a filter would; return the action."""
        more = {"filter": "{}", "reason": "tax is back", **more}
        wish = Wish("retry", tuple((n, None) for n in names or self.names), **more)
        intake = Intake(self.world.store, self.book, "ana", self.world.now)
        reply = intake.request(wish, f"{self.names[0]}{key}", f"{names}{more}")
        self.asked.append(str(msgspec.json.decode(reply)["action_id"]))
        return self.asked[-1]

    def verified_within(self, seconds: float) -> None:
        """Let what is asked for from now on have so much time for its proof."""
        contract = Verify("invoice_released", seconds)
        self.book = replace(self.book, actions=tuple(replace(a, verify=contract) for a in self.book.actions))

    def prove(self, *names: str) -> None:
        """Let the business have moved for orders; all that the target has heard of by default."""
        moved = names or self.heard
        self.world.links([(name, ("invoice", f"I-{name}"), ("shipment", f"S-{name}")) for name in moved])
        self.world.facts([(name, "invoice_released", ("invoice", f"I-{name}")) for name in moved])

    @property
    def heard(self) -> list[str]:
        """Its orders that the target was asked about, in the target's order."""
        names = [h.path.removeprefix("/retry/") for h in self.plant.target.heard]
        return [name for name in names if name in self.names]

    def say(self, action_id: str, step: str, actor: str = "ben", reason: str = "because") -> int:
        """Take a step."""
        said = Said(step, actor, reason, self.world.now)
        return take_step(self.world.store, self.plant.record, action_id, "ana", said)

    def progress(self, action_id: str) -> dict[str, int]:
        """Return the counters, after checking that they add up."""
        sql = "SELECT toString(state), count() FROM action_items FINAL WHERE action_id = {a:String} GROUP BY 1"
        with self.world.store.reader() as client:
            told = progress_of(dict(client.query(sql, parameters={"a": action_id}).result_rows))
        assert sum(n for name, n in told.items() if name != "total") == told["total"]
        return told

    def audited(self) -> list[tuple[str, str, str, str]]:
        """Return (actor, act, why, detail) of the audit about what it asked for; the audit must be whole."""
        assert self.plant.audit.verify() is None
        sql = "SELECT actor, act, why, detail FROM audit WHERE has({own:Array(String)}, splitByChar('/', subject)[1]) ORDER BY seq"
        with self.world.store.reader() as client:
            return [tuple(r) for r in client.query(sql, parameters={"own": self.asked}).result_rows]

    def acts(self, *acts: str) -> list[tuple[str, str, str]]:
        """Return (actor, act, why) of some acts in the audit."""
        return [(actor, act, why) for actor, act, why, _ in self.audited() if act in acts]


def tell(store: Store, stories: dict[str, tuple[int, Story]]) -> dict[str, AssertionError | None]:
    """Tell all stories, each with so many orders; return for each what went wrong in it."""
    world, target = World(store), TargetStub()
    plant = Plant(world, target)
    calm = replace(plant.book.targets["middleware"], breaker=Breaker(failures=1000))  # one's trouble is not another's
    plant.book = replace(plant.book, targets={"middleware": calm})
    bulks = {name: Bulk(plant, f"SO-{place:02}", of[0]) for place, (name, of) in enumerate(stories.items())}
    world.orders([row for bulk in bulks.values() for row in bulk.rows()])
    world.links([(n, ("shipment", f"S-{n}"), ("order", n)) for bulk in bulks.values() for n in bulk.names])
    living = {name: story(bulks[name]) for name, (_, story) in stories.items()}
    ends: dict[str, AssertionError | None] = {}
    try:
        while living:
            go_on(living, ends)
            if living:
                plant.tick()
    finally:
        plant.close()
        target.close()
    return ends
