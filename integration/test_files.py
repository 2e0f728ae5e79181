"""Files through the official client and over raw connections: uploads as streams, downloads byte by byte, kills in between."""

import hashlib
import http.client
import io
import json
import os
import random
import time

import pytest
import sdk
from conftest import engines
from rest import Rest
from tributary_server import Server, Store
from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import attachments as attaching
from zohocrmsdk.src.com.zoho.crm.api import files as filing
from zohocrmsdk.src.com.zoho.crm.api import org as org_api
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api.util import StreamWrapper

MEGABYTE = 1 << 20
BOUNDARY = "integration-boundary"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"


@pytest.fixture
def lead(client):
    return sdk.create("Leads", [sdk.record(Last_Name="Files", Company="Acme")])[0]


class ListedStream(StreamWrapper):
    """The client compares the module of each element of a list with the type's name, which its own class does not pass."""


ListedStream.__module__ = "zohocrmsdk.src.com.zoho.crm.api.util.StreamWrapper"


def named_file(folder, name, content, kind=StreamWrapper):
    path = folder / name
    path.write_bytes(content)
    return kind(file_path=str(path))


def downloaded(response):
    """Name and bytes of what the client downloaded."""
    body = response.get_object()
    assert type(body).__name__ == "FileBodyWrapper", response.get_status_code()
    stream = body.get_file()
    return stream.get_name(), b"".join(stream.get_stream().iter_content(8192))


def test_the_file_system(client, tmp_path):
    contents = {"a.pdf": b"%PDF" + bytes(range(256)), "b.csv": b"a,b\r\n--\r\n"}
    body = filing.BodyWrapper()
    body.set_file([named_file(tmp_path, name, content, ListedStream) for name, content in contents.items()])
    answer = filing.FilesOperations().upload_files(body, ParameterMap()).get_object()
    for (name, content), item in zip(contents.items(), answer.get_data(), strict=True):
        details = item.get_details()
        assert details["name"] == name
        query = sdk.params({filing.files_operations.GetFileParam.id: details["id"]})
        assert downloaded(filing.FilesOperations().get_file(query)) == (name, content)


def test_attachments(client, lead, tmp_path):
    operations = attaching.AttachmentsOperations()
    body = attaching.FileBodyWrapper()
    body.set_file(named_file(tmp_path, "plan 日本.pdf", b"%PDF-1"))
    [added] = sdk.successes(operations.upload_attachments(lead, "Leads", body), attaching.ActionWrapper)
    id = sdk.identity(added)
    url = sdk.params({attaching.attachments_operations.UploadUrlAttachmentsParam.attachmenturl: "https://a.test/x"})
    sdk.successes(operations.upload_url_attachments(lead, "Leads", url), attaching.ActionWrapper)
    wanted = sdk.params({attaching.attachments_operations.GetAttachmentsParam.fields: "File_Name,Size,Parent_Id,$file_id,$se_module,$link_url"})
    link, file = sdk.body_of(operations.get_attachments(lead, "Leads", wanted), attaching.ResponseWrapper).get_data()
    assert (file.get_id(), file.get_size(), file.get_parent_id().get_id()) == (id, "6", lead)
    assert file.get_file_name() == "plan 日本.pdf"
    assert link.get_link_url() == "https://a.test/x"
    name, content = downloaded(operations.get_attachment(id, lead, "Leads"))
    assert (name, content) == ("plan%20%E6%97%A5%E6%9C%AC.pdf", b"%PDF-1")
    [gone] = sdk.successes(operations.delete_attachment(id, lead, "Leads"), attaching.ActionWrapper)
    assert sdk.identity(gone) == id
    assert operations.get_attachment(id, lead, "Leads").get_status_code() == 204


def test_photos(client, lead, tmp_path):
    operations = records.RecordOperations("Leads")
    body = records.FileBodyWrapper()
    body.set_file(named_file(tmp_path, "me.png", PNG))
    assert type(operations.upload_photo(lead, body, ParameterMap()).get_object()).__name__ == "SuccessResponse"
    assert downloaded(operations.get_photo(lead)) == ("me.png", PNG)
    assert type(operations.delete_photo(lead).get_object()).__name__ == "SuccessResponse"
    assert operations.get_photo(lead).get_status_code() == 204


def test_the_organisation_photo(client, tmp_path):
    operations = org_api.OrgOperations()
    body = org_api.FileBodyWrapper()
    body.set_file(named_file(tmp_path, "logo.png", PNG))
    assert type(operations.upload_organization_photo(body).get_object()).__name__ == "SuccessResponse"
    assert downloaded(operations.get_org_photo()) == ("logo.png", PNG)
    assert type(operations.delete_organization_photo().get_object()).__name__ == "SuccessResponse"


def form_ends(name="large.bin"):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return head, f"\r\n--{BOUNDARY}--\r\n".encode()


def begin_upload(base, token, path, size, chunked=False):
    """A connection on which the head of an upload is sent."""
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Zoho-oauthtoken {token}")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    head, tail = form_ends()
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size + len(head) + len(tail)))))
    connection.endheaders()
    return connection


def peak_memory(pid):
    """Resident bytes at their highest, since the mark was last reset."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


@pytest.mark.skipif(not os.environ.get("TRIBUTARY_LARGE_FILES"), reason="TRIBUTARY_LARGE_FILES is not set")
@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_megabytes_take_no_memory(running, chunked):
    pid, token = running.server.process.pid, running.access_token
    block = random.Random(7).randbytes(MEGABYTE)
    with open(f"/proc/{pid}/clear_refs", "w") as mark:
        mark.write("5")
    before, begin = peak_memory(pid), time.monotonic()
    connection = begin_upload(running.base, token, "/crm/v7/files", 100 * MEGABYTE, chunked)
    head, tail = form_ends()
    wrap = (lambda bytes: b"%x\r\n%s\r\n" % (len(bytes), bytes)) if chunked else (lambda bytes: bytes)
    digest = hashlib.sha256()
    connection.send(wrap(head))
    for number in range(100):
        piece = number.to_bytes(8, "big") + block[8:]
        digest.update(piece)
        connection.send(wrap(piece))
    connection.send(wrap(tail) + (b"0\r\n\r\n" if chunked else b""))
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    uploaded = time.monotonic() - begin
    id = json.loads(text)["data"][0]["details"]["id"]
    connection.request("GET", f"/crm/v7/files?id={id}", headers={"Authorization": f"Zoho-oauthtoken {token}"})
    answer, got, size = connection.getresponse(), hashlib.sha256(), 0
    assert int(answer.headers["Content-Length"]) == 100 * MEGABYTE
    while piece := answer.read(MEGABYTE):
        got.update(piece)
        size += len(piece)
    assert (size, got.hexdigest()) == (100 * MEGABYTE, digest.hexdigest())
    growth = peak_memory(pid) - before
    print(f"upload {uploaded:.1f} s, download {time.monotonic() - begin - uploaded:.1f} s, memory +{growth / MEGABYTE:.1f} MB")
    assert growth < 64 * MEGABYTE


@pytest.mark.skipif(not os.environ.get("TRIBUTARY_LARGE_FILES"), reason="TRIBUTARY_LARGE_FILES is not set")
def test_a_file_over_the_limit_is_refused_on_its_way(running):
    for chunked in (False, True):
        connection = begin_upload(running.base, running.access_token, "/crm/v7/Leads/1/Attachments", 2000 * MEGABYTE, chunked)
        answer = connection.getresponse()
        assert answer.status in (400, 413), answer.read()
    assert Rest(running.base).get("/health").status == 200


@pytest.mark.parametrize("engine", engines())
def test_a_kill_in_an_upload_leaves_nothing(engine):
    store = Store.of(engine)
    folder = store.folder / "uploads"
    server = Server(store, ["--files", str(folder)])
    try:
        server.start()
        token = server.access_token()
        [lead] = Rest(server.base, token).create("Leads", [{"Last_Name": "Kill", "Company": "A"}])
        connection = begin_upload(server.base, token, f"/crm/v7/Leads/{lead}/Attachments", 20 * MEGABYTE)
        connection.send(form_ends()[0])
        for _ in range(10):
            connection.send(bytes(MEGABYTE))
        wait_for(lambda: any((folder / "incoming").iterdir()))
        server.kill()
        assert len(list((folder / "incoming").iterdir())) == 1
        server.start()
        rest = Rest(server.base, token)
        assert rest.get(f"Leads/{lead}/Attachments", params={"fields": "File_Name"}).status == 204
        stored = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "incoming"]
        assert stored == []
        if engine == "sqlite":
            # The only process there is: what lies there belongs to none.
            wait_for(lambda: not any((folder / "incoming").iterdir()))
        files = {"file": ("after.txt", io.BytesIO(b"after"))}
        sent = rest.session.post(
            f"{server.base}/crm/v7/Leads/{lead}/Attachments", files=files, headers={"Authorization": f"Zoho-oauthtoken {token}"}, timeout=30
        )
        assert sent.status_code == 200, sent.text
        server.kill()
        server.start()
        [row] = rest.get(f"Leads/{lead}/Attachments", params={"fields": "File_Name"}).body["data"]
        assert rest.get(f"Leads/{lead}/Attachments/{row['id']}").text == "after"
    finally:
        server.kill()
        store.remove()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
