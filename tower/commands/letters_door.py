"""Where the links of notices lead: a page that asks once, and the answer.

GET changes nothing, since mail scanners follow every link; POST does. One POST without a page is what RFC 8058 asks of
a mail program's own button, so that works too. The link itself is the proof: it is signed, and ends by itself.
"""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from tower.alerts import subscription as facts
from tower.alerts.links import CONFIRM, END, Link, LinkError, Links
from tower.alerts.subscription import Subscription
from tower.api.context import ApiContext
from tower.api.docs import problems
from tower.commands.replay_door import Record, entry
from tower.commands.subscriptions_door import keep_fact, read_subscriptions

Token = Annotated[str, Query(min_length=1, max_length=2048, description="From the link")]
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}
_ANSWERS = problems(400, 503)
_ANSWERS[400]["content"] = {**_ANSWERS[400]["content"], "text/html": {"schema": {"type": "string"}}}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color-scheme:light dark}"
    "button{font:inherit;padding:.5rem 1.2rem;cursor:pointer}"
)


def letter_routes(context: ApiContext, links: Links, record: Record) -> list[BaseRoute]:
    """Return the routes of links in notices."""
    router = APIRouter(tags=["subscriptions"], default_response_class=HTMLResponse, responses=_ANSWERS)

    @router.get("/v1/subscriptions/confirm", summary="Ask whether an address wants notices")
    def ask_confirm(token: Token) -> Response:
        """Show a page with one button; nothing has changed yet."""
        return _ask(CONFIRM, token)

    @router.post("/v1/subscriptions/confirm", summary="An address wants notices")
    def confirm(token: Token) -> Response:
        """Use the address from now on."""
        found = _found(CONFIRM, token)
        if not isinstance(found, Subscription):
            return found
        if found.confirmed_at is None:
            record([entry("link", "confirm_subscription", found.receiver, owner=found.owner)])
            keep_fact(context, facts.CONFIRMED, found, "link", {"address": found.address_key})
        return _page(
            "Done", f"Notices of “{found.wish.label}” come here from now on. Each holds a link that ends them."
        )

    @router.get("/v1/subscriptions/unsubscribe", summary="Ask whether to end a subscription")
    def ask_end(token: Token) -> Response:
        """Show a page with one button; nothing has changed yet."""
        return _ask(END, token)

    @router.post("/v1/subscriptions/unsubscribe", summary="End a subscription by its link")
    def end(token: Token) -> Response:
        """End it; a mail program's own button (RFC 8058) asks the same."""
        found = _found(END, token)
        if not isinstance(found, Subscription):
            return found
        record([entry("link", "end_subscription", found.receiver, owner=found.owner)])
        keep_fact(context, facts.ENDED, found, "link", {})
        return _page("Ended", f"No more notices of “{found.wish.label}” come here.")

    def _ask(purpose: str, token: str) -> Response:
        found = _found(purpose, token)
        if not isinstance(found, Subscription):
            return found
        if purpose == CONFIRM:
            asks, button = f"Shall notices of “{found.wish.label}” come to this address?", "Yes, send them"
        else:
            asks, button = f"Shall notices of “{found.wish.label}” no longer come here?", "Yes, end them"
        return _page("Control tower", asks, button)

    def _found(purpose: str, token: str) -> Subscription | Response:
        """Return the subscription that a link is about, else the page that says why there is nothing to do."""
        try:
            link: Link = links.read(purpose, token, context.clock())
        except LinkError:
            return _page(
                "This link does not work",
                "It is not whole, or it is too old. Take the link of a later message, or ask for a new one on the "
                "Subscriptions page.",
                status=400,
            )
        one = read_subscriptions(context, subscription_id=link.subscription_id).get(link.subscription_id)
        if one is None or not one.live or one.address_key != link.address_key:
            return _page("Nothing to do", "This subscription has ended, or goes to another address by now.")
        return one

    return list(router.routes)


def _page(title: str, text: str, button: str = "", *, status: int = 200) -> Response:
    """Return a page without anything from elsewhere. button: asks by POST to the same address."""
    form = f'<form method="post"><button type="submit">{escape(button)}</button></form>' if button else ""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}</body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)
