"""The real pages in a real Chromium against the fake tower, each process on a free port and ended by its id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect, sync_playwright

from tests.dashboards.conftest import OPERATOR
from tests.dashboards.fake_api import FakeTower, Served

ROOT = Path(__file__).parents[2]
ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The first is the lightest: nothing of a desktop browser is drawn around the page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WAIT_MS = 30_000
WINDOW: ViewportSize = {"width": 1680, "height": 1000}


def find_chromium(playwright: Playwright) -> str | None:
    """Return the path of a Chromium: named by CHROMIUM, on the path, or the one playwright installed."""
    named = next(
        (found for name in (os.environ.get("CHROMIUM"), *NAMES) if name and (found := shutil.which(name))),
        None,
    )
    own = playwright.chromium.executable_path
    return named or (own if Path(own).exists() else None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser; it ends with this folder, since its event loop keeps others from running in the same process."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            message = "no Chromium: install one (make test does) or name it in CHROMIUM"
            if os.environ.get("O2C_REQUIRE_BROWSER"):
                pytest.fail(message)
            pytest.skip(message)
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@dataclass
class Dashboards:
    """The pages' process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def start_dashboards(
    api_url: str, log: Path, key: str = OPERATOR, program: str = "dashboards", **settings: str
) -> Dashboards:
    """Start `python -m dashboards` and wait until it serves."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("TOWER_", "STREAMLIT_")) and "proxy" not in k.lower()
    }
    environment = {**clean, "TOWER_API_URL": api_url, "TOWER_DASH_PORT": str(port), "TOWER_DASH_KEY": key, **settings}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", program], cwd=ROOT, env=environment, stdout=out, stderr=out)
    pages = Dashboards(f"http://127.0.0.1:{port}", process, log)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urlopen(f"{pages.url}/_stcore/health", timeout=1):
                return pages
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    pages.stop()
    raise RuntimeError(f"the dashboards did not start: {log.read_text()[-2000:]}")


def until(true: Callable[[], bool], page: Page, seconds: float = 20) -> None:
    """Wait for something outside the page."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        page.wait_for_timeout(50)


def unfold(page: Page, name: str) -> None:
    """Open a fold by the keyboard: while another one opens it moves, and a press that ends beside it is no click."""
    page.locator("summary").filter(has_text=name).press("Enter")


def no_fault(look: Callable[[], list[str]], page: Page, seconds: float = 10) -> None:
    """Look until there is no fault: a page is laid out a moment after its window has changed."""
    end = time.monotonic() + seconds
    while (faults := look()) and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert faults == []


@pytest.fixture(scope="package")
def tower() -> FakeTower:
    return FakeTower(orders=400, settle_s=0.5)


@pytest.fixture(scope="package")
def served(tower: FakeTower) -> Iterator[Served]:
    server = Served(tower)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def pages(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """The pages, refreshing every second."""
    started = start_dashboards(served.url, tmp_path_factory.mktemp("pages") / "log", TOWER_DASH_REFRESH_S="1")
    yield started
    started.stop()


@dataclass
class Tab:
    """The one tab that all tests of this folder use: a new profile compiles the app's scripts anew each time."""

    page: Page
    left: list[str]
    errors: list[str]


@pytest.fixture(scope="package")
def tab(chromium: Browser) -> Iterator[Tab]:
    """A reader in Berlin."""
    context = chromium.new_context(viewport=WINDOW, timezone_id="Europe/Berlin", locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    one = Tab(context.new_page(), [], [])
    own = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    context.on("request", lambda r: None if r.url.startswith(own) else one.left.append(r.url))
    one.page.on("pageerror", lambda e: one.errors.append(str(e)))
    yield one
    context.close()


@pytest.fixture
def page(tab: Tab) -> Iterator[Page]:
    """The tab, empty and signed out; fails the test when anything it loads leaves the host."""
    yield tab.page
    left, errors = tab.left.copy(), tab.errors.copy()
    tab.page.goto("about:blank")
    tab.page.mouse.move(0, 0)  # a board under the pointer keeps its rows in place
    tab.page.context.clear_cookies()
    tab.page.set_viewport_size(WINDOW)
    tab.left.clear()
    tab.errors.clear()
    assert left == [], "a request left the host"
    assert errors == [], "a script of the page failed"
