"""Guarded bulk on a real store with a real target: waves, stops, people's steps, restarts, overlaps, sums.

Most of it is told side by side in one world (tests/actions/bulk.py); what needs an engine of its own comes after that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import msgspec
import pytest

from tests.actions.bulk import Bulk, Plant, Story, Ticks, tell
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import World, clock_row
from tests.amount import SEEDS
from tests.stores import Shelf
from tower.actions.batch import waves_of
from tower.actions.intake import Intake, Wish
from tower.actions.steps import Said, take_step
from tower.model.problem import Problem
from tower.store.audit import Entry

SMALL = (1, 5, 2)  # a ramp for eight orders, of which number 3 is the urgent one
STORIES: dict[str, tuple[int, Story]] = {}


def story(orders: int) -> Callable[[Story], Story]:
    """Tell a story with so many orders."""

    def keep(told: Story) -> Story:
        STORIES[told.__name__.replace("_", " ")] = (orders, told)
        return told

    return keep


@pytest.fixture(scope="module")
def ends(shelf: Shelf) -> dict[str, AssertionError | None]:
    """How each story ended."""
    with shelf.lend() as store:
        return tell(store, STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_story(ends: dict[str, AssertionError | None], name: str) -> None:
    if (wrong := ends[name]) is not None:
        raise wrong


@story(30)
def each_wave_waits_for_the_proof_of_the_one_before_and_what_matters_most_goes_first(bulk: Bulk) -> Ticks:
    action = bulk.ask()
    sizes = []
    for _ in range(5):
        before = len(bulk.heard)
        yield
        if len(sizes) < 2:
            yield  # nothing more goes without proof
        sizes.append(len(bulk.heard) - before)
        told = bulk.progress(action)
        assert (told["accepted"], told["waiting"]) == (sizes[-1], 30 - len(bulk.heard))
        bulk.prove(*bulk.heard[before:])
    assert sizes == [1, 5, 20, 4, 0]
    assert {bulk.names[n] for n in (3, 10, 17, 24)} <= set(bulk.heard[:6]), "P1 before P3; in a wave they go at once"
    assert bulk.heard[0] == bulk.names[24]
    assert bulk.progress(action)["verified"] == 30


@story(8)
def a_batch_stops_when_too_little_is_verified_and_goes_on_only_with_a_reason(bulk: Bulk) -> Ticks:
    bulk.verified_within(2)
    action = bulk.ask(ramp=SMALL)
    for _ in range(5):  # sent, three seconds of silence, and a look at what that means for the batch
        yield
    assert bulk.heard == [bulk.names[3]]
    why = "wave 1: 1 no_effect of 1, so fewer than 80% can be verified"
    assert bulk.acts("stop") == [("engine", "stop", why)]
    with pytest.raises(Problem, match="it stopped because of wave 1"):
        bulk.say(action, "resume", reason=" ")
    assert bulk.say(action, "resume", reason="the tax service was restarted") == 7
    yield
    assert len(bulk.heard) == 6
    bulk.prove(*bulk.heard[1:5])
    yield
    assert len(bulk.heard) == 8, "four of five are enough"


@story(8)
def a_target_that_refuses_stops_the_batch_within_a_wave(bulk: Bulk) -> Ticks:
    for name in bulk.names:
        bulk.plant.target.by_path[f"/retry/{name}"] = [Reply(200 if name == bulk.names[3] else 422)]
    action = bulk.ask(ramp=SMALL)
    yield
    bulk.prove()
    yield
    yield  # finds that the wave was refused
    told = bulk.progress(action)
    assert (told["verified"], told["failed"], told["waiting"]) == (1, 5, 2)
    assert [a[:2] for a in bulk.acts("stop")] == [("engine", "stop")]


@story(8)
def pause_resume_and_cancel_are_audited_first_and_refused_with_the_reason(bulk: Bulk) -> Ticks:
    action = bulk.ask(ramp=SMALL)
    assert bulk.say(action, "pause") == 8
    yield
    assert bulk.heard == []
    with pytest.raises(Problem, match=r"is paused .by ben: because., so there is nothing to pause"):
        bulk.say(action, "pause")
    bulk.say(action, "resume")
    yield
    assert len(bulk.heard) == 1
    assert bulk.say(action, "cancel") == 7
    bulk.prove()
    yield
    told = bulk.progress(action)
    assert (told["verified"], told["cancelled"], told["waiting"]) == (1, 7, 0)
    assert [a[1] for a in bulk.acts("pause", "resume", "cancel")] == ["pause", "resume", "cancel"]
    with pytest.raises(Problem, match="is cancelled"):
        bulk.say(action, "resume")
    assert bulk.say(action, "cancel") == 0


@story(8)
def nothing_is_done_without_its_audit_row(bulk: Bulk) -> Ticks:
    action = bulk.ask(ramp=SMALL)

    def refuse(_: Sequence[Entry]) -> None:
        raise Problem(503, "not_audited", "no")

    with pytest.raises(Problem, match="no"):
        take_step(bulk.world.store, refuse, action, "ana", Said("pause", "ben", "", bulk.world.now))
    yield
    assert len(bulk.heard) == 1


@story(5)
def what_moves_money_waits_for_a_second_person(bulk: Bulk) -> Ticks:
    bulk.book = replace(bulk.book, actions=tuple(replace(a, safety="R3") for a in bulk.book.actions))
    with pytest.raises(Problem, match="say why"):
        bulk.ask(reason="  ")
    action = bulk.ask(*bulk.names[3:], filter="")
    yield
    assert bulk.heard == []
    with pytest.raises(Problem, match="asked for this yourself"):
        bulk.say(action, "approve", actor="ana")
    with pytest.raises(Problem, match="waits for an approval, so there is nothing to pause"):
        bulk.say(action, "pause")
    assert bulk.say(action, "approve") == 2
    assert bulk.progress(action)["waiting"] == 2
    yield
    assert sorted(bulk.heard) == bulk.names[3:]
    assert bulk.acts("approve", "retry") == [("ben", "approve", "because"), *[("ana", "retry", "tax is back")] * 2]


@story(8)
def what_got_well_while_it_waited_is_not_sent(bulk: Bulk) -> Ticks:
    action = bulk.ask(ramp=SMALL)
    yield
    well = bulk.names[7]
    bulk.world.order(well, clock_row(object_id=f"S-{well}", state="stopped", verdict="on_track"))
    bulk.prove()
    yield
    assert well not in bulk.heard
    assert bulk.progress(action)["cancelled"] == 1
    assert len(bulk.heard) == 5, "a wave is not filled up again"


@story(12)
def two_overlapping_batches_never_act_twice_on_one_object(bulk: Bulk) -> Ticks:
    one = bulk.ask(*bulk.names[:8], key="one")
    two = bulk.ask(*bulk.names[4:], key="two")
    assert (bulk.progress(one)["total"], bulk.progress(two)["total"]) == (8, 4)
    for _ in range(3):
        yield
        bulk.prove()
    assert sorted(bulk.heard) == sorted(bulk.names)


@story(1)
def the_audit_of_a_send_tells_what_was_seen_and_what_was_sent(bulk: Bulk) -> Ticks:
    bulk.ask(filter="")
    yield
    rows = bulk.audited()
    sent, answered = (msgspec.json.decode(detail) for *_, detail in rows)
    assert [(act, why) for _, act, why, _ in rows] == [("retry", "tax is back"), ("accepted", "")]
    name = bulk.names[0]
    assert (sent["seen_version"], sent["order_id"], sent["requested_by"]) == (f"v-{name}", name, "ana")
    assert sorted(sent["request"]) == ["json", "method", "target", "url"]
    assert (answered["status_code"], answered["key"]) == (200, sent["key"])


@story(5)
def the_frozen_list_takes_nothing_up_and_asks_for_no_more_than_its_reason(bulk: Bulk) -> Ticks:
    action = bulk.ask(filter="", ramp=(2, 3))
    with bulk.world.store.reader() as client:
        rows = client.query("SELECT waves, filter FROM batches WHERE action_id = {a:String}", parameters={"a": action})
    assert rows.result_rows == [(list(waves_of(5, (2, 3))), "")]
    yield


@pytest.fixture
def bulk(world: World, target: TargetStub) -> Iterator[Bulk]:
    """Thirty orders and an engine of their own."""
    plant = Plant(world, target)
    made = Bulk(plant, "SO", 30)
    world.orders(made.rows())
    world.links([(name, ("shipment", f"S-{name}"), ("order", name)) for name in made.names])
    yield made
    plant.close()


def test_an_open_breaker_stops_what_goes_in_waves(bulk: Bulk) -> None:
    bulk.ask(*bulk.names[:5], key="before", ramp=(2, 3))
    with bulk.world.store.writer() as client:
        names = ["target", "state", "said", "revision"]
        client.insert("target_states", [["middleware", "open", "503", 1]], column_names=names)
    bulk.plant.tick()
    assert bulk.heard == []
    said = "the breaker of target middleware is open: 503"
    assert bulk.acts("stop") == [("engine", "stop", said)]
    late = Wish("retry", tuple((o, None) for o in bulk.names[5:]))
    shown = Intake(bulk.world.store, bulk.book, "ana", bulk.world.now).preview(late, "late")["batch"]
    assert (shown["items"], shown["refused"]) == (0, [{"reason": said, "orders": len(late.orders)}])
    few = Wish("retry", late.orders[:2])
    assert Intake(bulk.world.store, bulk.book, "ana", bulk.world.now).preview(few, "few")["batch"]["items"] == 2


@pytest.mark.parametrize("seed", range(2, SEEDS + 2))  # the first walk does too little to show a mistake
def test_whatever_happens_the_sums_add_up_and_no_object_is_acted_on_twice(bulk: Bulk, seed: int) -> None:
    """A walk of people, outcomes and restarts; the counters are checked at every step of it."""
    dice = random.Random(seed)  # no secret
    actions = [bulk.ask(*bulk.names[:20], key="one"), bulk.ask(*bulk.names, key="two")]
    totals = [bulk.progress(a)["total"] for a in actions]
    for _ in range(15):
        match dice.choice(["tick", "tick", "prove", "prove", "late", "say", "restart"]):
            case "tick":
                bulk.plant.tick()
            case "prove":
                bulk.plant.tick()
                bulk.prove()
            case "late":
                bulk.world.wait(61)
            case "restart":
                bulk.plant.tick(listen=dice.random() < 0.5)
                bulk.plant.restart()
            case _:
                try:
                    bulk.say(dice.choice(actions), dice.choice(["pause", "resume", "resume"]))
                except Problem as refused:
                    assert refused.status == 409
        assert [bulk.progress(a)["total"] for a in actions] == totals
        keys = {h.path: h.key for h in bulk.plant.target.heard}
        assert len(keys) == len({h.key for h in bulk.plant.target.heard}), "an object was acted on under two keys"
    assert bulk.heard


def test_a_restart_in_the_middle_of_a_wave_acts_on_nothing_twice(bulk: Bulk) -> None:
    action = bulk.ask()
    bulk.plant.tick()
    bulk.prove()
    bulk.plant.tick(listen=False)
    bulk.plant.restart()
    bulk.plant.tick()
    bulk.prove()
    bulk.plant.restart()
    bulk.plant.tick()
    keys = {h.key for h in bulk.plant.target.heard}
    assert (len(keys), len(set(bulk.heard))) == (26, 26), "what had no answer yet is repeated under its key"
    assert len(bulk.heard) == 31
    assert bulk.progress(action)["verified"] == 6
