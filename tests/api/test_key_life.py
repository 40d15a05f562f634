"""Keys that end, are rotated and see a part of the orders."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.actions.world import T0
from tower.store.client import Store
from tower.store.keys import KeyProblem, Keys

DAY = timedelta(days=1)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


def names(keys: Keys, *tokens: str) -> list[str]:
    return [who.name if (who := keys.authenticate(f"Bearer {t}")) else "" for t in tokens]


def test_a_key_ends_at_its_instant_and_its_name_is_free_again(store: Store) -> None:
    clock = Clock()
    keys = Keys(store, clock)
    token = keys.add("acme", ["viewer"], (), ["partner=ACME"], T0 + 90 * DAY)
    clock.now = T0 + 90 * DAY - timedelta(milliseconds=1)
    assert names(keys, token) == ["acme"]
    clock.now += timedelta(milliseconds=1)
    assert names(keys, token) == [""]
    again = keys.add("acme", ["viewer"])
    assert names(keys, token, again) == ["", "acme"]
    who = keys.authenticate(f"Bearer {again}")
    assert who is not None and who.scopes == frozenset()


def test_a_rotated_key_overlaps_keeps_its_rights_and_lives_as_long_as_before(store: Store) -> None:
    clock = Clock()
    keys = Keys(store, clock)
    first = keys.add("acme", ["operator"], ["edi"], ["partner=ACME", "warehouse=HH2"], T0 + 90 * DAY)
    clock.now = T0 + 80 * DAY
    second = keys.rotate("acme", DAY)
    assert names(keys, first, second) == ["acme", "acme"]
    who = keys.authenticate(f"Bearer {second}")
    assert who is not None
    assert (who.roles, who.connections, who.scopes) == ({"operator"}, {"edi"}, {"partner=ACME", "warehouse=HH2"})
    clock.now += DAY
    assert names(keys, first, second) == ["", "acme"]
    clock.now = T0 + 170 * DAY
    assert names(keys, second) == [""]
    third = keys.rotate("acme", DAY)
    assert names(keys, first, second, third) == ["", "", "acme"], "an overlap gives no life back"
    keys.revoke("acme")
    assert names(keys, third) == [""]
    with pytest.raises(KeyProblem, match="no live key"):
        keys.rotate("acme", DAY)


@pytest.mark.parametrize(
    ("roles", "scopes", "ends", "said"),
    [
        (["viewer"], ["region=EU"], None, "is no scope"),
        (["viewer"], ["partner="], None, "is no scope"),
        (["viewer"], ["partner"], None, "is no scope"),
        (["admin"], ["partner=ACME"], None, "sees everything"),
        (["viewer"], [], T0, "in the future"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    store: Store, roles: list[str], scopes: list[str], ends: datetime | None, said: str
) -> None:
    with pytest.raises(KeyProblem, match=said):
        Keys(store, Clock()).add("x", roles, (), scopes, ends)
