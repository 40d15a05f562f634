"""Write docs/reference.md from the program itself: settings, commands, make targets. `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from dashboards.settings import SETTINGS as DASHBOARD_SETTINGS
from tower.cli import app
from tower.settings import SETTINGS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference.md"


def settings_table(rows: list[tuple[str, str | None, str]]) -> str:
    """Return a table of settings."""
    lines = [f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in rows]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *lines])


def commands(group: TyperGroup, path: str) -> list[str]:
    """Return one section per command, sub-commands included."""
    sections: list[str] = []
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            sections += commands(command, f"{path} {name}")
            continue
        assert isinstance(command, TyperCommand)
        arguments = [p for p in command.params if isinstance(p, TyperArgument)]
        options = [p for p in command.params if isinstance(p, TyperOption) and p.name != "help"]
        usage = " ".join([path, name, *((a.name or "").upper() + ("..." if a.nargs == -1 else "") for a in arguments)])
        about = (command.help or "").split("\n\n")[0].replace("\n", " ")
        rows = [f"- `{', '.join(o.opts)}`: {o.help or ''}{shown(o)}" for o in options]
        sections.append("\n".join([f"### `{usage}`", "", about, *([""] if rows else []), *rows]))
    return sections


def shown(option: TyperOption) -> str:
    """Return the default of an option where it says something."""
    default = option.default
    return f" Default {default}." if isinstance(default, int | float | str) and default and not option.is_flag else ""


def targets() -> str:
    """Return a table of make targets."""
    found = re.findall(r"^([a-z]+):.*?## (.+)$", (ROOT / "Makefile").read_text(), re.M)
    return "\n".join(["| target | does |", "|---|---|", *(f"| `make {name}` | {text} |" for name, text in found)])


def page() -> str:
    """Return the whole page."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return (
        "\n\n".join(
            [
                "# Reference",
                "<!-- Written by scripts/reference.py; `make format` refreshes it, `make check` compares it. -->",
                "Endpoints are in [api.md](api.md), rulebook keys in [rulebook.md](rulebook.md), event fields in "
                "[events.md](events.md).",
                "## Settings of the tower",
                "Read from the environment, once, at the start. An unusable value ends the start with one sentence.",
                settings_table([(s.name, s.default, s.help) for s in SETTINGS]),
                "Secrets that the rulebook refers to are read from `TOWER_SECRET_*` variables (`env:TOWER_SECRET_X`) "
                "or from files in `TOWER_SECRETS_DIR` (`file:x`), and from nowhere else. The commands that speak to a "
                "running tower also take `TOWER_URL` and `TOWER_TOKEN`.",
                "## Settings of the dashboards",
                settings_table([(s.name, s.default, s.help) for s in DASHBOARD_SETTINGS]),
                "## Commands",
                "A command that cannot do its work says why in one sentence and ends with code 2.",
                *commands(root, "tower"),
                "## Make targets",
                targets(),
            ]
        )
        + "\n"
    )


def main() -> int:
    """Write the page, or with --check return 1 if it is not current."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    sys.stderr.write("docs/reference.md is not current; run `make format`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
