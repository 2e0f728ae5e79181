"""What is read out, and who is told that it is."""

import csv
import datetime
import io
import json
import time

from kills.round import insist, kills
from receiver import Receiver


@kills("bulk_read")
def bulk_read(round):
    round.leads()
    answer = round.rest.post(
        "/crm/bulk/v7/read", {"query": {"module": {"api_name": "Leads"}}}, headers={"Content-Type": "application/json"}
    )
    job = round.answered(answer)["data"][0]["details"]["id"]
    round.kill_until_done()
    [content] = round.files(f"{round.rest.base}/crm/bulk/v7/read/{job}/result").values()
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    insist(sorted(line["Last_Name"] for line in lines) == round.expected(), "the export has rows twice, or not at all")


@kills("backup")
def backup(round):
    round.leads()
    round.answered(round.rest.post("/crm/bulk/v7/backup"))
    round.kill_until_done()
    urls = round.answered(round.rest.get("/crm/bulk/v7/backup/urls"))["urls"]
    files = {}
    for url in urls["data_links"]:
        files |= round.files(url)
    manifest = json.loads(files.pop("manifest.json"))
    insist({entry["path"] for entry in manifest["entries"]} == set(files), "the archives are not what the manifest says")
    leads = [entry for entry in manifest["entries"] if "leads" in entry["path"].lower() and entry["rows"] == round.rows]
    insist(leads, "the leads are not in the backup")
    for entry in leads:
        lines = files[entry["path"]].decode().count("Lead ")
        insist(lines >= round.rows, f"{entry['path']} has {lines} leads")


@kills("audit_log_export")
def audit_export(round):
    round.leads()
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    times = [(now - datetime.timedelta(days=1)).isoformat(), (now + datetime.timedelta(minutes=1)).isoformat()]
    criteria = {"comparator": "between", "field": {"api_name": "audited_time"}, "value": times}
    answer = round.rest.post("settings/audit_log_export", {"audit_log_export": [{"criteria": criteria}]})
    job = round.answered(answer)["audit_log_export"][0]["details"]["id"]
    round.kill_until_done()
    export = round.answered(round.rest.get(f"settings/audit_log_export/{job}"))["audit_log_export"][0]
    insist(export["status"] == "finished", f"the export is {export}")
    link = export["download_links"][0]
    text = round.rest.session.get(link, headers={"Authorization": f"Zoho-oauthtoken {round.rest.token}"}, timeout=60).text
    for number in range(0, round.rows, 97):
        said = sum(f"Lead {number}" in line.split(",") or f'"Lead {number}"' in line for line in text.splitlines())
        insist(said == 1, f"lead {number} is told of {said} times")


@kills("callback")
def callbacks(round):
    count = 12
    heard = Receiver(lambda body: time.sleep(0.05) or 200)
    try:
        round.leads(10)
        jobs = set()
        for _ in range(count):
            body = {"query": {"module": {"api_name": "Leads"}}, "callback": {"url": heard.url(), "method": "post"}}
            answer = round.rest.post("/crm/bulk/v7/read", body, headers={"Content-Type": "application/json"})
            jobs.add(round.answered(answer)["data"][0]["details"]["id"])
        round.kill_until_done()
        told = [body["data"][0]["id"] for body in heard.bodies()]
        insist(set(told) == jobs, f"{len(jobs - set(told))} of {count} ends were not told of")
        # One that was told of and not noted is told of again; the others are not.
        insist(len(told) - count <= round.kills, f"{len(told)} calls for {count} jobs after {round.kills} kills")
    finally:
        heard.close()
