"""A thin HTTP client for the REST API: raw answers, no cleverness. The official client has its own module, sdk.py."""

import json
from dataclasses import dataclass

import requests


@dataclass
class Answer:
    status: int
    body: object
    headers: dict
    text: str

    def item(self, wrapper="data", index=0):
        return self.body[wrapper][index]


class Rest:
    """Calls of one caller. Keeps its connection; not for use by several threads at once."""

    def __init__(self, base, token=None):
        self.base = base
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, body=None, *, params=None, headers=None, raw=None, timeout=60):
        """`body` is sent as JSON without a Content-Type, as the official client does; `raw` is sent as it is."""
        sent = dict(headers or {})
        if self.token is not None and "Authorization" not in sent:
            sent["Authorization"] = f"Zoho-oauthtoken {self.token}"
        data = raw if body is None else json.dumps(body).encode()
        url = self.base + (path if path.startswith(("/oauth", "/health", "/crm")) else f"/crm/v7/{path}")
        answer = self.session.request(method, url, params=params, data=data, headers=sent, timeout=timeout, allow_redirects=False)
        parsed = None
        if answer.content and "json" in answer.headers.get("Content-Type", ""):
            parsed = answer.json()
        return Answer(answer.status_code, parsed, dict(answer.headers), answer.text)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)

    def create(self, module, records):
        """Ids of records that must all be accepted, in order."""
        answer = self.post(module, {"data": records})
        if answer.status != 201:
            raise AssertionError(f"creating {module}: {answer.status} {answer.text[:2000]}")
        return [item["details"]["id"] for item in answer.body["data"]]

    def every(self, module, fields, path=None, **params):
        """All rows of a list, over all its pages."""
        rows, token = [], None
        while True:
            query = {"fields": ",".join(fields), "per_page": 200, **params}
            if token:
                query["page_token"] = token
            answer = self.get(path or module, params=query)
            if answer.status == 204:
                return rows
            assert answer.status == 200, f"listing {path or module}: {answer.status} {answer.text[:2000]}"
            rows += answer.body["data"]
            info = answer.body["info"]
            if not info["more_records"]:
                return rows
            token = info["next_page_token"]

    def merge(self, module, master, children, master_fields=()):
        """`children`: [(id, [api names])]."""
        body = {
            "merge": [
                {
                    "data": [{"id": child, "_fields": [{"api_name": name} for name in names]} for child, names in children],
                    "master_record_fields": [{"api_name": name} for name in master_fields],
                }
            ]
        }
        return self.post(f"{module}/{master}/actions/merge", body)
