"""The HTML that every page starts from: Streamlit's own, with the dark appearance chosen for browsers that have none.

Streamlit follows the system's light or dark setting unless the browser remembers a choice; a control room wants dark
first. The choice stays the reader's: it is in the menu at the top right, and as Streamlit keeps it by page, a page that
has none takes that of another. Should Streamlit rename its entry, the pages
follow the system again and nothing breaks (a browser test says so).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

PAGES = (
    "/",
    "/alerts",
    "/subscriptions",
    "/order",
    "/flow",
    "/executive",
    "/jeopardy",
    "/feeds",
    "/quarantine",
    "/orphans",
    "/actions",
    "/audit",
    "/targets",
    "/rulebook",
    "/wall",
)
_CHOOSE = """<script>try {
  const prefix = "stActiveTheme-", entry = prefix + location.pathname + "-v2";
  const chosen = Object.keys(localStorage).find((key) => key.startsWith(prefix));
  if (!localStorage.getItem(entry)) localStorage.setItem(entry, chosen ? localStorage.getItem(chosen) : '"Dark"');
} catch (error) { /* a browser that keeps nothing follows its system */ }</script>"""


def routes() -> list[BaseRoute]:
    """Return a route per page, so that each starts from the shell."""
    return [Route(path, _serve, methods=["GET", "HEAD"]) for path in PAGES]


async def _serve(_: Request) -> Response:
    headers = {"Cache-Control": "no-cache", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(_shell(), headers=headers)


@cache
def _shell() -> str:
    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    head, tag, rest = text.partition("<head>")
    return f"{head}{tag}{_CHOOSE}{rest}" if tag else text
