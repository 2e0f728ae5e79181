"""Rules that run by themselves, and when people are away: each operation of the vendor's client, with its effect."""

import datetime
import time

from operations import Area


def made(answer, key):
    return int(answer[key][0]["details"]["id"])


def me():
    return Area("users").call("get_users", query={"type": "CurrentUser"})["users"][0]["id"]


def leads(company, **body):
    """A new lead's id."""
    answer = Area("record", "Leads").call("create_records", {"data": [{"Last_Name": "Kim", "Company": company}], **body})
    return made(answer, "data")


# Assignment rules (72); the client has no call that makes one


def test_an_assignment_rule_is_read_and_named_by_writes(client, rest):
    rule = {"name": "Web", "module": {"api_name": "Leads"}, "default_assignee": {"id": str(me())}}
    answer = rest.post("settings/automation/assignment_rules", {"assignment_rules": [rule]})
    id = int(answer.item("assignment_rules")["details"]["id"])
    rules = Area("assignment_rules")
    assert id in [one["id"] for one in rules.call("get_assignment_rules")["assignment_rules"]]
    (one,) = rules.call("get_assignment_rule", id, query={"module": "Leads"})["assignment_rules"]
    assert one["name"] == "Web" and int(one["default_assignee"]["id"]) == int(me()) and one["module"]["api_name"] == "Leads"
    lead = leads("Acme", lar_id=str(id))
    # The administrator owned it already, so the rule had nothing to change.
    entries = Area("timelines").call("get_timelines", "Leads", str(lead))["timeline"]
    assert [entry["source"] for entry in entries] == ["crm_api"]


# Scoring rules (10–17)


def rule(name, company):
    criteria = {"field": {"api_name": "Company"}, "comparator": "equal", "value": company}
    return {"name": name, "module": {"api_name": "Leads"}, "field_rules": [{"score": 7, "criteria": criteria}]}


def scores(record):
    found = Area("entity_scores", "Score,Scoring_Rule").call("get_entity_score", record)
    return [(one["score"], one["scoring_rule"]["name"]) for one in found["data"]]


def eventually(check):
    for _ in range(100):
        if check():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_scoring_rules_are_kept_and_give_points(client):
    rules = Area("scoring_rules")
    id = made(rules.call("create_scoring_rules", {"scoring_rules": [rule("Fit", "Scored")]}), "scoring_rules")
    assert str(id) in [str(one["id"]) for one in rules.call("get_scoring_rules", query={"module": "Leads"})["scoring_rules"]]
    (one,) = rules.call("get_scoring_rule", id)["scoring_rules"]
    assert one["active"] is True and one["field_rules"][0]["score"] == 7
    lead = leads("Scored")
    assert scores(lead) == [(7, "Fit")]
    listed = Area("entity_scores", "Score,Scoring_Rule").call("get_entity_scores")
    assert [one["score"] for one in listed["data"] if one["scoring_rule"]["id"] == id] == [7]

    rules.call("update_scoring_rule", id, {"scoring_rules": [{"description": "Who fits"}]})
    rules.call("update_scoring_rules", {"scoring_rules": [{"id": str(id), "name": "Fits"}]})
    (one,) = rules.call("get_scoring_rule", id)["scoring_rules"]
    assert one["description"] == "Who fits" and one["name"] == "Fits"

    by_rule = rules.call("scoring_rule_execution_using_rule_ids", "Leads", {"scoring_rules": [id]})
    assert by_rule["scoring_rules"][0]["code"] == "SCHEDULED"
    layout = Area("layouts").call("get_layouts", query={"module": "Leads"})["layouts"][0]["id"]
    assert rules.call("scoring_rule_execution_using_layout_id", "Leads", {"layout": {"id": layout}})["code"] == "SCHEDULED"

    rules.call("deactivate_scoring_rule", id)
    assert rules.call("get_scoring_rule", id)["scoring_rules"][0]["active"] is False
    rules.call("activate_scoring_rule", id)
    eventually(lambda: Area("entity_scores", "Score").answer("get_entity_scores") is not None)
    copy = made(rules.call("clone_scoring_rule", id), "scoring_rules")
    other = made(rules.call("create_scoring_rules", {"scoring_rules": [rule("Other", "Elsewhere")]}), "scoring_rules")
    rules.call("delete_scoring_rule", copy)
    rules.call("delete_scoring_rules", query={"ids": f"{id},{other}"})
    assert rules.call("get_scoring_rules", query={"module": "Leads"}) is None


# When people are away (75–78)


def test_times_away_are_kept(client):
    away = Area("users_unavailability")
    start = datetime.datetime(2025, 2, 18, 9, tzinfo=datetime.timezone.utc)
    end = start + datetime.timedelta(hours=8)
    body = {"users_unavailability": [{"from": start, "to": end, "comments": "Leave"}]}
    id = made(away.call("create_users_unavailability", body), "users_unavailability")
    (one,) = [one for one in away.call("get_users_unavailability")["users_unavailability"] if one["id"] == id]
    assert one["from_1"] == start and int(one["user"]["id"]) == int(me())
    away.call("update_user_unavailability", str(id), {"users_unavailability": [{"comments": "Away"}]})
    away.call("update_users_unavailability", {"users_unavailability": [{"id": id, "to": end + datetime.timedelta(hours=1)}]})
    (one,) = away.call("get_user_unavailability", str(id))["users_unavailability"]
    assert one["comments"] == "Away" and one["to"] == end + datetime.timedelta(hours=1)
    away.call("delete_user_unavailability", str(id))
    assert away.call("get_user_unavailability", str(id)) is None
