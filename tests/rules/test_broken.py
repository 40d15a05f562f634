"""One small file per mistake: each gives one problem, at the marked line, in the words of its first lines.

A file joins base.yaml unless it says `# alone`. `# <--` marks the line of the mistake; without it the whole file is
meant.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.errors import RulebookError
from rules.parse import parse_book

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
BASE = (HERE / "base.yaml").read_text()


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_mistake_is_told_with_its_place_and_a_hint(file: Path) -> None:
    text = file.read_text()
    lines = text.splitlines()
    says, hint = (line.partition(": ")[2] for line in lines[:2])
    files = {file.name: text} if "# alone" in lines else {"base.yaml": BASE, file.name: text}
    with pytest.raises(RulebookError) as caught:
        parse_book(files)
    [problem] = caught.value.problems
    assert says in (f"{problem.key}: {problem.problem}" if problem.key else problem.problem)
    assert hint in problem.hint
    marked = [number for number, line in enumerate(lines, 1) if "# <--" in line]
    assert (problem.file, problem.line) == (file.name, marked[0] if marked else 1)


def test_the_base_has_no_mistake() -> None:
    assert parse_book({"base.yaml": BASE}).warnings == ()
