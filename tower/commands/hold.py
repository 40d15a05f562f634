"""One process per data folder, and ports that are ours before anything else is opened."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tower.commands.plainly import Stop


@contextmanager
def hold_folder(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for as long as the context lasts. Raises Stop if another process has it.

    The lock is the operating system's: it ends with the process, however that ends.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(data_dir / "tower.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Stop(f"the data folder {data_dir} cannot be used ({error.strerror}); set TOWER_DATA_DIR") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise Stop(
                f"the data folder {data_dir} is in use by another process (pid {owner}); "
                "stop that one or set TOWER_DATA_DIR to another folder"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Return a bound socket. Raises Stop that names the setting to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listen at once: bind alone lets a second process bind too, under SO_REUSEADDR.
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = "is in use" if getattr(error, "errno", 0) == errno.EADDRINUSE else f"cannot be used ({error})"
        raise Stop(f"port {port} on {host} {reason}; stop what listens there or set {setting} to another") from error
    listener.set_inheritable(False)
    return listener
