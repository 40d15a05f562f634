"""The latest actions with their items: read once each when settled, again and again while anything is in flight."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from dashboards.tower_ui import fmt
from dashboards.tower_ui.client import Api, Viewer

LATEST = 50
KEPT = 500


class Recent:
    """One per process; what it keeps is the same for every reader who may look at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def read(self, api: Api, viewer: Viewer) -> list[Mapping[str, Any]] | None:
        """Return the latest actions, newest first, each with its items; None while the tower does not answer."""
        listing = api.json(viewer, "/v1/actions", {"limit": str(LATEST)})
        if listing.data is None or listing.error:
            return None
        found = (self._one(api, viewer, head) for head in listing.data.get("actions") or ())
        return [action for action in found if action is not None]

    def _one(self, api: Api, viewer: Viewer, head: Mapping[str, Any]) -> Mapping[str, Any] | None:
        action_id = str(head.get("action_id"))
        with self._lock:
            held = self._settled.get(action_id)
        if held is not None:
            return held
        settled = not any(n for state, n in (head.get("counts") or {}).items() if state in fmt.IN_FLIGHT)
        body = api.json(viewer, f"/v1/actions/{action_id}", fresh=settled).data
        items = (body or {}).get("items") or ()
        if body is not None and not any(i.get("state") in fmt.IN_FLIGHT for i in items):
            with self._lock:
                self._settled[action_id] = body
                while len(self._settled) > KEPT:
                    self._settled.popitem(last=False)
        return body
