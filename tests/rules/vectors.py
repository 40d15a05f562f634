"""The business-hours cases of four public libraries, in the form our calendars are written in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

FILE = Path(__file__).parents[2].parent / "shared" / "data" / "business_hours" / "vectors.json"


def load() -> list[dict[str, Any]]:
    """Return the cases whose answer follows from half-open spans; skips the caller when the file is absent."""
    if not FILE.exists():
        pytest.skip(f"the shared cases are not at {FILE}", allow_module_level=True)
    return [case for case in json.loads(FILE.read_text()) if case["half_open_reference_agrees"]]


def config(case: dict[str, Any]) -> dict[str, Any]:
    """Return the case's calendar as a rulebook mapping."""
    written = case["calendar"]
    return {
        "zone": written["timezone"],
        "open": {day: ["-".join(span) for span in spans] for day, spans in written["weekly"].items()},
        "holidays": written["holidays"],
        "special": {day: ["-".join(s) for s in spans] for day, spans in written["date_overrides"].items()},
    }


def instant(case: dict[str, Any], text: str) -> datetime:
    """Return the instant of a text, which is local to the calendar when it names no offset."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(case["calendar"]["timezone"]))
