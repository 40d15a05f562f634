"""When to send again: a plain formula over the book's policy."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from rules.model import Policy


def chosen(policy: Policy, held: Collection[int], error_class: str) -> Policy:
    """Return the policy of the first case that holds, else the policy itself.

    held: numbers of the cases whose `when` holds for the order.
    """
    for i, case in enumerate(policy.cases):
        if i in held and (not case.errors or error_class in case.errors):
            return case.policy
    return policy


def by_error(policy: Policy, held: Collection[int]) -> dict[str, Policy]:
    """Return the policies of an order that depend on the kind of an error, by class."""
    classes = {name for i, case in enumerate(policy.cases) if i in held for name in case.errors}
    return {name: chosen(policy, held, name) for name in sorted(classes)}


def next_attempt_at(
    policy: Policy, attempts: int, at: datetime, retry_after_s: int | None = None, *, seed: str = ""
) -> datetime | None:
    """Return when the next send is due after `attempts` sends, the last of them answered at `at`; None: give up.

    A target that asks for a longer wait gets it.
    """
    if attempts >= policy.attempts:
        return None
    return at + timedelta(seconds=max(wait_s(policy, attempts, seed), retry_after_s or 0))


def wait_s(policy: Policy, attempts: int, seed: str) -> float:
    """Return the wait after so many attempts.

    immediate waits not at all, fixed always first_s, exponential first_s doubled with every attempt, at most max_s.
    The jitter moves it by up to that share; the same seed and attempt give the same wait.
    """
    waits: dict[str, float] = {"immediate": 0, "none": 0, "fixed": policy.first_s}
    plain = waits.get(policy.backoff, policy.first_s * 2.0 ** min(max(attempts - 1, 0), 30))
    chance = int.from_bytes(hashlib.sha256(f"{seed}/{attempts}".encode()).digest()[:4]) / 2**32
    return min(plain * (1 + policy.jitter * (2 * chance - 1)), policy.max_s)
