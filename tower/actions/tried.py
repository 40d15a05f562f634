"""What was tried already: the memory behind `retries`, `retryable` and "one in flight per action and object"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from rules.model import Action, Policy
from tower.store.sql import load


@dataclass(frozen=True, slots=True)
class Tried:
    """What one action of the book did for one object so far, over all orders that share the object.

    begun: items, cancelled ones left out. spent: sends of items that did not end verified.
    """

    begun: int = 0
    spent: int = 0
    in_flight: bool = False


Tries = Mapping[tuple[int, str], Tried]  # by (object, id of the book's action)


def read_tried(
    client: Client, order_nos: Sequence[int], objects: Sequence[int], own: str = ""
) -> tuple[dict[int, int], Tries]:
    """Return sends by order number, and what was tried by (object, action). Items of the action `own` do not count."""
    parameters = {"order_nos": list(order_nos), "objects": list(objects), "own": own}
    retries: dict[int, int] = {}
    tried: dict[tuple[int, str], Tried] = {}
    for order_no, target, action, attempts, spent, begun, in_flight in client.query(
        load("action_tried"), parameters=parameters
    ).result_rows:
        retries[order_no] = retries.get(order_no, 0) + attempts
        past = tried.get((target, action), Tried())
        tried[target, action] = Tried(past.begun + begun, past.spent + spent, past.in_flight or bool(in_flight))
    return retries, tried


def retry_open(action: Action | None, target: int, tried: Tries, policy: Policy | None = None) -> bool:
    """Return whether the action may be begun for the object: it exists, none is in flight and attempts are left.

    policy: the one that holds for the order, where it is known; else the action's own.
    """
    if action is None:
        return False
    past = tried.get((target, action.id), Tried())
    return not past.in_flight and past.spent < (policy or action.policy).attempts
