"""Blueprints, portals and cadences through the official client: directory rows 64 to 66, 79 to 86, 89 to 92, 233 and 234.

What only our own calls can make (blueprints, cadences) is made through them first.
"""

import pytest
from operations import Area
from sdk import ApiError
from zohocrmsdk.src.com.zoho.crm.api.blueprint import BluePrint, BodyWrapper
from zohocrmsdk.src.com.zoho.crm.api.record import Record


def made(answer, wrapper):
    return answer.body[wrapper][0]["details"]["id"]


def standard(rest, module):
    return rest.get(f"settings/layouts?module={module}").body["layouts"][0]["id"]


def test_a_record_goes_through_a_blueprint(client, rest):
    body = {
        "name": "Client process",
        "module": {"api_name": "Leads"},
        "layout": {"id": standard(rest, "Leads")},
        "field": {"api_name": "Lead_Status"},
        "criteria": {"field": {"api_name": "Company"}, "comparator": "equal", "value": "Client process"},
        "transitions": [
            {
                "name": "Call",
                "from": ["Not Contacted"],
                "to": "Contacted",
                "fields": [{"api_name": "Phone", "mandatory": True}],
                "notes": {"mandatory": True},
            }
        ],
    }
    process = made(rest.post("settings/automation/blueprints", {"blueprints": [body]}), "blueprints")
    values = {"Last_Name": "Kim", "Company": "Client process", "Lead_Status": "Not Contacted"}
    (lead,) = rest.create("Leads", [values])
    area = Area("blueprint", lead, "Leads")
    view = area.call("get_blueprint")["blueprint"]
    assert view["process_info"]["name"] == "Client process" and view["process_info"]["field_value"] == "Not Contacted"
    (transition,) = view["transitions"]
    assert transition["name"] == "Call" and [one["api_name"] for one in transition["fields"]] == ["Phone", "Notes"]
    item = {"transition_id": str(transition["id"]), "data": {"Phone": "5550100", "Notes": "called"}}
    answer = rest.put(f"Leads/{lead}/actions/blueprint", {"blueprint": [item]})
    assert answer.status == 200, answer.text
    (other,) = rest.create("Leads", [values])
    data = Record()
    data.add_key_value("Phone", "5550100")
    data.add_key_value("Notes", "called")
    step = BluePrint()
    step.set_transition_id(str(transition["id"]))
    step.set_data(data)
    wrapper = BodyWrapper()
    wrapper.set_blueprint([step])
    assert Area("blueprint", other, "Leads").answer("update_blueprint", wrapper).get_status().get_value() == "success"
    assert rest.get(f"Leads/{other}").item()["Lead_Status"] == "Contacted"
    with pytest.raises(ApiError):
        Area("blueprint", other, "Leads").call("get_blueprint")
    assert rest.delete(f"settings/automation/blueprints/{process}").status == 200


def test_portals_their_types_and_users(client, rest):
    portals = Area("portals")
    portals.call("create_portal", {"portals": [{"name": "clientdesk"}]})
    portals.call("update_portal", "clientdesk", {"portals": [{"name": "clientdesk2"}]})
    assert "clientdesk2" in [one["name"] for one in portals.call("get_portals")["portals"]]
    assert portals.call("get_portal", "clientdesk2")["portals"][0]["active"] is True

    modules = {one["api_name"]: one["id"] for one in rest.get("settings/modules").body["modules"]}
    fields = {one["api_name"]: one["id"] for one in rest.get("settings/fields?module=Contacts").body["fields"]}
    view = rest.get("settings/custom_views?module=Contacts").body["custom_views"][0]["id"]
    contacts = {
        "id": modules["Contacts"],
        "layouts": [{"id": standard(rest, "Contacts")}],
        "permissions": {"view": True},
        "views": {"id": view, "type": "custom_view"},
        "fields": [{"id": fields["Email"], "read_only": False}],
        "shared_type": "private",
    }
    notes = {"id": modules["Notes"], "permissions": {"view": True}, "shared_type": "private"}
    types = Area("portal_user_type", "clientdesk2")
    ids = []
    for name in ("Vendor", "Client"):
        body = {"name": name, "personality_module": {"api_name": "Contacts"}, "active": True, "modules": [contacts, notes]}
        ids.append(str(types.call("create_user_type", {"user_type": [body]})["user_type"][0]["details"]["id"]))
    vendor, customer = ids
    types.call("update_user_type", vendor, {"user_type": [{"name": "Partner"}]})
    assert [one["name"] for one in types.call("get_user_types")["user_type"]] == ["Partner", "Client"]
    (found,) = types.call("get_user_type", vendor)["user_type"]
    assert found["personality_module"]["api_name"] == "Contacts" and found["no_of_users"] == 0

    (lee,) = rest.create("Contacts", [{"Last_Name": "Lee", "Email": "lee@portal.example"}])
    invited = rest.post(f"Contacts/{lee}/actions/portal_invite?user_type_id={vendor}&type=invite")
    assert invited.status == 200, invited.text
    query = {"user_type_id": vendor, "type": "reinvite", "language": "en_US"}
    Area("portal_invite", "Contacts").call("invite_users", int(lee), query=query)
    users = Area("user_type_users", int(vendor), "clientdesk2")
    (user,) = users.call("get_users_of_user_type", query={"type": "AllUsers"})["users"]
    assert user["name"] == "Lee" and user["email"] == "lee@portal.example" and user["confirm"] is False
    users.call("change_users_status", int(lee), query={"active": False})
    users.call("transfer_users_of_a_user_type", query={"transfer_to": customer, "personality_ids": lee})
    others = Area("user_type_users", int(customer), "clientdesk2")
    (user,) = others.call("get_users_of_user_type", query={"type": "DeactiveUsers"})["users"]
    assert user["personality_id"] == int(lee)
    others.call("delete_user_from_the_portal", query={"personality_ids": lee})
    assert others.call("get_users_of_user_type", query={"type": "AllUsers"}) is None
    for id in ids:
        types.call("delete_user_type", id)
    assert types.call("get_user_types") is None

def test_records_are_enrolled_in_cadences(client, rest):
    body = {
        "name": "Client cadence",
        "module": {"api_name": "Contacts"},
        "follow_ups": [{"type": "task", "delay": {"unit": 9, "period": "days"}, "task": {"Subject": "Ring up"}}],
    }
    cadence = made(rest.post("settings/automation/cadences", {"cadences": [body]}), "cadences")
    (one,) = [one for one in Area("cadences").call("get_cadences")["cadences"] if one["id"] == int(cadence)]
    assert one["name"] == "Client cadence" and one["summary"]["task_follow_up_count"] == 1
    (lee,) = rest.create("Contacts", [{"Last_Name": "Lee"}])
    area = Area("cadences_execution")
    for operation, message in (("enroll_cadences", "records manually enrolled"), ("unenroll_cadences", "records manually unenrolled")):
        answer = area.call(operation, "Contacts", {"cadences_ids": [cadence], "ids": [lee]})
        assert answer["data"][0]["message"] == message
    assert rest.delete(f"settings/automation/cadences/{cadence}").status == 200
