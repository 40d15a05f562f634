"""A fake tower per test module, and pages that read it: settings through the environment, caches emptied between tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboards import settings as dash_settings
from dashboards.tower_ui import shared
from dashboards.tower_ui.client import Api
from tests.dashboards.fake_api import FakeTower, Served

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
Connect = Callable[..., Api]
_PAGES: dict[str, str] = {}  # path -> the hash by which Streamlit knows the page, as the first run told
OPERATOR, VIEWER = "key-ana-operator", "key-vic-viewer"


@pytest.fixture(scope="session", autouse=True)
def packages_are_read_once() -> Iterator[None]:
    """AppTest reads the metadata of every installed package in each run, to find components; a server does so once."""
    with pytest.MonkeyPatch.context() as patch:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def tower() -> FakeTower:
    return FakeTower(orders=120, settle_s=0.2)


@pytest.fixture
def served(tower: FakeTower) -> Iterator[Served]:
    server = Served(tower)
    yield server
    server.stop()


@pytest.fixture
def started(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The pages' process as if started against the fake, with the operator's key for everyone."""
    monkeypatch.setenv("TOWER_API_URL", served.url)
    monkeypatch.setenv("TOWER_DASH_KEY", OPERATOR)
    forget()
    yield served
    forget()


@pytest.fixture
def connect(served: Served) -> Iterator[Connect]:
    """Makes clients of the fake and closes them."""
    made: list[Api] = []

    def make(**options: Any) -> Api:
        made.append(Api(served.url, **options))
        return made[-1]

    yield make
    for api in made:
        api.close()


def forget() -> None:
    """Empty what a process holds once."""
    if shared.api.cache_info().currsize:
        shared.api().close()
    dash_settings.settings.cache_clear()
    for held in (shared.api, shared.sessions, shared.recent):
        held.cache_clear()
    shared._shared.clear()


def app(**query: str) -> AppTest:
    """Return the whole app at an address, as a reader in Berlin opens it."""
    at = AppTest.from_file(str(APP), default_timeout=30)
    at.context = {"timezone": "Europe/Berlin", "locale": "en-GB", "theme": "dark", "url": "http://dash.example/"}
    for name, value in query.items():
        at.query_params[name] = value
    return at


def turn_to(at: AppTest, path: str) -> AppTest:
    """Turn to another page of the app. AppTest.switch_page knows pages that are files; ours are functions."""
    if not _PAGES:
        at.run()
        _PAGES.update({str(info.get("url_pathname")): h for h, info in at._registered_pages.items()})
    assert path in _PAGES, f"no page {path!r}"
    at._page_hash = _PAGES[path]
    return at
