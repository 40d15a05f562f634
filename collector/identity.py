"""The identities seen lately with the hash of their body: tells a duplicate from a conflict before rows can be queried.

Best effort and bounded: an identity that has been forgotten counts as new, and the store finds out.
"""

from __future__ import annotations

from collections.abc import Mapping


class Identities:
    """Two generations of hashes; when the young one is full the old one is forgotten."""

    def __init__(self, capacity: int = 400_000) -> None:
        self._half = capacity // 2
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def get(self, identity: int) -> int | None:
        """Return the content heard under an identity, None if it is unknown or forgotten."""
        content = self._young.get(identity)
        return self._old.get(identity) if content is None else content

    def remember(self, bodies: Mapping[int, int]) -> None:
        """Keep identities whose lines are synced."""
        if len(self._young) + len(bodies) > self._half:
            self._old, self._young = self._young, {}
        self._young.update(bodies)
