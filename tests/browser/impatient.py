"""The dashboards with less patience: data count as old after 3 s and as gone after 5 s. Used like `python -m dashboards`."""

from __future__ import annotations

import runpy

from dashboards.tower_ui.pulse import pulse

if __name__ == "__main__":
    pulse.STALE_S, pulse.DEAD_S = 3.0, 5.0
    runpy.run_module("dashboards", run_name="__main__", alter_sys=True)
