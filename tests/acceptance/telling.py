"""Stories told side by side in one tower: a tick costs the same for one order and for all orders of all stories.

A story is a generator over orders of its own. It yields what it sends, goes on when all of that is judged, and looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.events import send

SECRET = "native-secret"  # of every connection that asks for one
Event = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """An act of a person, which is answered once the engine has written it down and judged what it brings."""

    act: Callable[[], object]


Step = list[Event | Said | Callable[[], object]]  # events, a person's acts, and messages of systems
Story = Generator[Step, None, None]


@dataclass
class World:
    """The tower that all stories are told in."""

    client: httpx.Client
    folder: Path
    env: dict[str, str]
    together: Callable[[], AbstractContextManager[None]]  # what is sent inside is one tick's work
    ends: dict[str, Exception | None] = field(default_factory=dict)  # of the stories told, by name
    raw_ids: dict[str, str] = field(default_factory=dict)  # of messages that are asked for by others, by order
    judged_at: datetime = datetime.min  # between what the last step brought and what the next will
    _boards: dict[tuple[tuple[str, str], ...], dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the tower."""
        return str(self.client.base_url)

    def board(self, **query: str) -> dict[str, dict[str, Any]]:
        """Return the rows of the board by order, now or as of a moment: asked for once between two steps."""
        key = tuple(sorted(query.items()))
        if key not in self._boards:
            reply = self.client.get("/v1/orders", params={"limit": "5000", **query})
            assert reply.status_code == 200, reply.text
            self._boards[key] = {row["order_id"]: row for row in reply.json()["orders"]}
        return self._boards[key]

    def take(self, step: Step) -> None:
        """Send events and messages for one tick, let people act beside it; return when all of it is judged."""
        with ThreadPoolExecutor(16) as people:
            said = [people.submit(item.act) for item in step if isinstance(item, Said)]
            with self.together():
                sent = [people.submit(item) for item in step if not isinstance(item, dict | Said)]
                send(self.client, *(item for item in step if isinstance(item, dict)), wait=False)
                for one in sent:
                    one.result()
            send(self.client)
            for one in said:
                one.result()
        self._boards.clear()
        time.sleep(0.01)
        self.judged_at = datetime.now(UTC)
        time.sleep(0.01)


def tell(world: World, stories: Mapping[str, Callable[[World], Story]]) -> None:
    """Tell all stories, each step of one beside the same step of the others, and note how each of them ends."""
    told = {name: story(world) for name, story in stories.items()}
    while told:
        step: Step = []
        for name, story in list(told.items()):
            try:
                step += next(story)
            except StopIteration:
                world.ends[name] = None
            except Exception as error:  # noqa: BLE001 - the end of this story, raised by its own test
                world.ends[name] = error
            if name in world.ends:
                del told[name]
        if told:
            world.take(step)
