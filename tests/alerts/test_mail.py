"""A person's mail by the real library to a real mail server: one recipient, and the headers that a mail program knows."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.actions.world import T0
from tower.alerts.alive import message
from tower.alerts.letter import letter_of
from tower.alerts.links import END, Link, Links
from tower.alerts.notice import CONFIRM, NEW
from tower.alerts.people import send_to_people
from tower.alerts.personal import Subscriber
from tower.model.secret import Secrets

LINKS = Links([b"k" * 32], "http://tower")
ANN = Subscriber(
    "subscription/s1", apprise=("env:TOWER_SECRET_MAIL",), subscription_id="s1", label="late ones",
    to="ann+o2c@example.com", address_key="a1",
)  # fmt: skip


class _Session(socketserver.StreamRequestHandler):
    """Takes one mail, as SMTP has it."""

    server: _Server

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            if word.startswith("RCPT TO:"):
                self.server.recipients.append(line[8:].split()[0].strip("<>"))
            if word == "DATA":
                self._say("354 go on")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(email.message_from_bytes(b"".join(lines)))
            self._say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[Message] = []
        self.recipients: list[str] = []


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_mail_goes_to_its_person_with_a_link_that_mail_programs_know(server: _Server) -> None:
    port = server.server_address[1]
    secrets = Secrets(
        {
            "TOWER_SECRET_MAIL": f"mailto://127.0.0.1:{port}/?from=tower@example.com&to=everybody@example.com&cc=boss@example.com"
        }
    )
    body = message("alert.new", T0, {"title": "P1 ship: 1 open"})
    outcome = send_to_people(ANN.apprise, body, secrets, letter_of(ANN, NEW, LINKS, T0))
    assert outcome.verdict == "sent", outcome
    assert server.recipients == [ANN.to]
    [mail] = server.mails
    link = str(mail["List-Unsubscribe"]).strip("<>").replace("\n", "").replace(" ", "")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and mail["To"] == ANN.to and mail["Cc"] is None
    assert LINKS.read(END, link.partition("token=")[2], T0) == Link(END, "s1", "a1")
    parts = [p.get_payload(decode=True) for p in mail.walk() if not p.is_multipart()]
    text = b"".join(p for p in parts if isinstance(p, bytes)).decode()
    assert "You subscribed to: late ones" in text and "http://tower/link/unsubscribe" in text


def test_the_question_has_a_link_to_say_yes_and_none_to_end(server: _Server) -> None:
    letter = letter_of(ANN, CONFIRM, LINKS, T0)
    assert "http://tower/link/confirm?token=" in letter.below and letter.headers == {}
