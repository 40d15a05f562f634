"""Text from a rulebook as SQL literals: the only way it enters a statement."""

from __future__ import annotations


def sql_text(value: str) -> str:
    """Return the value as a quoted SQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def sql_name(value: str) -> str:
    """Return the value as a quoted SQL identifier; backticks are dropped."""
    return "`" + value.replace("`", "").replace("\\", "") + "`"
