"""What is not worth telling now: breaches behind a late feed, a down target or another breach, and silenced ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.match import holds
from rules.model import Condition, Inhibition, When
from tower.alerts.breach import Breach

FEED_LATE, TARGET_DOWN = "feed_late", "target_down"
_OF_ORDERS = Condition("kind", "not_in", (FEED_LATE, TARGET_DOWN))


def _kind(name: str) -> When:
    return When(((Condition("kind", "in", (name,)),),))


# Always in force: orders behind a feed that is late, or behind a target that is down, are not told one by one.
BUILT_IN = (
    Inhibition(_kind(FEED_LATE), When(((_OF_ORDERS,),)), ("system",)),
    Inhibition(_kind(TARGET_DOWN), When(((_OF_ORDERS,),)), ("target",)),
)
_SCOPE = ("company", "warehouse", "partner")  # of a feed: where it names one, the order must have the same


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody wants to hear nothing of what matches, for a time."""

    silence_id: str
    when: When
    starts_at: datetime
    ends_at: datetime
    author: str = ""
    comment: str = ""

    def covers(self, breach: Breach, now: datetime) -> bool:
        """Whether it holds now and matches."""
        return self.starts_at <= now < self.ends_at and holds(self.when, breach.facts)


class Inhibitor:
    """Keeps the open breaches that silence others."""

    def __init__(self, inhibitions: Iterable[Inhibition]) -> None:
        self._rules = (*BUILT_IN, *inhibitions)
        self._sources: list[dict[tuple[str, ...], dict[str, Breach]]] = [{} for _ in self._rules]

    def note(self, breach: Breach) -> bool:
        """Take up a breach as it is now; return whether it silences others or did."""
        known = False
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if not holds(rule.source, breach.facts):
                continue
            known = True
            same = sources.setdefault(_key(rule, breach), {})
            if breach.is_open:
                same[breach.breach_id] = breach
            else:
                same.pop(breach.breach_id, None)
        return known

    def behind(self, breach: Breach) -> str:
        """Return the id of an open breach that silences this one, '' when there is none.

        A breach that matches both sides is not silenced by another that does, as in Alertmanager.
        """
        for rule, sources in zip(self._rules, self._sources, strict=True):
            found = sources.get(_key(rule, breach)) if sources else None
            if not found or not holds(rule.target, breach.facts):
                continue
            both = holds(rule.source, breach.facts)
            for source in found.values():
                two_sided = both and holds(rule.target, source.facts)
                if source.breach_id != breach.breach_id and not two_sided and _in_scope(source, breach):
                    return source.breach_id
        return ""


def silence_of(silences: Sequence[Silence], breach: Breach, now: datetime) -> str:
    """Return the id of a silence that covers the breach now, '' when there is none."""
    return next((s.silence_id for s in silences if s.covers(breach, now)), "")


def _key(rule: Inhibition, breach: Breach) -> tuple[str, ...]:
    return tuple(breach.text(name) for name in rule.equal)


def _in_scope(source: Breach, breach: Breach) -> bool:
    if source.text("kind") != FEED_LATE:
        return True
    return all(not source.text(name) or source.text(name) == breach.text(name) for name in _SCOPE)
