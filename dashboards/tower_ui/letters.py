"""Links of notices, passed on to the tower: the pages' address is the one that people reach. No key is used."""

from __future__ import annotations

import asyncio
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dashboards.tower_ui.client import Api, ApiError

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}


def routes(api: Api) -> list[BaseRoute]:
    """Return the routes: GET shows the tower's question, POST gives the answer."""

    async def pass_on(request: Request) -> Response:
        purpose, token = request.url.path.rpartition("/")[2], request.query_params.get("token", "")
        method = "POST" if request.method == "POST" else "GET"
        try:
            status, text = await asyncio.to_thread(api.letter, method, purpose, token)
        except ApiError as error:
            said = f"Nothing has changed. {error} Follow the link again later."
            status, text = 503, f"<!doctype html><title>Not now</title><h1>Not now</h1><p>{escape(said)}</p>"
        return HTMLResponse(text, status, _HEADERS)

    return [Route(f"/link/{purpose}", pass_on, methods=["GET", "POST"]) for purpose in ("confirm", "unsubscribe")]
