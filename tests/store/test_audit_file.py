"""An export of the audit proves itself, and a spreadsheet that opens it runs nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.actions.world import T0
from tests.commands.process import here
from tests.stores import Shelf
from tower.store.audit import Audit, Entry
from tower.store.audit_file import FORMATS, FileError, export, verify_file

EVIL = ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "'quoted", 'plain, with "marks"\nand lines', "ä€")


@pytest.fixture(scope="module")
def audit(shelf: Shelf) -> Iterator[Audit]:
    """A chain of one row an hour, with texts that spreadsheets take for formulas."""
    with shelf.lend() as store:
        chain = Audit(store)
        for hour, text in enumerate(EVIL):
            chain.append([Entry(text, "retry", f"s{hour}", text, {"n": hour, "t": text})], T0 + timedelta(hours=hour))
        yield chain


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_proves_itself_and_a_stretch_of_it_too(audit: Audit, form: str) -> None:
    whole = "".join(export(audit, None, None, form))
    found = verify_file(io.StringIO(whole, newline=""))
    assert (found.rows, found.first, found.last) == (8, 1, 8)
    part = "".join(export(audit, T0 + timedelta(hours=2), T0 + timedelta(hours=5), form))
    found = verify_file(io.StringIO(part, newline=""))
    assert (found.rows, found.first, found.last) == (3, 3, 5)
    with pytest.raises(FileError, match="holds no row"):
        verify_file(io.StringIO("".join(export(audit, T0 + timedelta(days=9), None, form)), newline=""))


def test_no_cell_is_a_formula(audit: Audit) -> None:
    rows = list(csv.reader(io.StringIO("".join(export(audit, None, None, "csv")), newline="")))
    assert len(rows) == 9
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"retry"', '"paid"', "row 1 of the audit was changed"),
        ('"subject":"s3"', '"subject":"s9"', "row 4 of the audit was changed"),
        ('"n\\":2', '"n\\":3', "row 3 of the audit was changed"),
        ("+00:00", "+00:01", "row 1 of the audit was changed"),
        ('"seq":5', '"seq":55', "after row 4 of the audit comes 55"),
    ],
)
def test_tampering_with_a_file_shows(audit: Audit, old: str, new: str, said: str) -> None:
    text = "".join(export(audit, None, None, "ndjson"))
    assert old in text
    with pytest.raises(FileError, match=said):
        verify_file(io.StringIO(text.replace(old, new, 1)))


def test_a_row_that_is_left_out_moved_or_forged_shows(audit: Audit) -> None:
    lines = list(export(audit, None, None, "ndjson"))
    for wrong in (lines[:3] + lines[4:], [*lines[:2], lines[3], lines[2]], [*lines, lines[-1]]):
        with pytest.raises(FileError, match="missing, doubled or moved"):
            verify_file(io.StringIO("".join(wrong)))
    assert verify_file(io.StringIO("".join(lines[2:]))).first == 3
    for wrong in ("a,b\n1,2\n", "{}\n", "", '{"seq": 1}\n'):
        with pytest.raises(FileError):
            verify_file(io.StringIO(wrong))


def test_the_command_checks_a_file(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    file.write_text("".join(export(audit, None, None, "csv")), newline="")
    done = here("audit", "verify", str(file), env={})
    assert (done.returncode, done.stdout[:37]) == (0, "rows 1 to 8 of the audit are whole; t"), done.stderr
    file.write_text(file.read_text().replace("retry", "paid", 1))
    done = here("audit", "verify", str(file), env={})
    assert done.returncode == 2
    assert "row 1 of the audit was changed" in done.stderr
