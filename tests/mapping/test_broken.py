"""One small file per mistake: each gives one problem, at the marked line, in the words of its first lines.

`# <--` marks the line of the mistake; without it the whole file is meant.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.mapping.read import read_mapping

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_mistake_is_told_with_its_place_and_a_hint(file: Path) -> None:
    text = file.read_text()
    lines = text.splitlines()
    says, hint = (line.partition(": ")[2] for line in lines[:2])
    mapping, problems = read_mapping(file.name, text, file.parent)
    assert mapping is None
    [problem] = problems
    assert says in problem.problem
    assert hint in problem.hint
    marked = [number for number, line in enumerate(lines, 1) if "# <--" in line]
    assert (problem.file, problem.line) == (file.name, marked[0] if marked else 1)
