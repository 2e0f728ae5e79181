"""An endpoint that notifications are sent to."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps the bodies it accepts, in the order they came. `decide` may answer with another status, or take its time. With a
    `certificate`, a file with it and its key, it speaks https."""

    def __init__(self, decide=lambda body: 200, certificate=None):
        receiver = self
        self.accepted = []
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = decide(body)
                if status < 300:
                    with receiver.lock:
                        receiver.accepted.append(body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the server was killed meanwhile

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.scheme = "http"
        if certificate:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake waits for the first read, which a thread of its own does.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.server.handle_error = lambda *_: None  # callers that do not trust us
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.server.server_address[1]}{path}"

    def bodies(self):
        with self.lock:
            return list(self.accepted)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
