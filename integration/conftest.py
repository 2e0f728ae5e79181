"""Fixtures: a running server on each engine, and callers of it."""

import os
from dataclasses import dataclass

import pytest
import sdk
from rest import Rest
from tributary_server import Server, Store


def engines():
    return ["sqlite", "postgres"] if os.environ.get("TRIBUTARY_TEST_POSTGRES") else ["sqlite"]


def pytest_report_header():
    if "postgres" not in engines():
        return "TRIBUTARY_TEST_POSTGRES is not set: SQLite only"
    return None


@dataclass
class Running:
    """A server with a registered client and a token that may do everything."""

    server: Server
    client_id: str
    client_secret: str
    refresh_token: str
    access_token: str

    @property
    def base(self):
        return self.server.base

    def connect(self, folder):
        """Starts the vendor's client as an application of its own: one application has so many tokens at a time, and no more."""
        client_id, client_secret = self.server.create_client()
        sdk.connect(self.base, folder, client_id, client_secret, grant=self.server.grant(client_id))

    def grant(self, scopes=None):
        return self.server.grant(self.client_id, scopes) if scopes else self.server.grant(self.client_id)


@pytest.fixture(scope="session", params=engines())
def running(request):
    store = Store.of(request.param)
    server = Server(store)
    try:
        server.start()
        client_id, client_secret = server.create_client()
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "client_secret": client_secret,
            "code": server.grant(client_id),
        }
        answer = Rest(server.base).session.post(server.base + "/oauth/v2/token", data=form, timeout=30).json()
        assert "access_token" in answer, answer
        yield Running(server, client_id, client_secret, answer["refresh_token"], answer["access_token"])
        assert server.alive(), f"the server died during the tests:\n{server.tail()}"
        assert server.stop() == 0
    finally:
        server.kill()
        store.remove()


@pytest.fixture
def rest(running):
    return Rest(running.base, running.access_token)


@pytest.fixture(scope="module")
def client(running, tmp_path_factory):
    """The vendor's client, started with a code and refreshing its metadata, as an application would."""
    running.connect(tmp_path_factory.mktemp("sdk"))
    return running
