"""too_fast: a stage was over sooner than it can honestly be done (`not_before`), in real seconds."""

from __future__ import annotations

from rules.compile.quote import text
from rules.model import Stage


def findings_sql(stage: Stage) -> str:
    """Return the rows of this kind for one stage; such a finding is resolved the moment it is seen."""
    return f"""
/* kind: too_fast, stage: {stage.id} */
SELECT
    order_no, rule, 'too_fast' AS kind, object, object_type, object_id, assumeNotNull(end_at) AS opened_at,
    end_at AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE rule = {text(stage.id)} AND state = 'stopped' AND NOT disorder AND NOT provisional
    AND toUnixTimestamp64Milli(assumeNotNull(end_at)) - toUnixTimestamp64Milli(started_at) < {(stage.not_before_s or 0) * 1000}
""".strip()
