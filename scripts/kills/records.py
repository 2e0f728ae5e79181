"""Writes, deletions, conversions and hand-overs of many records."""

import csv
import io
import json
import random

from kills.round import insist, kills


@kills("bulk_write")
def bulk_write(round):
    job = round.send([["Last_Name", "Company"], *[[f"Lead {n}", "C"] for n in range(round.rows)]])
    round.kill_until_done()
    insist(round.names() == round.expected(), "rows are lost or doubled")
    details = round.answered(round.rest.get(f"/crm/bulk/v7/write/{job}"))
    insist(details["status"] == "COMPLETED" and details["resource"][0]["file"]["added_count"] == round.rows, json.dumps(details))
    [report] = round.files(round.rest.base + details["result"]["download_url"]).values()
    lines = list(csv.reader(io.StringIO(report.decode())))[1:]
    insist([line[0] for line in lines] == [f"Lead {n}" for n in range(round.rows)], "the report is not whole")


@kills("mass_update")
def mass_update(round):
    round.leads()
    round.answered(round.rest.post("Leads/actions/mass_update", {"data": [{"City": "Ulm"}], "cvid": round.view()}))
    round.kill_until_done()
    rows = round.every("Leads", "City", "Last_Name")
    insist(sorted(row["Last_Name"] for row in rows) == round.expected(), "leads are lost")
    insist({row["City"] for row in rows} == {"Ulm"}, "some were left out")
    for row in random.sample(rows, 10):
        insist(round.updates("Leads", row["id"]) == 1, f"{row} is said to have changed more than once")


@kills("mass_delete")
def mass_delete(round):
    round.leads()
    round.answered(round.rest.post("Leads/actions/mass_delete", {"cvid": round.view()}))
    round.kill_until_done()
    insist(round.every() == [], "some are left")
    deleted = len(round.numbered("Leads/deleted", "data", type="all"))
    insist(deleted == round.rows, f"{deleted} of {round.rows} are in the list of deleted ones")


def another_user(round):
    roles = round.answered(round.rest.get("settings/roles"))["roles"]
    profiles = round.answered(round.rest.get("settings/profiles"))["profiles"]
    person = {"last_name": "Other", "email": "other@x.test", "role": roles[0]["id"], "profile": profiles[0]["id"]}
    return round.answered(round.rest.post("users", {"users": [person]}))["users"][0]["details"]["id"]


@kills("mass_change_owner")
def mass_change_owner(round):
    round.leads()
    other = another_user(round)
    round.answered(round.rest.post("Leads/actions/mass_change_owner", {"cvid": round.view(), "owner": {"id": other}}))
    round.kill_until_done()
    rows = round.every("Leads", "Owner", "Last_Name")
    insist(len(rows) == round.rows and {row["Owner"]["id"] for row in rows} == {other}, "some kept their owner")


@kills("mass_convert_leads")
def mass_convert(round):
    count = 50  # as many as a call takes
    round.leads(count)
    ids = [row["id"] for row in round.every()]
    round.answered(round.rest.post("Leads/actions/mass_convert", {"ids": ids, "assign_to": {"id": round.person["id"]}}))
    round.kill_until_done()
    insist(round.every() == [], "some are not converted")
    insist(sorted(row["Last_Name"] for row in round.every("Contacts")) == round.expected(count), "contacts are lost or doubled")
    accounts = sorted(row["Account_Name"] for row in round.every("Accounts", "Account_Name"))
    insist(accounts == sorted(f"Company {n}" for n in range(count)), "accounts are lost or doubled")


@kills("mass_convert_inventory")
def mass_convert_quotes(round):
    count = 50  # as many as a call takes
    (product,) = round.rest.create("Products", [{"Product_Name": "Bike"}])
    line = {"Product_Name": {"id": product}, "Quantity": 1, "List_Price": 10}
    (account,) = round.rest.create("Accounts", [{"Account_Name": "Acme"}])
    quotes = [{"Subject": f"Quote {n}", "Account_Name": {"id": account}, "Quoted_Items": [line]} for n in range(count)]
    ids = round.rest.create("Quotes", quotes)
    body = {"convert_to": [{"module": {"api_name": "Sales_Orders"}, "carry_over_tags": False}], "ids": ids}
    round.answered(round.rest.post("Quotes/actions/mass_convert", body))
    round.kill_until_done()
    orders = sorted(row["Subject"] for row in round.every("Sales_Orders", "Subject"))
    insist(orders == sorted(f"Quote {n}" for n in range(count)), "orders are lost or doubled")


@kills("user_transfer")
def transfer(round):
    other = another_user(round)
    round.leads(Owner__id=other)
    body = {"id": other, "transfer": {"records": True, "assignment": False, "criteria": False, "id": round.person["id"]}}
    round.answered(round.rest.post("users/actions/transfer_and_delete", {"transfer_and_delete": [body]}))
    round.kill_until_done()
    rows = round.every("Leads", "Owner", "Last_Name")
    insist(len(rows) == round.rows and {row["Owner"]["id"] for row in rows} == {round.person["id"]}, "some were left behind")


@kills("tag_mass_delete")
def delete_tags(round):
    round.leads()
    rows = round.every()
    for index in range(91):
        round.made("tags", "settings/tags?module=Leads", {"name": f"Tag {index}"})
    tags = round.answered(round.rest.get("settings/tags", params={"module": "Leads"}))["tags"]
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), 500):
        # Each record has the last one, which stays, and nine that go.
        for first in range(0, 9):
            body = {"tags": [{"name": f"Tag {first * 10}"}, {"name": "Tag 90"}], "ids": ids[start : start + 500]}
            round.answered(round.rest.post("Leads/actions/add_tags", body))
    going = [{"id": tag["id"]} for tag in tags if tag["name"] != "Tag 90"]
    path = "settings/tags/actions/mass_delete"
    body = {"mass_delete": [{"module": {"api_name": "Leads"}, "tags": going}]}
    job = round.answered(round.rest.post(path, body))["details"]["job_id"]
    round.kill_until_done(longest=0.1)
    left = [tag["name"] for tag in round.answered(round.rest.get("settings/tags", params={"module": "Leads"}))["tags"]]
    insist(left == ["Tag 90"], f"{left} are left")
    held = {tuple(tag["name"] for tag in row["Tag"]) for row in round.every("Leads", "Tag")}
    insist(held == {("Tag 90",)}, f"records have {held}")
    told = round.first(path, "mass_delete", job_id=job)
    counts = [told[key] for key in ("status", "total_count", "deleted_count", "failed_count")]
    insist(counts == ["COMPLETED", 90, 90, 0], f"the job says {told}")


@kills("empty_bin", "mass_delete")
def empty_bin(round):
    round.leads()
    (contact,) = round.rest.create("Contacts", [{"Last_Name": "Stays"}])
    round.answered(round.rest.delete(f"Contacts/{contact}"))
    round.answered(round.rest.post("Leads/actions/mass_delete", {"cvid": round.view()}))
    round.settle()
    insist(len(round.numbered("settings/recycle_bin", "recycle_bin")) == round.rows + 1, "the bin is not full")
    filters = json.dumps({"field": {"api_name": "module"}, "comparator": "equal", "value": "Leads"})
    round.answered(round.rest.delete("settings/recycle_bin", params={"filters": filters}))
    round.kill_until_done()
    left = [entry["id"] for entry in round.numbered("settings/recycle_bin", "recycle_bin")]
    insist(left == [contact], f"{len(left)} are left in the bin, not the one of another module")
    gone = [row["id"] for row in round.numbered("Leads/deleted", "data", type="permanent")]
    insist(len(gone) == len(set(gone)) == round.rows, f"{len(gone)} of {round.rows} are told of as gone")
    [(count,)] = round.ask("SELECT done FROM sys_job WHERE kind = 'empty_bin'")
    insist(int(count) == round.rows, f"the job says that it erased {count}")
