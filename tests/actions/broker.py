"""A real RabbitMQ of one's own: its own port, name and folders, on the loopback only, gone after the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pika
import pika.exceptions

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's own command changes to another user first
MISSING = "RabbitMQ's tests need the broker: `make rabbitmq`, or as root apt-get install rabbitmq-server"


def installed() -> bool:
    """Return whether the broker is there."""
    return SERVER.exists() and shutil.which("epmd") is not None


class Broker:
    """One broker, started and killed as a test likes; what it stored stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._names, self._dist = _free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address as a target has it."""
        return f"amqp://127.0.0.1:{self.port}"

    def connect(self) -> pika.BlockingConnection:
        """Open a connection as the default user, who may come from the loopback only."""
        place = pika.ConnectionParameters("127.0.0.1", self.port, socket_timeout=5, blocked_connection_timeout=5)
        return pika.BlockingConnection(place)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        (self.folder / "rabbitmq.conf").write_text("loopback_users.guest = true\nlog.console.level = error\n")
        (self.folder / "plugins").write_text("[].\n")
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "o2c@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"), "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self._names),
        }  # fmt: skip
        self._environment = environment
        output = (self.folder / "output").open("ab")
        with output:
            self._process = subprocess.Popen(
                [str(SERVER)], env=environment, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return
            except (pika.exceptions.AMQPError, OSError):
                told = (self.folder / "output").read_text(errors="replace")[-2000:]
                assert self._process.poll() is None and time.monotonic() < deadline, told
                time.sleep(0.2)

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)

    def close(self) -> None:
        """End it and the name server it started."""
        self.kill()
        ask = ["epmd", "-port", str(self._names), "-kill"]
        for _ in range(25):  # it stays while it has not noticed that the broker is gone
            if b"Killed" in subprocess.run(ask, env=self._environment, capture_output=True).stdout:
                return
            time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
