"""Bulk reads and bulk writes through the official client, call-backs, and kills in the middle of both."""

import csv
import io
import json
import os
import random
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sdk
from conftest import engines
from rest import Rest
from tributary_server import ALL_SCOPES, Server, Store
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, bulk_read, bulk_write
from zohocrmsdk.src.com.zoho.crm.api.fields import MinifiedField
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.util import Choice, StreamWrapper

SCOPES = [*ALL_SCOPES, "ZohoFiles.files.ALL"]


@pytest.fixture(scope="module")
def client(running, tmp_path_factory):
    grant = running.grant(SCOPES)
    sdk.connect(running.base, tmp_path_factory.mktemp("sdk"), running.client_id, running.client_secret, grant=grant, refresh_fields=False)
    return running


def module(name):
    one = MinifiedModule()
    one.set_api_name(name)
    return one


def zipped(rows, name="data.csv"):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text.getvalue())
    return content.getvalue()


def unzipped(content):
    """The rows of the one file, and its name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        [name] = archive.namelist()
        return name, list(csv.reader(io.StringIO(archive.read(name).decode())))


def downloaded(response):
    body = response.get_object()
    assert type(body).__name__ == "FileBodyWrapper", response.get_status_code()
    stream = body.get_file()
    return stream.get_name(), b"".join(stream.get_stream().iter_content(8192))


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def org_id(base, token):
    return Rest(base, token).get("org").item("org")["zgid"]


def upload(client, path):
    headers = HeaderMap()
    headers.add(bulk_write.UploadFileHeader.feature, "bulk-write")
    headers.add(bulk_write.UploadFileHeader.x_crm_org, org_id(client.base, client.access_token))
    body = bulk_write.FileBodyWrapper()
    body.set_file(StreamWrapper(file_path=str(path)))
    answer = bulk_write.BulkWriteOperations().upload_file(body, headers).get_object()
    assert type(answer).__name__ == "SuccessResponse", sdk.text(answer.get_message())
    assert sdk.text(answer.get_code()) == "FILE_UPLOAD_SUCCESS"
    # The client makes a number of what looks like one, and then wants a text.
    return str(answer.get_details()["file_id"])


def mapping(name, index):
    one = bulk_write.FieldMapping()
    one.set_api_name(name)
    one.set_index(index)
    return one


def test_a_bulk_write_and_a_bulk_read(client, tmp_path):
    rows = [["Last_Name", "Company", "Email"], *[[f"Bulk {i}", "Acme, Ltd", f"bulk{i}@x.test"] for i in range(50)], ["", "No name", ""]]
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(rows))
    resource = bulk_write.Resource()
    resource.set_type(Choice("data"))
    resource.set_module(module("Leads"))
    resource.set_file_id(upload(client, path))
    resource.set_field_mappings([mapping("Last_Name", 0), mapping("Company", 1), mapping("Email", 2)])
    request = bulk_write.RequestWrapper()
    request.set_operation(Choice("insert"))
    request.set_resource([resource])
    operations = bulk_write.BulkWriteOperations()
    started = operations.create_bulk_write_job(request).get_object()
    assert type(started).__name__ == "SuccessResponse", started.get_message()
    job = str(started.get_details()["id"])

    def ended():
        details = operations.get_bulk_write_job_details(job).get_object()
        assert type(details).__name__ == "BulkWriteResponse"
        return details if details.get_status() == "COMPLETED" else None

    details = wait_for(ended)
    file = details.get_resource()[0].get_file()
    assert (file.get_added_count(), file.get_skipped_count(), file.get_total_count()) == (50, 1, 51)
    name, content = downloaded(operations.download_bulk_write_result(details.get_result().get_download_url()))
    assert name == f"{job}.zip"
    name, report = unzipped(content)
    assert name == "Leads-data.csv"
    assert report[0] == ["Last_Name", "Company", "Email", "STATUS", "RECORD_ID", "ERRORS"]
    assert report[1][:4] == [*rows[1], "ADDED"] and report[-1][3:] == ["SKIPPED", "", "MANDATORY_NOT_FOUND-Last_Name"]

    field = MinifiedField()
    field.set_api_name("Email")
    criteria = bulk_read.Criteria()
    criteria.set_field(field)
    criteria.set_comparator(Choice("starts_with"))
    criteria.set_value("bulk1")
    query = bulk_read.Query()
    query.set_module(module("Leads"))
    query.set_fields(["Last_Name", "Company", "Owner.last_name"])
    query.set_criteria(criteria)
    body = bulk_read.BodyWrapper()
    body.set_query(query)
    reading = bulk_read.BulkReadOperations()
    [added] = reading.create_bulk_read_job(body).get_object().get_data()
    job = int(added.get_details()["id"])

    def read():
        [detail] = reading.get_bulk_read_job_details(job).get_object().get_data()
        return detail if sdk.text(detail.get_state()) == "COMPLETED" else None

    assert wait_for(read).get_result().get_count() == 11
    name, content = downloaded(reading.download_result(job))
    assert name == f"{job}.zip"
    name, lines = unzipped(content)
    assert name == f"{job}.csv" and lines[0] == ["Id", "Last_Name", "Company", "Owner.last_name"]
    assert [line[1] for line in lines[1:]] == ["Bulk 1", *[f"Bulk {i}" for i in range(10, 20)]]
    assert [line[0] for line in lines[1:]] == [row[4] for row in report[1:-1] if row[2].startswith("bulk1")]


class Listener(BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        Listener.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def send_file(rest, content):
    answer = rest.session.post(
        f"{rest.base}/crm/v7/upload",
        files={"file": ("data.zip", content)},
        headers={"Authorization": f"Zoho-oauthtoken {rest.token}", "feature": "bulk-write", "X-CRM-ORG": org_id(rest.base, rest.token)},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["details"]["file_id"]


def start_write(rest, file, **more):
    resource = {"type": "data", "module": {"api_name": "Leads"}, "file_id": file}
    answer = rest.post("/crm/bulk/v7/write", {"operation": "insert", "resource": [resource], **more})
    assert answer.status == 201, answer.text
    return answer.body["details"]["id"]


def start_read(rest, query, **more):
    answer = rest.post("/crm/bulk/v7/read", {"query": query, **more}, headers={"Content-Type": "application/json"})
    assert answer.status == 201, answer.text
    return answer.item()["details"]["id"]


def test_a_callback_comes_when_the_job_has_ended():
    listener = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    store = Store.of("sqlite")
    server = Server(store, ["--allow-private-callbacks"])
    try:
        server.start()
        rest = Rest(server.base, server.access_token(SCOPES))
        callback = {"url": f"http://127.0.0.1:{listener.server_port}/done", "method": "post"}
        write = start_write(rest, send_file(rest, zipped([["Last_Name", "Company"], ["A", "B"]])), callback=callback)
        read = start_read(rest, {"module": {"api_name": "Leads"}}, callback=callback)
        wait_for(lambda: len(Listener.heard) >= 2)
        assert {"COMPLETED"} == {told.get("status") or told["data"][0]["state"] for told in Listener.heard}
        assert {write, read} == {told.get("id") or told["data"][0]["id"] for told in Listener.heard}
    finally:
        server.kill()
        store.remove()
        listener.shutdown()


@pytest.mark.parametrize("engine", engines())
def test_kills_lose_no_row_and_write_none_twice(engine):
    """The server is killed again and again while a bulk write and a bulk read run; in the end every row is there once."""
    count = int(os.environ.get("TRIBUTARY_BULK_ROWS", "4000"))
    chance = random.Random(5)
    store = Store.of(engine)
    server = Server(store)
    kills = 0
    try:
        server.start()
        token = server.access_token(SCOPES)
        rest = Rest(server.base, token)
        rows = [["Last_Name", "Company", "Description"], *[[f"Row {i}", "C", "x" * 200] for i in range(count)]]
        job = start_write(rest, send_file(rest, zipped(rows)))
        seen = set()
        while kills < 6:
            time.sleep(chance.uniform(0.1, 0.5))
            server.kill()
            kills += 1
            server.start()
            rest = Rest(server.base, token)
            answer = rest.get(f"/crm/bulk/v7/write/{job}").body
            seen.add(answer["status"])
            if answer["status"] == "COMPLETED":
                break
            # A lease of the dead is not waited for: this process is the only one, or the lease ends in ten seconds.
        done = wait_for(lambda: (found := rest.get(f"/crm/bulk/v7/write/{job}").body)["status"] == "COMPLETED" and found)
        file = done["resource"][0]["file"]
        assert (file["added_count"], file["skipped_count"], file["total_count"]) == (count, 0, count)
        _, report = unzipped(fetch(rest, "/" + done["result"]["download_url"]))
        assert [row[0] for row in report[1:]] == [row[0] for row in rows[1:]]
        assert len({row[4] for row in report[1:]}) == count

        read = start_read(rest, {"module": {"api_name": "Leads"}, "fields": ["Last_Name"]})
        for _ in range(3):
            time.sleep(chance.uniform(0.0, 0.1))
            server.kill()
            server.start()
        rest = Rest(server.base, token)
        wait_for(lambda: rest.get(f"/crm/bulk/v7/read/{read}").item()["state"] == "COMPLETED")
        _, lines = unzipped(fetch(rest, f"/crm/bulk/v7/read/{read}/result"))
        assert [(line[0], line[1]) for line in lines[1:]] == [(row[4], row[0]) for row in report[1:]]
    finally:
        server.kill()
        store.remove()


def fetch(rest, path):
    answer = rest.session.get(rest.base + path, headers={"Authorization": f"Zoho-oauthtoken {rest.token}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.content
