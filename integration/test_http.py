"""The rules of the envelope, with raw requests: what a client sees when it does something wrong.

Section numbers are those of the contract's common.md.
"""

import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from rest import Rest


def lead(rest, **values):
    return rest.create("Leads", [{"Last_Name": f"Http-{uuid.uuid4().hex[:8]}", **values}])[0]


def refused(answer, status, code, **details):
    """Checks a bare refusal: the four keys, the status, the code, and the details given."""
    assert answer.status == status, answer.text[:500]
    assert set(answer.body) == {"code", "details", "message", "status"}, answer.text[:500]
    assert (answer.body["code"], answer.body["status"]) == (code, "error")
    assert isinstance(answer.body["message"], str) and answer.body["message"]
    for key, value in details.items():
        assert answer.body["details"].get(key) == value, answer.text[:500]
    return answer.body["details"]


def item_refused(answer, status, code, index=0, **details):
    assert answer.status == status, answer.text[:500]
    item = answer.item(index=index)
    assert set(item) >= {"code", "details", "message", "status"}
    assert (item["code"], item["status"]) == (code, "error"), answer.text[:500]
    for key, value in details.items():
        assert item["details"].get(key) == value, answer.text[:500]


# Answers in general


def test_health_needs_no_token(running):
    assert Rest(running.base).get("/health").status == 200


def test_json_answers_say_so(rest):
    answer = rest.get("org")
    assert answer.headers["Content-Type"].lower().replace(" ", "") == "application/json;charset=utf-8"
    assert isinstance(answer.body["org"][0]["zgid"], str)


def test_an_empty_list_is_204_without_body_or_type(rest):
    answer = rest.get("Solutions", params={"fields": "Solution_Title"})
    assert (answer.status, answer.text) == (204, "")
    assert "Content-Type" not in answer.headers


def test_requests_have_ids(rest):
    ids = {rest.get("org").headers.get("X-Request-Id") for _ in range(3)}
    assert len(ids) == 3 and None not in ids


def test_one_connection_serves_many_requests(rest):
    for _ in range(50):
        assert rest.get("users", params={"type": "CurrentUser"}).status == 200


# Tokens, section 2


def test_no_token(running):
    refused(Rest(running.base).get("Leads", params={"fields": "Last_Name"}), 401, "AUTHENTICATION_FAILURE")


@pytest.mark.parametrize(
    "header", ["Zoho-oauthtoken nonsense", "Zoho-oauthtoken ", "Zoho-oauthtoken", "Bearer nonsense", "Basic YTpi", "\u00e4", "x" * 5000]
)
def test_a_bad_token(running, header):
    sent = {"Authorization": header.encode("latin-1")}
    answer = Rest(running.base).get("Leads", params={"fields": "Last_Name"}, headers=sent)
    assert answer.status == 401, answer.text
    assert answer.body["code"] in ("INVALID_TOKEN", "AUTHENTICATION_FAILURE")


def token_with(running, *scopes):
    form = {
        "grant_type": "authorization_code",
        "client_id": running.client_id,
        "client_secret": running.client_secret,
        "code": running.grant(list(scopes)),
    }
    return requests.post(running.base + "/oauth/v2/token", data=form, timeout=30).json()["access_token"]


def test_a_scope_that_does_not_reach(running, rest):
    reader = Rest(running.base, token_with(running, "ZohoCRM.modules.leads.READ"))
    id = lead(rest)
    assert reader.get(f"Leads/{id}").status == 200
    refused(reader.get("Contacts", params={"fields": "Last_Name"}), 401, "OAUTH_SCOPE_MISMATCH")
    refused(reader.post("Leads", {"data": [{"Last_Name": "x"}]}), 401, "OAUTH_SCOPE_MISMATCH")
    refused(reader.delete(f"Leads/{id}"), 401, "OAUTH_SCOPE_MISMATCH")
    refused(reader.get("settings/modules"), 401, "OAUTH_SCOPE_MISMATCH")
    refused(reader.post(f"Leads/{id}/actions/merge", {"merge": []}), 401, "OAUTH_SCOPE_MISMATCH")
    assert reader.get(f"Leads/{id}").status == 200


@pytest.mark.parametrize("operation", ["ALL", "WRITE", "CREATE"])
def test_scopes_that_may_merge(running, rest, operation):
    """merge.md, section 1: ALL, WRITE and CREATE, on all modules or on one."""
    merger = Rest(running.base, token_with(running, f"ZohoCRM.modules.leads.{operation}"))
    assert merger.merge("Leads", lead(rest), [(lead(rest), [])]).status == 201


# Tokens: getting them, section 3


def exchange(running, encoding, **fields):
    url = running.base + "/oauth/v2/token"
    if encoding == "form":
        return requests.post(url, data=fields, timeout=30)
    if encoding == "query":
        return requests.post(url, params=fields, timeout=30)
    return requests.post(url, files={name: (None, value) for name, value in fields.items()}, timeout=30)


@pytest.mark.parametrize("encoding", ["form", "multipart", "query"])
def test_tokens_in_every_encoding(running, encoding):
    who = {"client_id": running.client_id, "client_secret": running.client_secret}
    first = exchange(running, encoding, grant_type="authorization_code", code=running.grant(), **who)
    assert first.status_code == 200, first.text
    assert {"access_token", "refresh_token", "api_domain", "token_type", "expires_in"} <= set(first.json())
    assert first.json()["api_domain"] == running.base
    assert first.json()["expires_in"] == 3600

    second = exchange(running, encoding, grant_type="refresh_token", refresh_token=first.json()["refresh_token"], **who)
    assert "refresh_token" not in second.json()
    assert Rest(running.base, second.json()["access_token"]).get("org").status == 200


def test_refusals_of_the_token_endpoint(running):
    who = {"client_id": running.client_id, "client_secret": running.client_secret}
    refresh = {"grant_type": "refresh_token", "refresh_token": running.refresh_token}

    def error(**fields):
        answer = exchange(running, "form", **fields)
        assert answer.status_code in (200, 400), answer.text
        assert "application/json" in answer.headers["Content-Type"]
        assert "access_token" not in answer.json()
        return answer.json()["error"]

    assert error(**{**who, **refresh, "client_id": "1000.NOBODY"}) == "invalid_client"
    assert error(**{**who, **refresh, "client_secret": "wrong"}) == "invalid_client_secret"
    assert error(**{**who, **refresh, "refresh_token": "1000.wrong"}) == "invalid_code"
    assert error(**who, grant_type="authorization_code", code="1000.wrong") == "invalid_code"
    error(**who, grant_type="password", username="a", password="b")
    error()


def test_a_revoked_token_no_longer_works(running):
    who = {"client_id": running.client_id, "client_secret": running.client_secret}
    tokens = exchange(running, "form", grant_type="authorization_code", code=running.grant(), **who).json()
    caller = Rest(running.base, tokens["access_token"])
    assert caller.get("org").status == 200
    answer = requests.post(running.base + "/oauth/v2/token/revoke", data={"token": tokens["refresh_token"]}, timeout=30)
    assert answer.json() == {"status": "success"}
    assert "error" in exchange(running, "form", grant_type="refresh_token", refresh_token=tokens["refresh_token"], **who).json()
    refused(caller.get("org"), 401, "INVALID_TOKEN")
    again = requests.post(running.base + "/oauth/v2/token/revoke", data={"token": "1000.nonsense"}, timeout=30)
    assert again.status_code == 400


# Paths and methods, section 1


@pytest.mark.parametrize("path", ["/crm/v7/", "/crm/v7", "/crm/v9/Leads", "/crm/v7/settings/nonsense", "/crm/v7/Leads/1/2/3/4/5", "/crm"])
def test_an_unknown_path(rest, path):
    refused(rest.get(path), 404, "INVALID_URL_PATTERN")


def test_an_unknown_module(rest):
    refused(rest.get("Nonsense", params={"fields": "Name"}), 400, "INVALID_MODULE", resource_path_index=0)
    refused(rest.get("Nonsense/123"), 400, "INVALID_MODULE", resource_path_index=0)
    refused(rest.post("Nonsense", {"data": [{"Name": "x"}]}), 400, "INVALID_MODULE", resource_path_index=0)
    refused(rest.post("Nonsense/123/actions/merge", {"merge": []}), 400, "INVALID_MODULE", resource_path_index=0)


@pytest.mark.parametrize(
    "method, path",
    [("PATCH", "Leads"), ("DELETE", "org"), ("POST", "settings/related_lists"), ("PUT", "Leads/1/actions/merge")],
)
def test_a_wrong_method(rest, method, path):
    refused(rest.call(method, path), 400, "INVALID_REQUEST_METHOD")


@pytest.mark.parametrize("path", ["Leads/%00", "Leads/%zz", "Leads/%", "Leads/%ff%fe", "L%65ads?fields=%ff", "Leads?fields=Last_Name&ids=%00"])
def test_odd_bytes_in_a_url(rest, path):
    answer = rest.get(path)
    assert answer.status < 500, answer.text


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"data":[{"Last_Name":"x"}]} x',
        b'{"data":[{"Last_Name":"\xff"}]}',
        b'{"data":[{"Last_Name":"\\ud800"}]}',
        b'{"data":[{"Last_Name":"a\nb"}]}',
        b'{"data":' + b"[" * 100_000,
        b'{"data":[{"Last_Name":01}]}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_malformed_json(rest, body):
    answer = rest.post("Leads", raw=body)
    assert answer.status == 400, answer.text
    assert answer.body["status"] == "error" and answer.body["code"]


@pytest.mark.parametrize("body", [None, 1, "text", [], {}, {"data": None}, {"data": {}}, {"data": []}, {"data": [1]}, {"data": [None]}, {"data": [[]]}])
def test_json_of_the_wrong_shape(rest, body):
    answer = rest.call("POST", "Leads", raw=json.dumps(body).encode())
    assert answer.status == 400, answer.text
    problem = answer.body if "code" in answer.body else answer.item()
    assert problem["status"] == "error"
    assert problem["code"] in ("INVALID_DATA", "MANDATORY_NOT_FOUND"), answer.text


def test_a_body_over_the_limit(rest):
    """Refused as a request that is too large, and the server goes on."""
    try:
        answer = rest.post("Leads", raw=b'{"data":[{"Last_Name":"x","Description":"' + b"x" * 80_000_000 + b'"}]}')
        assert answer.status in (400, 413), answer.status
    except requests.ConnectionError:
        pass  # cut off while still sending is as good an answer
    assert Rest(rest.base).get("/health").status == 200


def test_more_than_a_hundred_records(rest):
    answer = rest.post("Leads", {"data": [{"Last_Name": "x"} for _ in range(101)]})
    assert answer.status == 400, answer.status
    assert answer.body["code"] in ("LIMIT_EXCEEDED", "INVALID_DATA"), answer.text


# Values


@pytest.mark.parametrize(
    "field, value, code",
    [
        ("Last_Name", 5, "INVALID_DATA"),
        ("Last_Name", None, "MANDATORY_NOT_FOUND"),
        ("Last_Name", "", "MANDATORY_NOT_FOUND"),
        ("Last_Name", "x" * 81, "INVALID_DATA"),
        ("Email", "no address", "INVALID_DATA"),
        ("Email_Opt_Out", "true", "INVALID_DATA"),
        ("No_of_Employees", "many", "INVALID_DATA"),
        ("No_of_Employees", 1.5, "INVALID_DATA"),
        ("No_of_Employees", 10**9, "INVALID_DATA"),
        ("Annual_Revenue", {}, "INVALID_DATA"),
        ("Owner", {"id": "1"}, "INVALID_DATA"),
        ("Owner", "x", "INVALID_DATA"),
        ("Tag", 7, "INVALID_DATA"),
    ],
)
def test_a_bad_value_is_refused_with_its_path(rest, field, value, code):
    answer = rest.post("Leads", {"data": [{"Last_Name": "x"}, {"Last_Name": "ok", field: value}]})
    assert answer.status == 207, answer.text
    assert answer.item(index=0)["status"] == "success"
    item_refused(answer, 207, code, index=1)
    assert answer.item(index=1)["details"]["json_path"].startswith(f"$.data[1].{field}")


def test_all_refused_is_400(rest):
    answer = rest.post("Leads", {"data": [{"Company": "x"}, {"Company": "y"}]})
    item_refused(answer, 400, "MANDATORY_NOT_FOUND", 0, api_name="Last_Name", json_path="$.data[0].Last_Name")
    item_refused(answer, 400, "MANDATORY_NOT_FOUND", 1, api_name="Last_Name", json_path="$.data[1].Last_Name")


def test_unknown_and_read_only_fields_are_ignored(rest):
    id = lead(rest, Nonsense="x", Created_Time="2001-01-01T00:00:00Z", id="5")
    got = rest.get(f"Leads/{id}").item()
    assert "Nonsense" not in got and not got["Created_Time"].startswith("2001")


def test_refused_records_leave_nothing_behind(rest):
    marker = f"Half-{uuid.uuid4().hex}"
    rest.post("Leads", {"data": [{"Last_Name": marker, "Email": "bad address"}]})
    assert all(row["Last_Name"] != marker for row in rest.every("Leads", ["Last_Name"]))


# Lists


def test_a_list_needs_fields(rest):
    lead(rest)
    details = refused(rest.get("Leads"), 400, "REQUIRED_PARAM_MISSING")
    assert "fields" in (details.get("param"), details.get("param_name"))


@pytest.mark.parametrize("number", [0, 51])
def test_limits_of_fields(rest, number):
    lead(rest)
    answer = rest.get("Leads", params={"fields": ",".join(["Last_Name"] + [f"F{i}" for i in range(number - 1)]) if number else ""})
    assert answer.status == 400, answer.text


@pytest.mark.parametrize("path", ["Leads/1", "Leads/999999999999999999"])
def test_a_record_that_does_not_exist(rest, path):
    answer = rest.get(path)
    assert (answer.status, answer.text) == (204, "")


def test_an_id_that_is_no_number(rest):
    """Unknown in the contract; ours is the answer to any id that matches nothing."""
    answer = rest.get("Leads/abc")
    assert (answer.status, answer.text) == (204, "")


def test_past_the_first_2000_without_a_token(rest):
    lead(rest)
    refused(rest.get("Leads", params={"fields": "Last_Name", "page": 11, "per_page": 200}), 400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")


def test_page_and_page_token_exclude_each_other(rest):
    for _ in range(2):
        lead(rest)
    first = rest.get("Leads", params={"fields": "Last_Name", "per_page": 1})
    token = first.body["info"]["next_page_token"]
    query = {"fields": "Last_Name", "per_page": 1, "page_token": token}
    refused(rest.get("Leads", params={**query, "page": 2}), 400, "AMBIGUITY_DURING_PROCESSING")
    refused(rest.get("Leads", params={**query, "sort_order": "asc"}), 400, "TOKEN_BOUND_DATA_MISMATCH")
    refused(rest.get("Leads", params={**query, "page_token": "nonsense"}), 400, "INVALID_DATA")
    assert rest.get("Leads", params=query).status == 200


def test_ids_over_the_wire_are_text_and_may_be_numbers_on_the_way_in(rest):
    id = lead(rest)
    assert isinstance(id, str) and id.isdigit()
    assert rest.put("Leads", {"data": [{"id": int(id), "Company": "number"}]}).status == 200
    assert rest.put("Leads", {"data": [{"id": id, "Company": "text"}]}).status == 200
    assert rest.get(f"Leads/{id}").item()["Company"] == "text"


def test_module_names_in_any_letter_case(rest):
    id = lead(rest)
    assert rest.get(f"leads/{id}").item()["id"] == id


# Merge


def test_the_merge_answer(rest):
    master, child = lead(rest, Company="Kept"), lead(rest, Phone="5551234", Company="Dropped")
    answer = rest.merge("Leads", master, [(child, ["Phone"])], ["Company"])
    assert answer.status == 201
    assert answer.body == {
        "merge": [
            {
                "code": "SUCCESS",
                "details": {"id": master},
                "message": "The records have been merged successfully",
                "status": "success",
            }
        ]
    }
    got = rest.get(f"Leads/{master}").item()
    assert (got["Company"], got["Phone"]) == ("Kept", "5551234")
    assert rest.get(f"Leads/{child}").status == 204
    item_refused(rest.put("Leads", {"data": [{"id": child, "Company": "x"}]}), 400, "INVALID_DATA")
    assert rest.get(f"Leads/{master}/actions/merge").status == 204
    gone = rest.get("Leads/deleted", params={"type": "permanent"}).body["data"]
    assert [row["type"] for row in gone if row["id"] == child] == ["permanent"]


@pytest.mark.parametrize(
    "body, wrapped, code, path",
    [
        ({}, False, "MANDATORY_NOT_FOUND", "$.merge"),
        ({"merge": []}, False, "MANDATORY_NOT_FOUND", "$.merge"),
        ({"merge": {}}, False, "INVALID_DATA", "$.merge"),
        ({"merge": [{"data": []}, {"data": []}]}, False, "INVALID_DATA", "$.merge"),
        ({"merge": [{}]}, True, "INVALID_DATA", "$.merge[0].data"),
        ({"merge": [{"data": {}}]}, True, "INVALID_DATA", "$.merge[0].data"),
        ({"merge": [{"data": [{"_fields": []}]}]}, True, "MANDATORY_NOT_FOUND", "$.merge[0].data[0].id"),
        ({"merge": [{"data": [{"id": "1", "_fields": []}]}]}, True, "INVALID_DATA", "$.merge[0].data[0].id"),
        ({"merge": [{"data": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}]}, True, "INVALID_DATA", "$.merge[0].data"),
    ],
)
def test_merge_requests_of_the_wrong_shape(rest, body, wrapped, code, path):
    """merge.md, section 3."""
    answer = rest.post(f"Leads/{lead(rest)}/actions/merge", body)
    assert answer.status == 400
    problem = answer.item("merge") if wrapped else answer.body
    assert (problem["code"], problem["status"]) == (code, "error"), answer.text
    assert problem["details"]["json_path"] == path


def test_two_merges_of_the_same_child_at_once(rest, running):
    """One wins; the other is refused; nothing is lost. merge.md, section 8."""
    for _ in range(10):
        masters, child = [lead(rest), lead(rest)], lead(rest)
        callers = [Rest(running.base, running.access_token) for _ in masters]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda pair: pair[0].merge("Leads", pair[1], [(child, [])]), zip(callers, masters)))
        assert sorted(answer.status for answer in answers) == [201, 400], [answer.text for answer in answers]
        loser = next(answer for answer in answers if answer.status == 400)
        assert loser.item("merge")["code"] in ("NOT_ALLOWED", "INVALID_DATA")


# The socket itself


@pytest.mark.parametrize(
    "data",
    [b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET " + b"/x" * 50_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"],
)
def test_bytes_that_are_no_request(running, data):
    host, port = running.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.settimeout(2)
        connection.sendall(data)
        try:
            connection.recv(1000)
        except (TimeoutError, ConnectionError):
            pass
    assert Rest(running.base).get("/health").status == 200
