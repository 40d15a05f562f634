"""The table of cases: Alertmanager's behaviours and those beyond it, each with the notices expected by the second."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.stage import T0, plan_of, play

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_what_is_told_to_whom_and_when(case: dict[str, Any]) -> None:
    start = datetime.fromisoformat(case["start"]) if "start" in case else T0
    assert play(plan_of(case["book"]), start, case["until"], case["acts"]) == (case["expect"] or [])
