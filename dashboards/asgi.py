"""The dashboards as one ASGI application: `python -m dashboards`, or any ASGI server on `dashboards.asgi:app`."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.settings import settings
from dashboards.tower_ui import letters, shared, shell, signin

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each refresh of each page otherwise


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Load everything before the first visitor, then take it out of the garbage collector's walk.

    Streamlit collects garbage after every run of a fragment; without the freeze each refresh walks the heap of
    pandas, pyarrow and plotly (docs/dashboards.md, "What a refresh costs").
    """
    warm_up()
    yield


def warm_up() -> None:
    """Import what the pages import, draw one chart unseen, freeze."""
    from dashboards.tower_ui import charts, theme
    from dashboards.views import actions, audit, board, feeds, flow, order, orphans, quarantine, subscriptions, wall

    charts.warm(theme.DARK)
    views = (actions, audit, board, feeds, flow, order, orphans, quarantine, subscriptions, wall)
    assert all(callable(view.show) for view in views)
    gc.collect()
    gc.freeze()


async def healthz(_: Request) -> Response:
    """Answer that this process lives; whether the tower does is the tower's own /healthz."""
    return JSONResponse({"status": "ok"})


app = st.App(
    Path(__file__).parent / "app.py",
    lifespan=lifespan,
    routes=[
        Route("/healthz", healthz),
        *shell.routes(),
        *letters.routes(shared.api()),
        *signin.routes(shared.api(), shared.sessions(), secure=settings().secure_cookie),
    ],
    middleware=[
        Middleware(signin.SignInFirst, sessions=shared.sessions(), shared_key=settings().dash_key),
    ],
)
