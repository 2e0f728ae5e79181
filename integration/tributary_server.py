"""Starts, stops and kills a Tributary server as a user would: through its command line, on either engine."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ALL_SCOPES = [
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.users.ALL",
    "ZohoCRM.org.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.ALL",
    "ZohoCRM.files.CREATE",
    "ZohoCRM.mass_convert.ALL",
    "ZohoCRM.mass_update.ALL",
    "ZohoCRM.mass_delete.ALL",
    "ZohoCRM.change_owner.ALL",
    "ZohoCRM.share.ALL",
    "ZohoCRM.apis.READ",
    "ZohoCRM.features.READ",
    "ZohoCRM.files.READ",
    "ZohoCRM.send_mail.ALL",
    "ZohoCRM.templates.ALL",
    "ZohoSearch.securesearch.READ",
]


def binary():
    path = Path(os.environ.get("TRIBUTARY_BINARY", REPOSITORY / ".build/debug/tributary"))
    if not path.exists():
        raise SystemExit(f"{path} does not exist: run `swift build`, or set TRIBUTARY_BINARY")
    return str(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Store:
    """Where a server keeps its data: a folder, or a database of a PostgreSQL that runs already."""

    engine: str
    arguments: list
    folder: Path

    @staticmethod
    def sqlite():
        folder = Path(tempfile.mkdtemp(prefix="tributary-"))
        return Store("sqlite", ["--data", str(folder / "data")], folder)

    @staticmethod
    def postgres(admin_url):
        name = "t_" + secrets.token_hex(6)
        _psql(admin_url, f"CREATE DATABASE {name}")
        base, _, _ = admin_url.rpartition("/")
        store = Store("postgres", ["--database", f"{base}/{name}"], Path(tempfile.mkdtemp(prefix="tributary-")))
        store.admin_url, store.database = admin_url, name
        return store

    @staticmethod
    def of(engine):
        if engine == "sqlite":
            return Store.sqlite()
        url = os.environ.get("TRIBUTARY_TEST_POSTGRES")
        if not url:
            raise SystemExit("TRIBUTARY_TEST_POSTGRES is not set: run through scripts/with_postgres.sh")
        return Store.postgres(url)

    def remove(self):
        if self.engine == "postgres":
            _psql(self.admin_url, f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
        shutil.rmtree(self.folder, ignore_errors=True)


def _psql(url, statement):
    subprocess.run(["psql", url, "-v", "ON_ERROR_STOP=1", "-qc", statement], check=True, capture_output=True, text=True)


class Server:
    """One server process on a store. The port stays the same over restarts."""

    def __init__(self, store, arguments=()):
        self.store = store
        self.arguments = list(arguments)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = store.folder / f"server-{self.port}.log"
        self.process = None
        self.seconds_to_start = None

    def start(self, timeout=60):
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            command = [binary(), "serve", "--host", "127.0.0.1", "--port", str(self.port), *self.store.arguments, *self.arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            if self._healthy():
                break
            if time.monotonic() - begin > timeout:
                self.kill()
                raise RuntimeError(f"the server did not answer within {timeout} s:\n{self.tail()}")
            time.sleep(0.01)
        self.seconds_to_start = time.monotonic() - begin
        return self

    def _healthy(self):
        try:
            with urllib.request.urlopen(self.base + "/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, timeout=20):
        """SIGTERM; the exit code, which is 0 after a graceful shutdown."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not stop within {timeout} s of SIGTERM:\n{self.tail()}") from None
        finally:
            self.process = None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def command(self, *arguments):
        """Runs a command of the binary on the same store; its JSON answer."""
        done = subprocess.run(
            [binary(), *arguments, *self.store.arguments, "--json"], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"tributary {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
        return json.loads(done.stdout)

    def create_client(self):
        answer = self.command("client", "create", "--name", "integration")
        return answer["client_id"], answer["client_secret"]

    def grant(self, client_id, scopes=ALL_SCOPES):
        return self.command("grant", "--client", client_id, "--scope", ",".join(scopes))["code"]

    def access_token(self, scopes=ALL_SCOPES, user=None):
        who = ["--user", user] if user else []
        return self.command("token", "--scope", ",".join(scopes), *who)["access_token"]
