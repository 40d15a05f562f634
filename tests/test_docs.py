"""The documentation is current: every setting, command, make target, endpoint and migration decision is in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.settings import SETTINGS as DASHBOARD_SETTINGS
from tower.settings import SETTINGS

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("script", ["reference.py", "mapping_pages.py", "permissions.py"])
def test_a_page_made_from_the_program_is_what_it_says(script: str) -> None:
    done = subprocess.run([sys.executable, f"scripts/{script}", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [s.name for s in (*SETTINGS, *DASHBOARD_SETTINGS)])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/reference.md").read_text()


def test_every_endpoint_is_documented() -> None:
    sources = [
        *(ROOT / "tower/api").rglob("*.py"),
        *(ROOT / "tower/commands").rglob("*.py"),
        ROOT / "collector/collector.py",
    ]
    found: set[str] = set()
    for source in sources:
        text = source.read_text()
        found |= set(re.findall(r'"(/(?:v1/[a-z_/{}]+|healthz|readyz|metrics))"', text))
    documented = "".join((ROOT / "docs" / page).read_text() for page in ("api.md", "events.md", "operations.md"))
    assert found
    assert sorted(path for path in found if path not in documented) == []


def test_the_test_command_of_the_readme_is_make_test() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    first = [line.split("#")[0].strip() for line in blocks[0].splitlines()]
    assert first == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert "make check" in (ROOT / ".ci/run").read_text()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {t for page in PAGES for t in re.findall(r"\bmake ([a-z]+)\b(?=`| +#|$)", page.read_text(), re.M)}
    assert named <= targets
    assert {"demo", "test", "setup", "check", "bench", "run"} <= targets


def test_every_command_that_is_named_exists() -> None:
    reference = (ROOT / "docs/reference.md").read_text()
    known = set(re.findall(r"^### `tower ([a-z ]+?)(?: [A-Z.]+)*`$", reference, re.M))
    words = {k.split()[0] for k in known} | known
    for page in PAGES:
        for command in re.findall(r"`tower ([a-z]+)", page.read_text()):
            assert command in words, f"{page.name}: tower {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_decisions_are_numbered_without_a_gap_and_say_what_was_refused() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(r.name[:4]) for r in records] == list(range(1, len(records) + 1))
    for record in records:
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Refused.**"):
            assert part in record.read_text(), f"{record.name}: {part}"


def test_the_constraints_name_no_place_and_pin_everything() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[^/\s@]+", line)] == []
