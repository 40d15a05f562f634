"""A confirmation is called by the engine alone, after its audit row, at SNS only, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from tower.engine.fetches import ATTEMPTS, Fetches
from tower.store.audit import Audit
from tower.store.client import Store
from tower.store.fetches import Fetch, ask_fetch, open_fetches, write_fetch

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=very-secret"


class World:
    """The engine's hands with an SNS that answers as told, and sees what the audit said when it was called."""

    def __init__(self, store: Store, answers: Callable[[httpx.Request], httpx.Response]) -> None:
        self.store, self.now = store, NOW
        self.calls: list[tuple[str, int]] = []
        self._answers = answers
        self.fetches = Fetches(store, lambda: self.now, lambda: None, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append((str(request.url), len(audit(self.store))))
        return self._answers(request)

    def run(self) -> None:
        self.fetches.step(self.now)
        for _, future in list(self.fetches._under_way.values()):
            future.exception(10)
        self.fetches.step(self.now)

    def state(self) -> tuple[str, int]:
        ((state, attempts),) = rows(self.store, "SELECT state, attempts FROM fetches FINAL")
        return state, attempts


def rows(store: Store, query: str) -> list[tuple]:  # type: ignore[type-arg]  # rows of a query
    with store.reader() as client:
        return [tuple(r) for r in client.query(query).result_rows]


def audit(store: Store) -> list[tuple]:  # type: ignore[type-arg]  # rows of a query
    return rows(store, "SELECT act, subject, detail FROM audit ORDER BY seq")


def test_a_confirmation_is_called_once_and_audited_before(store: Store) -> None:
    world = World(store, lambda _: httpx.Response(200))
    fetch_id = ask_fetch(store, "sns_confirmation", "wms", URL, NOW)
    assert ask_fetch(store, "sns_confirmation", "wms", URL, NOW) == fetch_id
    world.run()
    world.run()
    assert world.calls == [(URL, 1)]
    assert world.state() == ("done", 1)
    assert [(act, subject) for act, subject, _ in audit(store)] == [
        ("confirm_subscription", f"fetch/{fetch_id}#1"),
        ("done", f"fetch/{fetch_id}#1"),
    ]
    assert "very-secret" not in str(audit(store))
    assert Audit(store).verify() is None
    ask_fetch(store, "sns_confirmation", "wms", URL, NOW)
    world.run()
    assert len(world.calls) == 1, "asked for again after it was done"


def test_an_address_elsewhere_is_refused_even_if_the_table_holds_it(store: Store) -> None:
    world = World(store, lambda _: httpx.Response(200))
    write_fetch(
        store, Fetch("f", "sns_confirmation", "wms", "https://evil.example/", NOW, "asked", 0, NOW, 0, "", NOW, 1)
    )
    world.run()
    assert world.calls == []
    assert world.state()[0] == "failed"
    assert [act for act, _, _ in audit(store)] == ["refused"]


def test_a_redirect_is_not_followed(store: Store) -> None:
    world = World(store, lambda _: httpx.Response(302, headers={"Location": "http://169.254.169.254/"}))
    ask_fetch(store, "sns_confirmation", "wms", URL, NOW)
    world.run()
    assert [url for url, _ in world.calls] == [URL]
    assert world.state() == ("failed", 1)


def test_an_sns_that_does_not_answer_is_called_again_later_and_given_up_in_the_end(store: Store) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down", request=request)

    world = World(store, down)
    ask_fetch(store, "sns_confirmation", "wms", URL, NOW)
    world.run()
    assert world.state() == ("asked", 1)
    world.run()
    assert len(world.calls) == 1, "not before its time"
    for _ in range(ATTEMPTS + 2):
        world.now += timedelta(hours=1)
        world.run()
    assert len(world.calls) == ATTEMPTS
    assert world.state() == ("failed", ATTEMPTS)
    assert open_fetches(store, world.now) == []


def test_a_call_that_a_kill_cut_off_is_made_again(store: Store) -> None:
    world = World(store, lambda _: httpx.Response(200))
    ask_fetch(store, "sns_confirmation", "wms", URL, NOW)
    world.fetches.step(NOW)
    world.fetches.close()
    second = World(store, lambda _: httpx.Response(200))
    second.now = NOW + timedelta(minutes=1)
    second.run()
    assert second.state() == ("done", 2)
