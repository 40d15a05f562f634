"""The web application: one list of routers, one shape of error, one net around every request.

The composition root makes the context, adds the collector's doors as `routes`, and serves the result with one worker.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.routing import BaseRoute

import tower
from tower.api import (
    actions,
    alerts,
    audit,
    backtests,
    breaches,
    drift,
    feeds,
    groups,
    health,
    jeopardy,
    me,
    metrics,
    order,
    orders,
    orphans,
    problems,
    quarantine,
    raw,
    restated,
    roi,
    rule_examples,
    rule_sql,
    rules,
    stages,
    targets,
    versions,
    why,
)
from tower.api.auth import Caller
from tower.api.clicks import Clicks
from tower.api.context import ApiContext
from tower.api.docs import complete
from tower.api.door_docs import describe_doors
from tower.api.middleware import Observe
from tower.api.single_flight import SingleFlight
from tower.backtest.runs import Runs

ROUTERS = (
    health.router,
    metrics.router,
    me.router,
    orders.router,
    why.router,  # before order: its path is the longer one
    order.router,
    stages.router,
    groups.router,
    feeds.router,
    breaches.router,
    restated.router,
    actions.router,
    alerts.router,
    audit.router,
    jeopardy.router,
    rules.router,
    versions.router,
    backtests.router,
    rule_examples.router,
    rule_sql.router,
    targets.router,
    quarantine.router,
    raw.router,
    drift.router,
    orphans.router,
    roi.router,
)


def create_app(context: ApiContext, routes: Sequence[BaseRoute] = ()) -> FastAPI:
    """Return the application with our endpoints and the routes of the doors."""
    app = FastAPI(title="O2C Control Tower", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    app.state.clicks = Clicks()
    app.state.backtests = Runs()
    app.state.board = SingleFlight[orders.Rendered](orders.BOARD_TTL_S)
    app.state.shared = SingleFlight[bytes](orders.BOARD_TTL_S)
    app.state.roi = SingleFlight[bytes](roi.TTL_S)
    app.add_middleware(Observe)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.extend(routes)
    document: list[bytes] = []

    @app.get("/openapi.json", summary="This document", responses={200: {"content": {"application/json": {}}}})
    def openapi(_: Caller) -> Response:
        """Describe every endpoint, with examples and the shape of refusals."""
        if not document:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            document.append(msgspec.json.encode(describe_doors(complete(made, app.routes), app.router.routes)))
        return Response(document[0], media_type="application/json")

    return app


VERSION = getattr(tower, "__version__", "0")
