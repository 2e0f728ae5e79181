"""Notifications and call-backs over https, to a server with a certificate of an authority that only --ca-file names."""

import subprocess
import time

import pytest
from conftest import engines
from receiver import Receiver
from rest import Rest
from test_bulk import send_file, start_write, zipped
from tributary_server import ALL_SCOPES, Server, Store

SCOPES = [*ALL_SCOPES, "ZohoCRM.notifications.ALL", "ZohoFiles.files.ALL"]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate authority, and a certificate of it for localhost: (file of the authority, file of the server)."""
    folder = tmp_path_factory.mktemp("tls")
    path = {name: str(folder / name) for name in ("ca.pem", "ca.key", "server.csr", "server.key", "server.crt", "server.pem", "names")}
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test authority"),
        *("-keyout", path["ca.key"], "-out", path["ca.pem"]),
    )
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", path["server.key"], "-out", path["server.csr"])
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(
        *("x509", "-req", "-days", "2", "-in", path["server.csr"], "-CA", path["ca.pem"], "-CAkey", path["ca.key"], "-CAcreateserial"),
        *("-extfile", path["names"], "-out", path["server.crt"]),
    )
    (folder / "server.pem").write_text((folder / "server.crt").read_text() + (folder / "server.key").read_text())
    return path["ca.pem"], path["server.pem"]


@pytest.fixture
def receiver(authority):
    receiver = Receiver(certificate=authority[1])
    yield receiver
    receiver.close()


def started(store, *arguments):
    server = Server(store, ["--allow-private-callbacks", *arguments]).start()
    return server, Rest(server.base, server.access_token(SCOPES))


def watch(rest, url):
    answer = rest.post("actions/watch", {"watch": [{"channel_id": "1", "events": ["Leads.create"], "notify_url": url, "token": "t"}]})
    assert answer.status == 201, answer.text


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("engine", engines())
def test_a_server_of_a_named_authority_is_told(engine, authority, receiver):
    store = Store.of(engine)
    server, rest = started(store, "--ca-file", authority[0])
    try:
        watch(rest, receiver.url(host="localhost"))
        [lead] = rest.create("Leads", [{"Last_Name": "Kim"}])
        wait(receiver.bodies)
        assert receiver.bodies()[0]["ids"] == [lead] and receiver.bodies()[0]["token"] == "t"
        callback = {"url": receiver.url("/done", host="localhost"), "method": "post"}
        job = start_write(rest, send_file(rest, zipped([["Last_Name", "Company"], ["A", "B"]])), callback=callback)
        wait(lambda: job in [body.get("id") for body in receiver.bodies()])
    finally:
        server.kill()
        store.remove()


@pytest.mark.parametrize("trusted, host", [(False, "localhost"), (True, "127.0.0.1")])
def test_a_server_that_cannot_be_trusted_is_told_nothing(authority, receiver, trusted, host):
    """Of an authority that nobody named; with a certificate for another name."""
    store = Store.of("sqlite")
    server, rest = started(store, *(["--ca-file", authority[0]] if trusted else []))
    try:
        watch(rest, receiver.url(host=host))
        rest.create("Leads", [{"Last_Name": "Kim"}])

        def failure():
            answer = rest.get("actions/watch/deliveries")
            return answer.status == 200 and answer.item("deliveries")["error"]

        assert wait(failure)
        assert receiver.bodies() == []
    finally:
        server.kill()
        store.remove()


def test_a_file_that_is_not_there_is_said_at_the_start(tmp_path):
    store = Store.of("sqlite")
    try:
        with pytest.raises(RuntimeError, match="--ca-file"):
            Server(store, ["--ca-file", str(tmp_path / "none.pem")]).start()
    finally:
        store.remove()
