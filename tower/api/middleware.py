"""Around every request: an id, one log line, and the last net for errors nobody foresaw."""

from __future__ import annotations

import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tower.api.problems import respond
from tower.model.problem import Problem

log = structlog.get_logger("tower.api")


class Observe:
    """Gives each request an id (returned as X-Request-Id), logs it when it ends, and turns a crash into a 500 problem.

    The problem names the request id and nothing of the inside; the log line with the same id holds the traceback.
    Query strings are not logged: they may name customers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope["o2c_request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        bound = log.bind(request_id=request_id, method=scope["method"], path=scope["path"])
        try:
            await self.app(scope, receive, observed)
        except Exception:  # the edge of one request: the caller gets a problem with an id, the log has the rest
            bound.exception("request_failed")
            if status:
                raise
            problem = Problem(
                500, "internal_error", f"the request failed on our side; the log knows it as {request_id}"
            )
            await respond(problem, request_id)(scope, receive, observed)
        finally:
            who = scope.get("state", {}).get("o2c_principal", "")
            bound.info("request", status=status, ms=round((time.perf_counter() - started) * 1000, 1), actor=who)
