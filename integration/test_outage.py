"""What a client sees when the database is away, and when what it sends is no HTTP."""

import socket
import threading
import time
from urllib.parse import urlparse

import pytest
from conftest import engines
from rest import Rest
from tributary_server import Server, Store, free_port


class Proxy:
    """A way to the database that can be cut."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.port = free_port()
        self.open = True
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                near.close()
                continue
            far = socket.create_connection(self.target)
            self.pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.open = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []


@pytest.mark.skipif("postgres" not in engines(), reason="the embedded database is never away")
def test_a_database_that_goes_away_comes_back():
    store = Store.of("postgres")
    url = urlparse(store.arguments[1])
    proxy = Proxy(url.hostname, url.port or 5432)
    direct = store.arguments
    store.arguments = ["--database", url._replace(netloc=url.netloc.replace(f":{url.port}", f":{proxy.port}")).geturl()]
    server = Server(store)
    try:
        server.start()
        token = server.access_token()
        rest = Rest(server.base, token)
        assert rest.get("org").status == 200
        id = rest.create("Leads", [{"Last_Name": "Durable"}])[0]
        proxy.cut()
        for answer in (rest.get(f"Leads/{id}"), rest.post("Leads", {"data": [{"Last_Name": "Lost"}]})):
            assert answer.status == 503, answer.text
            assert answer.body["code"] == "INTERNAL_SERVER_ERROR" and answer.body["status"] == "error"
        proxy.open = True
        end = time.monotonic() + 20
        while rest.get(f"Leads/{id}").status != 200:
            assert time.monotonic() < end, "the server did not recover"
            time.sleep(0.2)
        assert rest.post("Leads", {"data": [{"Last_Name": "Back"}]}).status == 201
    finally:
        server.kill()
        store.arguments = direct
        store.remove()


@pytest.mark.parametrize("text", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_what_is_no_http_is_refused_in_the_envelope(running, text):
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=10) as connection:
        connection.sendall(text)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400"), answer
    assert b"application/json" in head.lower()
    assert b'"code":"BAD_REQUEST"' in body and b'"status":"error"' in body
