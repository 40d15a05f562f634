"""Whether one matcher holds whenever another does: then the other, coming later in a list, never gets its turn."""

from __future__ import annotations

from rules.model import Condition, When


def covers(earlier: When, later: When) -> bool:
    """Return whether the earlier matcher surely holds whenever the later one does; False when that is not plain."""
    if not earlier.any_of:
        return True
    if not later.any_of:
        return False
    return all(any(all(_implied(c, group) for c in one) for one in earlier.any_of) for group in later.any_of)


def _implied(condition: Condition, group: tuple[Condition, ...]) -> bool:
    return any(c == condition or _narrower(c, condition) for c in group if c.attribute == condition.attribute)


def _narrower(one: Condition, other: Condition) -> bool:
    """Whether `one` holding means that `other`, on the same attribute, holds."""
    if one.op == other.op == "in":
        return set(one.values) <= set(other.values)
    if one.op == other.op == "not_in":
        return set(one.values) >= set(other.values)
    if one.number is None or other.number is None:
        return False
    if one.op in (">", ">=") and other.op in (">", ">="):
        return one.number > other.number or (one.number == other.number and (one.op == ">" or other.op == ">="))
    if one.op in ("<", "<=") and other.op in ("<", "<="):
        return one.number < other.number or (one.number == other.number and (one.op == "<" or other.op == "<="))
    return False
