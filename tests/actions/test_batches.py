"""Guarded bulk on a real store with a real target: waves, stops, people's steps, restarts, overlaps, sums."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import KINDS, World, clock_row, make_book
from tower.actions.batch import waves_of
from tower.actions.intake import Intake, Wish
from tower.actions.runner import Actions
from tower.actions.steps import Said, take_step
from tower.api.batch_view import progress_of
from tower.model.problem import Problem
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry

SEEDS = int(os.environ.get("O2C_SEEDS", "1"))


class Bulk:
    """An operator with many orders, and an engine."""

    def __init__(self, world: World, target: TargetStub, orders: int) -> None:
        self.world, self.target = world, target
        self.book = make_book(target.url, attempts=1)
        self.audit = Audit(world.store)
        self.runners: list[Actions] = []
        self.restart()
        self.names = [f"SO-{n:02}" for n in range(orders)]
        world.orders(
            [
                (name, [clock_row(object_id=f"S-{name}")], {"amount": Decimal(n), "priority": "P1" if n % 7 == 3 else "P3"})
                for n, name in enumerate(self.names)
            ]
        )  # fmt: skip
        world.links([(name, ("shipment", f"S-{name}"), ("order", name)) for name in self.names])

    def restart(self) -> None:
        """Begin a new engine process: nothing but the store is left of the old one."""
        secrets = Secrets({"TOWER_SECRET_MIDDLEWARE": "secret-of-the-target"})
        self.runner = Actions(self.world.store, secrets, self.world.clock)
        self.runners.append(self.runner)

    def ask(self, *names: str, key: str = "k", **more: Any) -> str:
        """Ask for a retry of the orders as a filter would; return the action."""
        more = {"filter": "{}", "reason": "tax is back", **more}
        wish = Wish("retry", tuple((n, None) for n in names or self.names), **more)
        reply = Intake(self.world.store, self.book, "ana", self.world.now).request(wish, key, f"{names}{more}")
        return str(msgspec.json.decode(reply)["action_id"])

    def tick(self, *, listen: bool = True) -> None:
        """Step, wait until what was sent is answered, and write that down as the next step would first of all.

        listen: False leaves the answers to be read by nobody, as before a kill.
        """
        self.runner.step(self.book, KINDS, self.world.now, {})
        deadline = time.monotonic() + 10
        while any(not entry[-1].done() for entry in self.runner._under_way.values()):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if listen:
            self.runner._collect(self.book)

    def prove(self, *names: str) -> None:
        """Let the business have moved for orders; all that the target has heard of by default."""
        self.world.wait(1)
        moved = names or self.heard
        self.world.links([(name, ("invoice", f"I-{name}"), ("shipment", f"S-{name}")) for name in moved])
        self.world.facts([(name, "invoice_released", ("invoice", f"I-{name}")) for name in moved])

    @property
    def heard(self) -> list[str]:
        """The orders that the target was asked about, in its order."""
        return [h.path.removeprefix("/retry/") for h in self.target.heard]

    def say(self, action_id: str, step: str, actor: str = "ben", reason: str = "because") -> int:
        """Take a step."""
        said = Said(step, actor, reason, self.world.now)
        return take_step(self.world.store, self._record, action_id, "ana", said)

    def _record(self, entries: Sequence[Entry]) -> None:
        self.audit.append(entries, self.world.now)

    def progress(self, action_id: str) -> dict[str, int]:
        """Return the counters, after checking that they add up."""
        sql = "SELECT toString(state), count() FROM action_items FINAL WHERE action_id = {a:String} GROUP BY 1"
        with self.world.store.reader() as client:
            told = progress_of(dict(client.query(sql, parameters={"a": action_id}).result_rows))
        assert sum(n for name, n in told.items() if name != "total") == told["total"]
        return told

    def acts(self, *acts: str) -> list[tuple[str, str, str]]:
        """Return (actor, act, why) of some acts in the audit, which must be whole."""
        assert self.audit.verify() is None
        sql = "SELECT actor, act, why FROM audit WHERE has({acts:Array(String)}, act) ORDER BY seq"
        with self.world.store.reader() as client:
            return [tuple(r) for r in client.query(sql, parameters={"acts": list(acts)}).result_rows]


@pytest.fixture
def bulk(world: World, target: TargetStub) -> Iterator[Bulk]:
    made = Bulk(world, target, 30)
    yield made
    for runner in made.runners:
        runner.close()


def test_each_wave_waits_for_the_proof_of_the_one_before_and_what_matters_most_goes_first(bulk: Bulk) -> None:
    action = bulk.ask()
    sizes = []
    for _ in range(5):
        before = len(bulk.heard)
        bulk.tick()
        if len(sizes) < 2:
            bulk.tick()  # nothing more goes without proof
        sizes.append(len(bulk.heard) - before)
        told = bulk.progress(action)
        assert (told["accepted"], told["waiting"]) == (sizes[-1], 30 - len(bulk.heard))
        bulk.prove(*bulk.heard[before:])
    assert sizes == [1, 5, 20, 4, 0]
    assert {"SO-03", "SO-10", "SO-17", "SO-24"} <= set(bulk.heard[:6]), "P1 before P3; within a wave they go at once"
    assert bulk.heard[0] == "SO-24"
    bulk.tick()
    assert bulk.progress(action)["verified"] == 30


def test_a_batch_stops_when_too_little_is_verified_and_goes_on_only_with_a_reason(bulk: Bulk) -> None:
    action = bulk.ask()
    bulk.tick()
    bulk.world.wait(61)
    bulk.tick()
    bulk.tick()
    assert bulk.heard == ["SO-24"]
    why = "wave 1: 1 no_effect of 1, so fewer than 80% can be verified"
    assert bulk.acts("stop") == [("engine", "stop", why)]
    with pytest.raises(Problem, match="it stopped because of wave 1"):
        bulk.say(action, "resume", reason=" ")
    assert bulk.say(action, "resume", reason="the tax service was restarted") == 29
    bulk.tick()
    assert len(bulk.heard) == 6
    bulk.prove(*bulk.heard[1:5])
    bulk.tick()
    assert len(bulk.heard) == 26, "four of five are enough"


def test_a_target_that_refuses_stops_the_batch_within_a_wave(bulk: Bulk) -> None:
    bulk.target.plan = [Reply(200), Reply(422)]
    action = bulk.ask()
    bulk.tick()
    bulk.prove()
    bulk.tick()
    bulk.tick()  # finds that the wave was refused
    told = bulk.progress(action)
    assert (told["verified"], told["failed"], told["waiting"]) == (1, 5, 24)
    assert [a[:2] for a in bulk.acts("stop")] == [("engine", "stop")]


def test_pause_resume_and_cancel_are_audited_first_and_refused_with_the_reason(bulk: Bulk) -> None:
    action = bulk.ask()
    assert bulk.say(action, "pause") == 30
    bulk.tick()
    assert bulk.heard == []
    with pytest.raises(Problem, match=r"is paused .by ben: because., so there is nothing to pause"):
        bulk.say(action, "pause")
    bulk.say(action, "resume")
    bulk.tick()
    assert len(bulk.heard) == 1
    assert bulk.say(action, "cancel") == 29
    bulk.prove()
    bulk.tick()
    told = bulk.progress(action)
    assert (told["verified"], told["cancelled"], told["waiting"]) == (1, 29, 0)
    assert [a[1] for a in bulk.acts("pause", "resume", "cancel")] == ["pause", "resume", "cancel"]
    with pytest.raises(Problem, match="is cancelled"):
        bulk.say(action, "resume")
    assert bulk.say(action, "cancel") == 0


def test_nothing_is_done_without_its_audit_row(bulk: Bulk) -> None:
    action = bulk.ask()

    def refuse(_: Sequence[Entry]) -> None:
        raise Problem(503, "not_audited", "no")

    with pytest.raises(Problem, match="no"):
        take_step(bulk.world.store, refuse, action, "ana", Said("pause", "ben", "", bulk.world.now))
    bulk.tick()
    assert len(bulk.heard) == 1


def test_what_moves_money_waits_for_a_second_person(bulk: Bulk) -> None:
    bulk.book = replace(bulk.book, actions=tuple(replace(a, safety="R3") for a in bulk.book.actions))
    with pytest.raises(Problem, match="say why"):
        bulk.ask(reason="  ")
    action = bulk.ask("SO-03", "SO-04", filter="")
    bulk.tick()
    assert bulk.heard == []
    with pytest.raises(Problem, match="asked for this yourself"):
        bulk.say(action, "approve", actor="ana")
    with pytest.raises(Problem, match="waits for an approval, so there is nothing to pause"):
        bulk.say(action, "pause")
    assert bulk.say(action, "approve") == 2
    assert bulk.progress(action)["waiting"] == 2
    bulk.tick()
    assert sorted(bulk.heard) == ["SO-03", "SO-04"]
    assert bulk.acts("approve", "retry") == [("ben", "approve", "because"), *[("ana", "retry", "tax is back")] * 2]


def test_what_got_well_while_it_waited_is_not_sent(bulk: Bulk) -> None:
    action = bulk.ask()
    bulk.tick()
    bulk.world.wait(1)
    bulk.world.order("SO-17", clock_row(object_id="S-SO-17", state="stopped", verdict="on_track"), priority="P1")
    bulk.prove()
    bulk.tick()
    assert "SO-17" not in bulk.heard
    assert bulk.progress(action)["cancelled"] == 1
    assert len(bulk.heard) == 5, "a wave is not filled up again"


def test_an_open_breaker_stops_what_goes_in_waves(bulk: Bulk) -> None:
    bulk.ask(*bulk.names[:5], key="before", ramp=(2, 3))
    with bulk.world.store.writer() as client:
        names = ["target", "state", "said", "revision"]
        client.insert("target_states", [["middleware", "open", "503", 1]], column_names=names)
    bulk.tick()
    assert bulk.heard == []
    said = "the breaker of target middleware is open: 503"
    assert bulk.acts("stop") == [("engine", "stop", said)]
    late = Wish("retry", tuple((o, None) for o in bulk.names[5:]))
    shown = Intake(bulk.world.store, bulk.book, "ana", bulk.world.now).preview(late, "late")["batch"]
    assert (shown["items"], shown["refused"]) == (0, [{"reason": said, "orders": len(late.orders)}])
    few = Wish("retry", late.orders[:2])
    assert Intake(bulk.world.store, bulk.book, "ana", bulk.world.now).preview(few, "few")["batch"]["items"] == 2


def test_two_overlapping_batches_never_act_twice_on_one_object(bulk: Bulk) -> None:
    one = bulk.ask(*bulk.names[:20], key="one")
    two = bulk.ask(*bulk.names[10:], key="two")
    assert (bulk.progress(one)["total"], bulk.progress(two)["total"]) == (20, 10)
    for _ in range(3):
        bulk.tick()
        bulk.prove()
    assert sorted(bulk.heard) == sorted(bulk.names)


def test_the_audit_of_a_send_tells_what_was_seen_and_what_was_sent(bulk: Bulk) -> None:
    bulk.ask("SO-03", filter="")
    bulk.tick()
    with bulk.world.store.reader() as client:
        rows = client.query("SELECT act, why, detail FROM audit ORDER BY seq").result_rows
    sent, answered = (msgspec.json.decode(detail) for *_, detail in rows)
    assert [row[:2] for row in rows] == [("retry", "tax is back"), ("accepted", "")]
    assert (sent["seen_version"], sent["order_id"], sent["requested_by"]) == ("v-SO-03", "SO-03", "ana")
    assert sorted(sent["request"]) == ["json", "method", "target", "url"]
    assert (answered["status_code"], answered["key"]) == (200, sent["key"])


def test_the_frozen_list_takes_nothing_up_and_asks_for_no_more_than_its_reason(bulk: Bulk) -> None:
    action = bulk.ask(filter="", ramp=(2, 3))
    with bulk.world.store.reader() as client:
        rows = client.query("SELECT waves, filter FROM batches WHERE action_id = {a:String}", parameters={"a": action})
    assert rows.result_rows == [(list(waves_of(30, (2, 3))), "")]


@pytest.mark.parametrize("seed", range(2, SEEDS + 2))  # the first walk does too little to show a mistake
def test_whatever_happens_the_sums_add_up_and_no_object_is_acted_on_twice(bulk: Bulk, seed: int) -> None:
    """A walk of people, outcomes and restarts; the counters are checked at every step of it."""
    dice = random.Random(seed)  # no secret
    actions = [bulk.ask(*bulk.names[:20], key="one"), bulk.ask(*bulk.names[12:], key="two")]
    totals = [bulk.progress(a)["total"] for a in actions]
    for _ in range(15):
        match dice.choice(["tick", "tick", "prove", "prove", "late", "say", "restart"]):
            case "tick":
                bulk.tick()
            case "prove":
                bulk.tick()
                bulk.prove()
            case "late":
                bulk.world.wait(61)
            case "restart":
                bulk.tick(listen=dice.random() < 0.5)
                bulk.restart()
            case _:
                try:
                    bulk.say(dice.choice(actions), dice.choice(["pause", "resume", "resume"]))
                except Problem as refused:
                    assert refused.status == 409
        assert [bulk.progress(a)["total"] for a in actions] == totals
        keys = {h.path: h.key for h in bulk.target.heard}
        assert len(keys) == len({h.key for h in bulk.target.heard}), "an object was acted on under two keys"
    assert bulk.heard


def test_a_restart_in_the_middle_of_a_wave_acts_on_nothing_twice(bulk: Bulk) -> None:
    action = bulk.ask()
    bulk.tick()
    bulk.prove()
    bulk.tick(listen=False)
    bulk.restart()
    bulk.tick()
    bulk.prove()
    bulk.restart()
    bulk.tick()
    keys = {h.key for h in bulk.target.heard}
    assert (len(keys), len(set(bulk.heard))) == (26, 26), "what had no answer yet is repeated under its key"
    assert len(bulk.heard) == 31
    assert bulk.progress(action)["verified"] == 6
