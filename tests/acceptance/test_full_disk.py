"""A disk that becomes full under a whole tower: it is said, nothing acknowledged is lost, and the tower works on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.events import BOOKS, NDJSON, accepted, lines, until
from tests.commands.process import Running
from tests.commands.served import Served

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of its own that holds 200 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk of its own needs root and mount")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Write a file that takes all space but some, and return it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while (room := shutil.disk_usage(disk).free - leave_bytes) > 0:
            try:
                file.write(bytes(min(room, 1 << 20)))
            except OSError:
                break
    return filler


@pytest.mark.parametrize("floor_mb", [32, 0])
def test_a_full_disk_is_said_and_loses_nothing_that_was_acknowledged(small_disk: Path, floor_mb: int) -> None:
    """With a floor the doors close before the disk is full; without one the write that fails is not acknowledged.

    The tower whose disk becomes full to the last byte is a process of its own, which must live on.
    """
    env = {"TOWER_BOOK": str(BOOKS / "small"), "TOWER_DISK_FLOOR_MB": str(floor_mb)}
    start = Served if floor_mb else Running
    running = start(small_disk.parent / "logs", **{**env, "TOWER_DATA_DIR": str(small_disk / "var")})
    with running, running.client() as client:
        client.headers.update(NDJSON)
        sent, acknowledged, refused = 0, set[str](), None

        def post() -> httpx.Response:
            nonlocal sent
            sent += 1
            names = [f"F-{sent}-{i}" for i in range(50)]
            reply = client.post("/v1/events", content=lines([accepted(n, reason="x" * 2000) for n in names]))
            if reply.status_code == 200:
                acknowledged.update(names)
            return reply

        assert post().status_code == 200
        filler = fill(small_disk, (floor_mb << 20) // 2)
        for _ in range(200):
            if (reply := post()).status_code != 200:
                refused = reply
                break
        assert refused is not None, "the disk never became full"
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] in ("disk_full", "journal_failed")
        until(lambda: client.get("/readyz").status_code == 503, "/readyz says that the doors are closed")
        assert not isinstance(running, Running) or running.process.poll() is None
        filler.unlink()
        until(lambda: post().status_code == 200, "the doors open again once there is room")
        until(lambda: client.get("/readyz").status_code == 200, "/readyz says so")
        last = [accepted("F-last")]
        until(lambda: client.post("/v1/events?wait=stored", content=lines(last)).status_code == 200, "all is judged")
        acknowledged.add("F-last")
        seen: set[str] = set()
        cursor = ""
        for _ in range(100):
            found = client.get(
                "/v1/orders", params={"limit": "5000", "sort": "order_id", **({"cursor": cursor} if cursor else {})}
            ).json()
            seen |= {row["order_id"] for row in found["orders"]}
            cursor = found["next_cursor"]
            if not cursor:
                break
        assert acknowledged <= seen
        assert {row["state"] for row in found["orders"]} == {"late"}
