"""What one dashboards process holds once: the API client and who is signed in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from dashboards.settings import settings
from dashboards.tower_ui.client import FRESH_S, Api, Viewer
from dashboards.tower_ui.recent import Recent
from dashboards.tower_ui.signin import Sessions


@cache
def api() -> Api:
    """Return the client of this process; what it holds is never older than half a refresh."""
    chosen = settings()
    return Api(chosen.api_url, fresh_s=min(FRESH_S, chosen.refresh_s / 2))


@cache
def recent() -> Recent:
    """Return the actions this process knows."""
    return Recent()


@cache
def sessions() -> Sessions:
    """Return the sign-ins of this process."""
    return Sessions()


_shared: dict[str, Viewer] = {}


def shared_viewer(key: str) -> Viewer:
    """Return the name behind the key of the environment, asked for once. Raises what the client raises."""
    if key not in _shared:
        _shared[key] = replace(api().whoami(key), shared=True)
    return _shared[key]
