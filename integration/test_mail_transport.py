"""How mails go over the line: STARTTLS, TLS from the start, passwords, addresses beyond ASCII. The mail server is aiosmtpd."""

import ssl
import subprocess
from contextlib import contextmanager
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from rest import Rest
from test_mail import cancel_a_meeting, until
from tributary_server import ALL_SCOPES, Server, Store, free_port


class Inbox:
    """Keeps envelopes and messages."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.ssl is not None, envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 kept"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def context(certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*map(str, certificate))
    return made


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"me", b"p:w"))


@contextmanager
def mail_server(certificate=None, *, implicit=False, needs_login=False, utf8=True):
    inbox = Inbox()
    options = {"enable_SMTPUTF8": utf8}
    if needs_login:
        options |= {"authenticator": login, "auth_required": True, "auth_require_tls": True}
    if certificate and implicit:
        options["ssl_context"] = context(certificate)
        if needs_login:
            options["auth_require_tls"] = False
    elif certificate:
        options |= {"tls_context": context(certificate), "require_starttls": True}
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port, inbox
    finally:
        controller.stop()


@contextmanager
def tributary(url, authority=None):
    store = Store.sqlite()
    arguments = ["--smtp", url, "--mail-from", "crm@acme.example"]
    server = Server(store, arguments + (["--smtp-ca", str(authority)] if authority else []))
    try:
        server.start()
        yield Rest(server.base, server.access_token(ALL_SCOPES))
        assert server.stop() == 0
    finally:
        server.kill()
        store.remove()


def of(rest, address):
    answer = rest.get("__mails")
    mails = answer.body["mails"] if answer.status == 200 else []
    return next((mail for mail in mails if mail["to"] == address), {"state": None, "attempts": 0})


def test_mails_go_over_tls_with_starttls_and_from_the_start(certificate):
    for implicit, scheme in [(False, "smtp"), (True, "smtps")]:
        with mail_server(certificate, implicit=implicit, needs_login=True) as (port, inbox):
            with tributary(f"{scheme}://me:p%3Aw@localhost:{port}", certificate[0]) as rest:
                cancel_a_meeting(rest, "Fair", "kim@acme.example")
                until(lambda: of(rest, "kim@acme.example")["state"] == "sent")
        ((encrypted, sender, receivers, content),) = inbox.mails
        assert (encrypted or implicit) and (sender, receivers) == ("crm@acme.example", ["kim@acme.example"])
        assert "cancelled the meeting Fair" in message_from_bytes(content, policy=policy.default).get_content()


def test_a_certificate_nobody_vouches_for_gets_no_mail_and_a_wrong_password_neither(certificate):
    with mail_server(certificate, needs_login=True) as (port, inbox):
        for url, authority in [(f"smtp://me:p%3Aw@localhost:{port}", None), (f"smtp://me:wrong@localhost:{port}", certificate[0])]:
            with tributary(url, authority) as rest:
                cancel_a_meeting(rest, "Fair", "kim@acme.example")
                until(lambda: of(rest, "kim@acme.example")["attempts"] > 0)
                assert of(rest, "kim@acme.example")["state"] == "waiting"
    assert inbox.mails == []


def test_a_password_never_goes_over_an_open_line():
    with mail_server() as (port, inbox):
        with tributary(f"smtp://me:p%3Aw@127.0.0.1:{port}") as rest:
            cancel_a_meeting(rest, "Fair", "kim@acme.example")
            until(lambda: of(rest, "kim@acme.example")["attempts"] > 0)
            assert of(rest, "kim@acme.example")["state"] == "waiting"
    assert inbox.mails == []


def send(rest, lead, *addresses, **more):
    me = rest.get("users?type=CurrentUser").item("users")["email"]
    mail = {"from": {"email": me}, "to": [{"email": address} for address in addresses], "subject": "Hi", "content": "x"} | more
    answer = rest.post(f"Leads/{lead}/actions/send_mail", {"data": [mail]})
    assert answer.status == 200, answer.text
    return answer.item("data")["details"]["message_id"]


def test_addresses_beyond_ascii_reach_servers_that_know_them():
    with mail_server(utf8=True) as (port, inbox), tributary(f"smtp://127.0.0.1:{port}") as rest:
        (lead,) = rest.create("Leads", [{"Last_Name": "Kim", "Email": "kim@acme.example"}])
        send(rest, lead, "kim@bücher.example", "jürgen@bücher.example")
        until(lambda: len(inbox.mails) == 2)
        assert sorted(receivers for *_, receivers, _ in inbox.mails) == [["jürgen@xn--bcher-kva.example"], ["kim@xn--bcher-kva.example"]]
    with mail_server(utf8=False) as (port, inbox), tributary(f"smtp://127.0.0.1:{port}") as rest:
        (lead,) = rest.create("Leads", [{"Last_Name": "Kim", "Email": "kim@acme.example"}])
        send(rest, lead, "jürgen@bücher.example")
        until(lambda: of(rest, "jürgen@bücher.example")["state"] == "failed")
        assert "SMTPUTF8" in of(rest, "jürgen@bücher.example")["error"]
        send(rest, lead, "kim@bücher.example")
        until(lambda: of(rest, "kim@bücher.example")["state"] == "sent")
        assert [receivers for *_, receivers, _ in inbox.mails] == [["kim@xn--bcher-kva.example"]]


def test_a_mail_of_a_record_is_what_its_reader_expects():
    with mail_server() as (port, inbox), tributary(f"smtp://127.0.0.1:{port}") as rest:
        (lead,) = rest.create("Leads", [{"Last_Name": "Zoë", "Email": "kim@acme.example"}])
        subject = "For ${Leads.Last_Name}\r\nBcc: evil@x.example"
        content = '<p>Hi ${Leads.Last_Name}</p><a href="${Unsubscribe_Link}">Stop</a>'
        message = send(rest, lead, "kim@acme.example", subject=subject, content=content, bcc=[{"email": "boss@acme.example"}])
        until(lambda: len(inbox.mails) == 2)
        for _, sender, _, raw in inbox.mails:
            mail = message_from_bytes(raw, policy=policy.default)
            assert sender == "crm@acme.example" and mail["Sender"].address.addr_spec == "crm@acme.example"
            assert mail["Subject"] == "For Zoë  Bcc: evil@x.example" and mail["Bcc"] is None and mail["To"].addresses[0].addr_spec == "kim@acme.example"
            assert "Hi Zoë" in mail.get_body(("plain",)).get_content() and "<p>Hi Zoë</p>" in mail.get_body(("html",)).get_content()
            assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        first, second = (message_from_bytes(raw, policy=policy.default) for *_, raw in inbox.mails)
        assert first["Message-ID"] == second["Message-ID"]
        link = first["List-Unsubscribe"].strip("<>") if "boss" not in str(inbox.mails[0][2]) else second["List-Unsubscribe"].strip("<>")
        assert rest.get(f"Leads/{lead}").item()["Email_Opt_Out"] is False
        answer = rest.session.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=30)
        assert answer.status_code == 200, answer.text
        assert rest.get(f"Leads/{lead}").item()["Email_Opt_Out"] is True
        assert rest.get(f"Leads/{lead}/Emails/{message}").item("Emails")["status"][0]["type"] == "sent"
