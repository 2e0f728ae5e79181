"""Backups and audit exports through the vendor's client; restoring, jobs and clients on the command line."""

import csv
import io
import time
import zipfile

import pytest
import sdk
from conftest import engines
from rest import Rest
from tributary_server import ALL_SCOPES, Server, Store
from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import audit_log_export as auditing
from zohocrmsdk.src.com.zoho.crm.api import backup as backups

SCOPES = [*ALL_SCOPES, "ZohoFiles.files.ALL"]


@pytest.fixture(scope="module", params=engines())
def server(request):
    store = Store.of(request.param)
    server = Server(store).start()
    yield server
    server.kill()
    store.remove()


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client_id, secret = server.create_client()
    sdk.connect(server.base, tmp_path_factory.mktemp("sdk"), client_id, secret, grant=server.grant(client_id, SCOPES))
    return server


def eventually(ask, seconds=30):
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return answer


def parts(answer, kind):
    """The object of an answer; an exception of the API fails the test with its own words."""
    found = answer.get_object()
    assert isinstance(found, kind), found.__dict__ if found is not None else answer.get_status_code()
    return found


def take(operations):
    started = parts(operations.schedule(backups.BodyWrapper()), backups.ActionWrapper).get_backup()
    assert isinstance(started, backups.SuccessResponse), started.__dict__
    eventually(lambda: parts(operations.get_details(), backups.ResponseWrapper).get_backup().get_status() == "COMPLETED")
    return started.get_details()["id"]


def download(operations, folder):
    urls = parts(operations.get_urls(), backups.UrlsWrapper).get_urls()
    assert urls.get_expiry_date() is not None
    paths = []
    for link in urls.get_data_links() + urls.get_attachment_links():
        file = parts(operations.download_backed_up_data(link), backups.FileBodyWrapper).get_file()
        path = folder / file.get_name()
        path.write_bytes(file.get_stream().content)
        paths.append(str(path))
    return paths


def test_a_backup_is_taken_downloaded_and_restored(client, tmp_path):
    ids = sdk.create("Leads", [sdk.record(Last_Name="Kim", Company="One, \"Two\""), sdk.record(Last_Name="Lee")])
    operations = backups.BackupOperations()
    id = take(operations)

    details = parts(operations.get_details(), backups.ResponseWrapper).get_backup()
    assert str(details.get_id()) == str(id) and details.get_requester().get_name()
    history = parts(operations.history(ParameterMap()), backups.HistoryWrapper)
    assert [entry.get_state() for entry in history.get_history()][0] == "completed"

    paths = download(operations, tmp_path)
    with zipfile.ZipFile(paths[0]) as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.StringIO(archive.read("modules/Leads.csv").decode())))
        assert {row["id"] for row in rows} >= {str(found) for found in ids}
        assert next(row for row in rows if row["id"] == str(ids[0]))["Company"] == 'One, "Two"'

    for engine in engines():
        other = Store.of(engine)
        restored = Server(other)
        try:
            assert restored.command("restore", *paths)["rows"] > 100
            restored.start()
            rest = Rest(restored.base, restored.access_token())
            assert rest.get(f"Leads/{ids[1]}").item()["Last_Name"] == "Lee"
            with pytest.raises(RuntimeError, match="holds an organisation"):
                restored.stop()
                restored.command("restore", *paths)
        finally:
            restored.kill()
            other.remove()


def test_a_scheduled_backup_is_cancelled(client):
    operations = backups.BackupOperations()
    body = backups.BodyWrapper()
    wanted = backups.Backup()
    wanted.set_rrule("RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1TH")
    body.set_backup(wanted)
    id = parts(operations.schedule(body), backups.ActionWrapper).get_backup().get_details()["id"]
    details = parts(operations.get_details(), backups.ResponseWrapper).get_backup()
    assert details.get_status() == "SCHEDULED" and details.get_scheduled_date() is not None
    stopped = parts(operations.cancel(int(id)), backups.ActionWrapper).get_backup()
    assert isinstance(stopped, backups.SuccessResponse), stopped.__dict__
    refused = operations.cancel(int(id)).get_object()
    assert sdk.text(refused.get_code()) == "ALREADY_CANCELLED"


def test_the_audit_log_is_exported(client):
    operations = auditing.AuditLogExportOperations()
    criteria = auditing.Criteria()
    field = auditing.Field()
    field.set_api_name("action")
    criteria.set_field(field)
    criteria.set_comparator("equal")
    criteria.set_value("added")
    export = auditing.AuditLogExport()
    export.set_criteria(criteria)
    body = auditing.BodyWrapper()
    body.set_audit_log_export([export])
    (id,) = sdk.create("Contacts", [sdk.record(Last_Name="Audited")])

    started = parts(operations.create_auditlog_export(body), auditing.ActionWrapper).get_audit_log_export()[0]
    assert isinstance(started, auditing.SuccessResponse), started.__dict__
    job = int(started.get_details()["id"])

    def finished():
        found = parts(operations.get_exported_auditlog(job), auditing.ResponseWrapper).get_audit_log_export()[0]
        return found if found.get_status() == "finished" else None

    done = eventually(finished)
    assert done.get_created_by().get_name() and done.get_criteria().get_comparator() == "equal"
    file = parts(operations.download_export_audit_log_result(done.get_download_links()[0]), auditing.FileBodyWrapper).get_file()
    rows = list(csv.DictReader(io.StringIO(file.get_stream().content.decode())))
    assert any(row["Record Id"] == str(id) and row["Action"] == "added" for row in rows)
    assert {row["Action"] for row in rows} == {"added"}


def test_clients_are_listed_and_deleted(server):
    client_id, _ = server.create_client()
    assert client_id in [client["client_id"] for client in server.command("client", "list")["clients"]]
    assert server.command("client", "delete", client_id)["client_id"] == client_id
    assert client_id not in [client["client_id"] for client in server.command("client", "list")["clients"]]
    with pytest.raises(RuntimeError, match="no client"):
        server.command("client", "delete", client_id)


def test_jobs_are_shown(client):
    take(backups.BackupOperations())
    assert not any(job["is_open"] for job in client.command("jobs")["jobs"])
    done = client.command("jobs", "--all")["jobs"]
    assert [job["percent"] for job in done if job["kind"] == "backup"][0] == 100
