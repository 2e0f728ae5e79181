"""Mails: what a mail server gets when a meeting is called off, and what happens while there is none."""

import asyncio
import threading
import time
from email import message_from_bytes, policy

import pytest
from conftest import engines
from rest import Rest
from tributary_server import ALL_SCOPES, Server, Store, free_port


class MailServer:
    """Speaks as much SMTP as a sender needs; keeps envelopes and messages. Receivers called `never` are refused."""

    def __init__(self, port):
        self.port = port
        self.mails = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.listener = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port))
        ready.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        sender, receivers = None, []

        def say(text):
            writer.write(text.encode() + b"\r\n")

        say("220 test")
        while line := await reader.readline():
            words = line.decode().strip()
            verb = words[:4].upper()
            if verb in ("EHLO", "HELO"):
                say("250 test")
            elif verb == "MAIL":
                sender, receivers = words.partition(":")[2].split()[0], []
                say("250 ok")
            elif verb == "RCPT":
                receiver = words.partition(":")[2].split()[0]
                if "never" in receiver:
                    say("550 no such person")
                else:
                    receivers.append(receiver)
                    say("250 ok")
            elif verb == "DATA":
                say("354 go on")
                lines = []
                while (text := await reader.readline()) != b".\r\n":
                    assert text.endswith(b"\r\n"), text
                    lines.append(text[1:] if text.startswith(b".") else text)
                self.mails.append((sender, receivers, message_from_bytes(b"".join(lines), policy=policy.default)))
                say("250 kept")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("502 what?")
        writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def until(find):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def cancel_a_meeting(rest, title, *addresses):
    (event,) = rest.create(
        "Events",
        [
            {
                "Event_Title": title,
                "Start_DateTime": "2090-01-01T10:00:00Z",
                "End_DateTime": "2090-01-01T11:00:00Z",
                "Participants": [{"type": "email", "participant": address} for address in addresses],
            }
        ],
    )
    answer = rest.post(f"Events/{event}/actions/cancel", {"data": [{"send_cancelling_mail": True}]})
    assert answer.status == 200, answer.text


def states(rest):
    answer = rest.get("__mails")
    return {mail["to"]: mail["state"] for mail in answer.body["mails"]} if answer.status == 200 else {}


@pytest.mark.parametrize("engine", engines())
def test_mails_reach_a_mail_server_even_when_it_comes_late(engine):
    store = Store.of(engine)
    port = free_port()
    server = Server(store, ["--smtp", f"smtp://127.0.0.1:{port}", "--mail-from", "crm@acme.example"])
    receiver = None
    try:
        server.start()
        rest = Rest(server.base, server.access_token(ALL_SCOPES))
        title = "Fair in Zürich\r\nBcc: all@acme.example"
        cancel_a_meeting(rest, title, "kim@acme.example")
        until(lambda: rest.get("__mails").body["mails"][0]["attempts"] > 0)
        assert states(rest) == {"kim@acme.example": "waiting"}
        receiver = MailServer(port)
        until(lambda: states(rest) == {"kim@acme.example": "sent"})
        ((sender, receivers, message),) = receiver.mails
        assert (sender, receivers) == ("<crm@acme.example>", ["<kim@acme.example>"])
        assert message["Subject"] == "Cancelled: Fair in Zürich  Bcc: all@acme.example" and message["Bcc"] is None
        assert message["From"].addresses[0].addr_spec == "crm@acme.example" and message["To"] == "kim@acme.example"
        assert message["Message-ID"] and message["Date"].datetime.tzinfo is not None
        assert "cancelled the meeting Fair in Zürich" in message.get_content()

        cancel_a_meeting(rest, "Talk", "never@acme.example", "lee@acme.example")
        until(lambda: states(rest).get("lee@acme.example") == "sent")
        assert states(rest)["never@acme.example"] == "failed"
        assert [receivers for _, receivers, _ in receiver.mails] == [["<kim@acme.example>"], ["<lee@acme.example>"]]
        assert server.stop() == 0
    finally:
        server.kill()
        if receiver:
            receiver.close()
        store.remove()


def test_without_a_mail_server_mails_are_kept(running, rest):
    cancel_a_meeting(rest, "Kept", "kept@acme.example")
    until(lambda: states(rest).get("kept@acme.example") == "kept")
