"""What an empty refresh costs: the collection of garbage after it must not walk the heap of pandas and plotly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from streamlit import config

ROOT = Path(__file__).parents[2]


def test_streamlit_still_collects_after_each_run() -> None:
    """The measurement stands for this; without it there would be nothing to save."""
    assert config.get_option("runner.postScriptGC") is True


def test_after_the_warm_up_an_empty_run_costs_less_than_a_third() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.dashboards.refresh_cost"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    before, after = map(float, run.stdout.split())
    assert after / before < 0.3, f"{before:.1f} ms before, {after:.1f} ms after"
