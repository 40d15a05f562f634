"""Signing in: each person gives their own tower key once, and acts under its name.

The key goes from the form to this process over HTTP and stays here; the browser keeps only a random mark in a cookie
that scripts cannot read. A page asked for before signing in is the one that opens after it.
"""

from __future__ import annotations

import asyncio
import html
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.tower_ui.client import Api, Down, Refused, Viewer

COOKIE = "tower_session"
IDLE_S = 12 * 3600
MAX_BODY = 4096
OPEN_PATHS = ("/login", "/logout", "/healthz", "/link/", "/_stcore/", "/static/", "/media/", "/component/", "/favicon")


class Sessions:
    """Who is signed in, by the mark in their cookie. In memory: a restart asks everyone for their key again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Viewer, float]] = {}

    def open(self, viewer: Viewer) -> str:
        """Remember a viewer and return the mark for their cookie."""
        mark = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            self._known = {m: (v, t) for m, (v, t) in self._known.items() if now - t < IDLE_S}
            self._known[mark] = (viewer, now)
        return mark

    def find(self, mark: str | None) -> Viewer | None:
        """Return the viewer behind a mark, None once it was idle too long or signed out."""
        if not mark:
            return None
        with self._lock:
            held = self._known.get(mark)
            if held is None or self._clock() - held[1] >= IDLE_S:
                self._known.pop(mark, None)
                return None
            self._known[mark] = (held[0], self._clock())
            return held[0]

    def close(self, mark: str | None) -> None:
        """Forget a mark."""
        with self._lock:
            self._known.pop(mark or "", None)


def own_path(wanted: str) -> str:
    """Return a path of these pages to go to after signing in; the board for anything else."""
    parts = urlsplit(wanted)
    inside = not parts.scheme and not parts.netloc and wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return (
        wanted
        if inside and "\\" not in wanted and wanted.isprintable() and not wanted.startswith(("/login", "/logout"))
        else "/"
    )


class SignInFirst:
    """Middleware: a page asked for without a session leads to the sign-in form and back. Assets pass.

    It is a convenience: the pages check the session themselves, because data travel over the websocket.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, shared_key: str) -> None:
        self.app = app
        self.sessions = sessions
        self.shared_key = shared_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or redirect a person."""
        if scope["type"] == "http" and scope["method"] == "GET" and not self.shared_key:
            request = Request(scope)
            is_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(OPEN_PATHS)
            if is_page and self.sessions.find(request.cookies.get(COOKIE)) is None:
                wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                await RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def routes(api: Api, sessions: Sessions, *, secure: bool) -> list[BaseRoute]:
    """Return the form, what it posts to, and the way out."""

    async def form(request: Request) -> Response:
        return _page(own_path(request.query_params.get("next", "/")))

    async def submit(request: Request) -> Response:
        if not _same_origin(request):
            return _page("/", "This form was sent from another site.", 403)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return _page("/", "That is too long for a key.", 413)
        fields = parse_qs(body.decode("utf-8", "replace"))
        wanted = own_path(fields.get("next", ["/"])[0])
        key = fields.get("key", [""])[0].strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            return _page(wanted, "Paste your key; it is one word.", 400)
        try:
            viewer = await asyncio.to_thread(api.whoami, key)
        except Refused:
            await asyncio.sleep(0.5)  # makes guessing slow
            return _page(wanted, "The tower does not know this key. Ask an admin: tower keys add.", 401)
        except Down as error:
            return _page(wanted, f"{error} Your key was not checked; try again when the tower runs.", 503)
        response = RedirectResponse(wanted, 303)
        response.set_cookie(
            COOKIE, sessions.open(viewer), max_age=IDLE_S, httponly=True, samesite="lax", secure=secure, path="/"
        )
        return response

    async def ask_leave(_: Request) -> Response:
        return _shell(
            '<form method="post" action="/logout"><h1>Sign out?</h1><p>Your key is forgotten on this server.</p>'
            '<button type="submit">Sign out</button></form>'
        )

    async def leave(request: Request) -> Response:
        if not _same_origin(request):
            return _page("/", "This form was sent from another site.", 403)
        sessions.close(request.cookies.get(COOKIE))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response

    return [
        Route("/login", form, methods=["GET"]),
        Route("/login", submit, methods=["POST"]),
        Route("/logout", ask_leave, methods=["GET"]),
        Route("/logout", leave, methods=["POST"]),
    ]


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _page(wanted: str, error: str = "", status: int = 200) -> HTMLResponse:
    say = f'<p class="error" role="alert">{html.escape(error)}</p>' if error else ""
    return _shell(_FORM.replace("{next}", html.escape(wanted, quote=True)).replace("{error}", say), status)


def _shell(content: str, status: int = 200) -> HTMLResponse:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}
    return HTMLResponse(_DOCUMENT.replace("{css}", _css()).replace("{content}", content), status, headers)


@cache
def _css() -> str:
    return (Path(__file__).parent / "signin.css").read_text(encoding="utf-8")


_DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · O2C Control Tower</title><link rel="icon" href="data:,"><style>{css}</style></head>
<body>{content}</body></html>"""
_FORM = """<form method="post" action="/login"><h1>O2C Control Tower</h1>
<p>Sign in with your own tower key. What you do is recorded under its name.</p>{error}
<label for="key">Tower key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<input type="hidden" name="next" value="{next}"><button type="submit">Sign in</button></form>"""
