"""What all doors share: who is speaking, one problem shape, and the request's body within its limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collector.body import read_body
from collector.stats import Totals
from tower.model.principal import Principal
from tower.model.problem import Problem

Authenticate = Callable[[str | None], Principal | None]


def caller(request: Request, authenticate: Authenticate) -> Principal:
    """Return who sent the request. Raises Problem 401."""
    principal = authenticate(request.headers.get("authorization"))
    if principal is None:
        raise Problem(401, "unauthenticated", "send a valid token as Authorization: Bearer <token>")
    return principal


async def body_of(request: Request, limit: int) -> bytes:
    """Return the decompressed body. Raises Problem."""
    headers = request.headers
    try:
        return await read_body(
            request.stream(), headers.get("content-encoding", ""), headers.get("content-length", ""), limit
        )
    except ClientDisconnect:
        raise Problem(400, "disconnected", "the body did not arrive in full") from None


def problems(
    handle: Callable[[Request], Awaitable[Response]], totals: Totals
) -> Callable[[Request], Awaitable[Response]]:
    """Return handle with each Problem answered in the one shape."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handle(request)
        except Problem as problem:
            totals.refused += 1
            return Response(
                problem.body(request.url.path), problem.status, headers=problem.headers, media_type=problem.media_type
            )

    return endpoint
