"""The application of `tower collect`: the collector's doors with health beside them, and no engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tower.api import problems
from tower.api.context import Doors
from tower.api.middleware import Observe


def create_doors(routes: Sequence[BaseRoute], stats: Callable[[], Doors]) -> FastAPI:
    """Return an application that takes events and says how it is doing."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        doors = stats()
        body = {"status": "ok" if doors.ready else "not ready", "reason": doors.reason}
        return JSONResponse(body, 200 if doors.ready else 503)

    app = FastAPI(title="O2C Control Tower: doors", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_middleware(Observe)
    app.router.routes.extend([*routes, Route("/healthz", health), Route("/readyz", ready)])
    return app
