"""An endpoint that notifications are sent to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps the bodies it accepts, in the order they came. `decide` may answer with another status, or take its time."""

    def __init__(self, decide=lambda body: 200):
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
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def bodies(self):
        with self.lock:
            return list(self.accepted)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
