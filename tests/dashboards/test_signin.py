"""Signing in: own key, own name, nothing secret in an address, and back to where one wanted to go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboards.tower_ui import signin
from dashboards.tower_ui.client import Viewer
from dashboards.tower_ui.signin import COOKIE, IDLE_S, Sessions, own_path
from tests.dashboards.conftest import OPERATOR, Connect
from tests.dashboards.fake_api import FakeTower, Running, Served

ANA = Viewer("ana", frozenset({"operator"}), OPERATOR)
PAGE = {"accept": "text/html"}


async def page(_: Request) -> Response:
    return PlainTextResponse("the page")


@contextmanager
def site(connect: Connect, sessions: Sessions, shared_key: str = "") -> Iterator[httpx.Client]:
    routes = [Route("/{rest:path}", page)]
    gate = Middleware(signin.SignInFirst, sessions=sessions, shared_key=shared_key)
    app = Starlette(routes=[*signin.routes(connect(), sessions, secure=False), *routes], middleware=[gate])
    running = Running(app)
    try:
        with httpx.Client(base_url=running.url, trust_env=False, verify=False) as client:
            yield client
    finally:
        running.stop()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def browser(connect: Connect, sessions: Sessions) -> Iterator[httpx.Client]:
    with site(connect, sessions) as client:
        yield client


def test_a_page_asked_for_without_a_session_leads_to_the_form_and_back(
    browser: httpx.Client, sessions: Sessions
) -> None:
    first = browser.get("/order?id=SO-1", headers=PAGE)
    assert (first.status_code, first.headers["location"]) == (303, "/login?next=%2Forder%3Fid%3DSO-1")
    form = browser.get(first.headers["location"])
    assert 'value="/order?id=SO-1"' in form.text
    done = browser.post("/login", data={"key": OPERATOR, "next": "/order?id=SO-1"})
    assert (done.status_code, done.headers["location"]) == (303, "/order?id=SO-1")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert OPERATOR not in cookie
    found = sessions.find(browser.cookies[COOKIE])
    assert found is not None
    assert found.name == "ana"
    assert browser.get("/order?id=SO-1", headers=PAGE).text == "the page"


def test_assets_health_and_sockets_need_no_session(browser: httpx.Client) -> None:
    for path in ("/healthz", "/_stcore/health", "/static/app.js"):
        assert browser.get(path, headers=PAGE).status_code == 200


def test_a_wrong_key_opens_nothing_and_is_not_repeated_on_the_page(browser: httpx.Client) -> None:
    answer = browser.post("/login", data={"key": "wrong-key-123", "next": "/"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "wrong-key-123" not in answer.text


def test_a_tower_that_is_away_says_that_the_key_was_not_checked(browser: httpx.Client, served: Served) -> None:
    served.stop()
    answer = browser.post("/login", data={"key": OPERATOR, "next": "/"})
    assert answer.status_code == 503
    assert "not checked" in answer.text


@pytest.mark.parametrize("key", ["", "two words", "k\n", "schlüssel", "x" * 5000])
def test_what_cannot_be_a_key_is_not_even_asked_about(browser: httpx.Client, key: str) -> None:
    assert browser.post("/login", data={"key": key, "next": "/"}).status_code in (400, 401, 413)


def test_a_form_of_another_site_is_refused(browser: httpx.Client) -> None:
    answer = browser.post("/login", data={"key": OPERATOR}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert browser.post("/logout", headers={"origin": "http://evil.example"}).status_code == 403


def test_signing_out_forgets_the_key(browser: httpx.Client, sessions: Sessions) -> None:
    browser.post("/login", data={"key": OPERATOR, "next": "/"})
    mark = browser.cookies[COOKIE]
    assert "Sign out?" in browser.get("/logout").text
    assert sessions.find(mark) is not None
    browser.post("/logout")
    assert sessions.find(mark) is None
    assert browser.get("/", headers=PAGE).status_code == 303


def test_with_a_shared_key_pages_open_at_once(connect: Connect, sessions: Sessions) -> None:
    with site(connect, sessions, shared_key=OPERATOR) as client:
        assert client.get("/wall", headers=PAGE).text == "the page"


@pytest.mark.parametrize(
    "wanted",
    [
        "http://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/login?next=/", "/logout", "/a\nb",
        "javascript:alert(1)", "\\\\evil",
    ],
)  # fmt: skip
def test_after_signing_in_one_never_leaves_these_pages(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_an_own_path_keeps_its_question() -> None:
    assert own_path("/order?id=SO-1&x=%2F") == "/order?id=SO-1&x=%2F"


def test_markup_in_an_address_stays_text(browser: httpx.Client) -> None:
    text = browser.get('/login?next=/"><script>alert(1)</script>').text
    assert "<script>" not in text


def test_a_session_ends_after_it_was_idle_too_long() -> None:
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    mark = sessions.open(ANA)
    now[0] = IDLE_S - 1
    assert sessions.find(mark) == ANA
    now[0] += IDLE_S - 1
    assert sessions.find(mark) == ANA
    now[0] += IDLE_S
    assert sessions.find(mark) is None
    assert sessions.find(None) is None


def test_two_people_have_two_marks(tower: FakeTower) -> None:
    sessions = Sessions()
    vic = Viewer("vic", frozenset({"viewer"}), "key-vic-viewer")
    first, second = sessions.open(ANA), sessions.open(vic)
    assert (sessions.find(first), sessions.find(second)) == (ANA, vic)
