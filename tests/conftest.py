"""What every test gets: a clean environment, and stores that look newly migrated."""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.stores import Shelf
from tower.store.client import Store

atexit.register(gc.freeze)  # the reason is in tower/cli.py
gc.disable()  # until all tests are found; see pytest_collection_finish
ROOTS = len(Path(__file__).parent.parts)
LONG_FIRST = (
    "browser",
    "acceptance",
    "real",
    "demo",
    "engine",
    "collector",
    "value",
    "actions",
    "api",
    "backtest",
    "alerts",
    "rules",
)
_SHELF = pytest.StashKey[Shelf]()
_MODULE = pytest.StashKey[object]()


class OneBrowser(LoadFileScheduling):
    """Gives each process whole files, and all that the one browser draws to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBrowser:
    """Share out the tests."""
    return OneBrowser(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, file by file: processes that share the files then end together.

    Files that use the shelf stand together: where others begin, it lets go of its folder.
    """
    shelved = {item.path for item in items if isinstance(item, pytest.Function) and "shelf" in item.fixturenames}
    ranks = {folder: rank for rank, folder in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: (ranks.get(item.path.parts[ROOTS], len(ranks)), item.path not in shelved))


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among the modules and tests: that took a third of finding them.

    And more seldom than usual: what the tests make is mostly freed without it, and looking took a fifteenth of their time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    gc.enable()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove TOWER_, OTEL_ and proxy variables for the length of a test: no setting of this machine leaks in."""
    for name in list(os.environ):
        if name.startswith(("TOWER_", "OTEL_")) or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    yield


@pytest.fixture(scope="session")
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """The databases of this test process."""
    made = request.session.stash[_SHELF] = Shelf(tmp_path_factory.mktemp("store"))
    yield made
    made.rest()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Function) -> None:
    """Let go of the shared folder where a module begins that may open folders of its own."""
    stash = item.session.stash
    if stash.get(_MODULE, None) is not item.module:
        stash[_MODULE] = item.module
        if _SHELF in stash and "shelf" not in item.fixturenames:
            stash[_SHELF].rest()


@pytest.fixture
def make_store(shelf: Shelf) -> Iterator[Callable[[], Store]]:
    """Return a maker of stores for one test, each with a migrated, empty database of its own."""
    made: list[Store] = []

    def make() -> Store:
        made.append(shelf.take())
        return made[-1]

    yield make
    for store in made:
        shelf.give(store)


@pytest.fixture
def store(shelf: Shelf) -> Iterator[Store]:
    """A migrated, empty database of one's own."""
    with shelf.lend() as lent:
        yield lent
