"""The command line as a person or a service manager uses it: exit codes, start, shutdown, logs."""

import json
import signal
import socket
import subprocess
import threading
import time

import pytest
from conftest import engines
from rest import Rest
from tributary_server import Server, Store, binary


def run(*arguments, timeout=60):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(params=engines())
def store(request):
    store = Store.of(request.param)
    yield store
    store.remove()


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--nonsense"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "x"],
        ["serve", "--data", "a", "--database", "postgres://127.0.0.1/x"],
        ["grant", "--client", "1"],
        ["token", "--minutes", "0", "--scope", "ZohoCRM.org.ALL"],
    ],
)
def test_a_wrong_command_line_is_64_and_says_why(arguments):
    done = run(*arguments)
    assert done.returncode == 64
    assert "Error:" in done.stderr and "Usage:" in done.stderr


def test_help_is_0():
    for arguments in (["--help"], ["serve", "--help"], ["client", "create", "--help"], ["grant", "--help"], ["token", "--help"]):
        assert run(*arguments).returncode == 0


def test_a_database_that_does_not_answer_is_an_error_not_a_trace():
    done = run("serve", "--port", "0", "--database", "postgres://nobody@127.0.0.1:1/nothing")
    assert done.returncode not in (0, 64)
    assert "Fatal error" not in done.stderr and done.stderr.strip()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("serve", "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert done.returncode not in (0, 64)
    assert "Fatal error" not in done.stderr and done.stderr.strip()


@pytest.mark.parametrize("command", [["jobs"], ["client", "list"], ["client", "create", "--name", "x"], ["token", "--scope", "ZohoCRM.org.ALL"]])
def test_a_command_makes_no_database(store, command, tmp_path):
    done = run(*command, *store.arguments)
    assert done.returncode not in (0, 64)
    assert "tributary serve" in done.stderr
    assert store.engine == "postgres" or not list((store.folder / "data").glob("*")), "something was made"
    # Nor does it stand in the way of the server that does.
    server = Server(store)
    try:
        server.start()
        assert server.command("jobs")["jobs"] == []
    finally:
        server.kill()


def test_a_port_in_use(store):
    server = Server(store)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        done = run("serve", "--port", str(server.port), *store.arguments)
    assert done.returncode not in (0, 64)
    assert str(server.port) in done.stderr


def test_two_servers_on_one_folder():
    store = Store.sqlite()
    first = Server(store)
    try:
        first.start()
        second = run("serve", "--port", "0", *store.arguments)
        assert second.returncode not in (0, 64)
        assert second.stderr.strip()
        assert first.alive()
    finally:
        first.kill()
        store.remove()


def test_an_unknown_scope_is_refused(store):
    server = Server(store)
    try:
        server.start()
        with pytest.raises(RuntimeError, match="(?i)scope"):
            server.access_token(["ZohoCRM.nonsense.ALL"])
        with pytest.raises(RuntimeError, match="(?i)client"):
            server.grant("1000.NOBODY")
    finally:
        server.kill()


def test_commands_work_beside_a_running_server_and_without_one(store):
    server = Server(store)
    try:
        # A server makes the database; a command does not.
        server.start()
        assert server.stop() == 0
        client_id, client_secret = server.create_client()
        assert client_id and client_secret
        early = server.access_token()
        server.start()
        assert server.grant(client_id)
        late = server.access_token()
        for token in (early, late):
            assert Rest(server.base, token).get("org").status == 200
    finally:
        server.kill()


def test_data_survives_a_restart_and_shutdown_is_clean(store):
    server = Server(store)
    try:
        server.start()
        token = server.access_token()
        id = Rest(server.base, token).create("Leads", [{"Last_Name": "Durable"}])[0]
        assert server.stop() == 0
        server.start()
        assert Rest(server.base, token).get(f"Leads/{id}").item()["Last_Name"] == "Durable"
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
    finally:
        server.kill()


def test_requests_in_flight_are_answered_before_the_server_ends(store):
    server = Server(store)
    try:
        server.start()
        token = server.access_token()
        answers, broken = [], []

        def write(number):
            caller = Rest(server.base, token)
            try:
                for step in range(10_000):
                    answers.append(caller.create("Leads", [{"Last_Name": f"Flight {number} {step}"}])[0])
            except AssertionError as error:
                broken.append(str(error))
            except OSError as error:
                # A connection closed between two requests is right; one closed after a request was taken is not.
                broken.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert server.stop() == 0
        for thread in threads:
            thread.join()
        server.start()
        there = {row["id"] for row in Rest(server.base, token).every("Leads", ["Last_Name"])}
        assert set(answers) <= there
        assert all(not isinstance(error, str) or "503" in error for error in broken), broken
        assert len(there) == len(set(answers)), "a write was done, but its answer never arrived"
    finally:
        server.kill()


def test_a_second_start_is_quick(store):
    """At most 0.5 s in a release build; a debug build on a busy machine gets more."""
    server = Server(store)
    try:
        server.start()
        first = server.seconds_to_start
        server.stop()
        server.start()
        print(f"first start {first:.2f} s, second {server.seconds_to_start:.2f} s")
        assert server.seconds_to_start < 5
    finally:
        server.kill()


def test_json_logs_have_request_ids(store):
    server = Server(store, ["--log-format", "json"])
    try:
        server.start()
        answer = Rest(server.base, server.access_token()).get("org")
        server.stop()
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        assert any(answer.headers["X-Request-Id"] in json.dumps(line) for line in lines)
    finally:
        server.kill()


def test_two_servers_on_one_postgres_see_each_other(store):
    if store.engine != "postgres":
        pytest.skip("SQLite is for one server")
    first, second = Server(store), Server(store)
    try:
        first.start()
        second.start()
        token = first.access_token()
        one, two = Rest(first.base, token), Rest(second.base, token)
        master, child = one.create("Leads", [{"Last_Name": "A"}, {"Last_Name": "B", "Phone": "5551234"}])
        assert two.get(f"Leads/{master}").item()["Last_Name"] == "A"
        assert two.merge("Leads", master, [(child, ["Phone"])]).status == 201
        assert one.get(f"Leads/{child}").status == 204
        assert one.get(f"Leads/{master}").item()["Phone"] == "5551234"
        first.stop()
        assert two.get(f"Leads/{master}").status == 200
    finally:
        first.kill()
        second.kill()
