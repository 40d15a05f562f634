"""The dashboards with less patience: data count as old after 4 s and as gone after 8 s. Used like `python -m dashboards`."""

from __future__ import annotations

import runpy

from dashboards.tower_ui.pulse import pulse

if __name__ == "__main__":
    pulse.STALE_S, pulse.DEAD_S = 4.0, 8.0
    runpy.run_module("dashboards", run_name="__main__", alter_sys=True)
