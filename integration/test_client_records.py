"""Records and everything attached to them: each operation of the vendor's client, with its effect."""

import datetime
import time

import pytest
import sdk
from operations import Area
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException


def unique(prefix):
    unique.count = getattr(unique, "count", 0) + 1
    return f"{prefix}{unique.count}"


def made(answer, key):
    """The id of the one thing a call made."""
    return int(answer[key][0]["details"]["id"])


def new(module, **values):
    return sdk.create(module, [sdk.record(**({"Last_Name": unique("P")} if module in ("Leads", "Contacts") else {}), **values)])[0]


def new_user(rest):
    me = rest.get("users?type=CurrentUser").item("users")
    body = {
        "last_name": "Kim",
        "email": f"{unique('client')}-{time.monotonic_ns()}@acme.example",
        "role": me["role"]["id"],
        "profile": me["profile"]["id"],
    }
    return int(rest.post("users", {"users": [body]}).item("users")["details"]["id"])


def finished(area, operation, job_id, key="data", status="status"):
    for _ in range(400):
        state = area.call(operation, query={"job_id": job_id})[key][0]
        if str(state[status]).upper() in ("COMPLETED", "FAILED"):
            return state
        time.sleep(0.05)
    raise AssertionError(state)


# Contact roles (187–193)


def test_contact_roles_and_their_deals(client):
    roles, name = Area("contact_roles"), unique("Role ")
    role = made(roles.call("create_roles", {"contact_roles": [{"name": name, "sequence_number": 1}]}), "contact_roles")
    roles.call("update_roles", {"contact_roles": [{"id": role, "name": name + "!"}]})
    roles.call("update_contact_role", role, {"contact_roles": [{"name": name + "?"}]})
    assert roles.call("get_role", role)["contact_roles"][0]["name"] == name + "?"
    assert role in [one["id"] for one in roles.call("get_roles")["contact_roles"]]

    contact, deal = new("Contacts"), new("Deals", Deal_Name=unique("D"), Stage=sdk.Choice("Qualification"))
    of_deals = Area("deal_contact_roles")
    body = {"data": [{"Contact_Role": {"id": role, "name": name + "?"}}]}
    assert made(of_deals.call("associate_contact_role_to_deal", contact, deal, body), "data") == contact
    listed = of_deals.call("get_associated_contact_roles", deal, query={"fields": "Last_Name,Email"})["data"]
    assert [one["id"] for one in listed] == [contact]
    one = of_deals.call("get_associated_contact_roles_specific_to_contact", contact, deal)["data"][0]
    assert one["Contact_Role"]["id"] == role
    of_deals.call("delete_contact_role_relation", contact, deal)
    assert of_deals.call("get_associated_contact_roles", deal, query={"fields": "Last_Name"}) is None
    of_deals.call("associate_contact_role_to_deal", contact, deal, body)
    of_deals.call("delete_associated_contact_roles", deal, query={"ids": contact})
    assert of_deals.call("get_associated_contact_roles", deal, query={"fields": "Last_Name"}) is None

    second = made(roles.call("create_roles", {"contact_roles": [{"name": unique("Role "), "sequence_number": 2}]}), "contact_roles")
    roles.call("delete_contact_role", second)
    roles.call("delete_contact_roles", query={"ids": role})
    assert not {role, second} & {one["id"] for one in roles.call("get_roles")["contact_roles"]}


# Tags (49–58)


def test_tags_from_first_to_last(client):
    tags, leads = Area("tags"), [new("Leads") for _ in range(3)]
    names = [unique("tag") for _ in range(3)]
    answer = tags.call("create_tags", {"tags": [{"name": name} for name in names]}, query={"module": "Leads"})
    first, second, third = (int(one["details"]["id"]) for one in answer["tags"])
    tags.call("update_tags", {"tags": [{"id": first, "name": names[0] + "a"}]}, query={"module": "Leads"})
    tags.call("update_tag", second, {"tags": [{"name": names[1] + "b"}]}, query={"module": "Leads"})
    found = {one["id"]: one["name"] for one in tags.call("get_tags", query={"module": "Leads"})["tags"]}
    assert (found[first], found[second]) == (names[0] + "a", names[1] + "b")

    tags.call("add_tags", "Leads", leads[0], {"tags": [{"name": names[0] + "a"}]})
    tags.call("add_tags_to_multiple_records", "Leads", {"tags": [{"name": names[1] + "b"}], "ids": leads})
    assert {one.get_name() for one in sdk.get("Leads", leads[0]).get_tag()} == {names[0] + "a", names[1] + "b"}
    assert tags.call("get_record_count_for_tag", second, query={"module": "Leads"})["count"] == "3"
    tags.call("remove_tags", "Leads", leads[0], {"tags": [{"name": names[1] + "b"}]})
    tags.call("remove_tags_from_multiple_records", "Leads", {"tags": [{"name": names[1] + "b"}], "ids": leads[1:2]})
    assert tags.call("get_record_count_for_tag", second, query={"module": "Leads"})["count"] == "1"

    tags.call("merge_tags", first, {"tags": [{"conflict_id": second}]})
    assert second not in {one["id"] for one in tags.call("get_tags", query={"module": "Leads"})["tags"]}
    assert tags.call("get_record_count_for_tag", first, query={"module": "Leads"})["count"] == "2"
    # The client cannot read the answer to its own call, whose `tags` is an object.
    with pytest.raises(SDKException):
        tags.call("delete_tag", third)
    assert third not in {one["id"] for one in tags.call("get_tags", query={"module": "Leads"})["tags"]}
    module = Area("modules").call("get_module_by_api_name", "Leads")["modules"][0]["id"]
    many = Area("mass_delete_tags")
    answer = many.call("mass_delete_tags", {"mass_delete": [{"module": {"id": module, "api_name": "Leads"}, "tags": [{"id": first}]}]})
    job = answer["details"]["job_id"]
    assert finished(many, "get_status", job, "mass_delete")["deleted_count"] == 1
    assert sdk.get("Leads", leads[0]).get_tag() == []


# Notes (235–238)


def test_notes_are_changed_and_deleted(client):
    notes, lead = Area("notes"), new("Leads")
    first, second, third = sdk.create_notes([sdk.note(f"N{n}", "text", "Leads", lead) for n in range(3)])
    notes.call("update_note", first, {"data": [{"Note_Content": "one"}]})
    notes.call("update_notes", {"data": [{"id": second, "Note_Content": "two"}]})
    assert notes.call("get_note", first, query={"fields": "Note_Content"})["data"][0]["note_content"] == "one"
    assert notes.call("get_note", second, query={"fields": "Note_Content"})["data"][0]["note_content"] == "two"
    notes.call("delete_note", first)
    notes.call("delete_notes", query={"ids": second})
    assert [one.get_id() for one in sdk.related("Leads", lead, "Notes", ["Note_Title"])] == [third]


# Owners (218–220), mass update and mass delete (201–204)


def test_owners_change_one_by_one_and_in_bulk(client, rest):
    lead, others, heir = new("Leads"), [new("Leads") for _ in range(2)], new_user(rest)
    area = Area("change_owner", "Leads")
    area.call("single_update", lead, {"owner": {"id": heir}, "notify": False})
    area.call("mass_update", {"owner": {"id": heir}, "ids": others, "notify": False})
    assert {sdk.get("Leads", one).get_key_value("Owner").get_id() for one in [lead, *others]} == {heir}

    campaign, view = new("Campaigns", Campaign_Name=unique("C")), Area("custom_views")
    all_of_them = next(
        one["id"] for one in view.call("get_custom_views", query={"module": "Campaigns"})["custom_views"] if one["default"]
    )
    many = Area("mass_change_owner", "Campaigns")
    answer = many.call("change_owner", {"cvid": all_of_them, "owner": {"id": heir}})
    state = finished(many, "check_status", answer["data"][0]["details"]["job_id"])
    assert state["failed_count"] == 0 and sdk.get("Campaigns", campaign).get_key_value("Owner").get_id() == heir


def test_many_records_are_changed_and_deleted_at_once(client):
    accounts = [new("Accounts", Account_Name=unique("A")) for _ in range(2)]
    records = Area("record", "Accounts")
    body = {"data": [sdk.record(Phone="5550123")], "ids": accounts, "over_write": True}
    records.call("mass_update_records", body)
    assert {sdk.get("Accounts", one).get_key_value("Phone") for one in accounts} == {"5550123"}
    view = next(
        one["id"] for one in Area("custom_views").call("get_custom_views", query={"module": "Vendors"})["custom_views"] if one["default"]
    )
    vendors = [new("Vendors", Vendor_Name=unique("V")) for _ in range(2)]
    of_vendors = Area("record", "Vendors")
    answer = of_vendors.call("mass_update_records", {"cvid": str(view), "data": [sdk.record(Phone="5550124")], "over_write": True})
    finished(of_vendors, "get_mass_update_status", str(answer["data"][0]["details"]["job_id"]))
    assert {sdk.get("Vendors", one).get_key_value("Phone") for one in vendors} == {"5550124"}

    deletes = Area("mass_delete_cvid", "Accounts")
    deletes.call("mass_delete_by_record_id", {"ids": accounts})
    assert sdk.get("Accounts", accounts[0]) is None
    deletes = Area("mass_delete_cvid", "Vendors")
    answer = deletes.call("mass_delete_by_cvid", {"cvid": view})
    state = finished(deletes, "get_mass_delete_status", answer["data"][0]["details"]["job_id"])
    assert state["deleted_count"] == state["total_count"] >= 2 and sdk.get("Vendors", vendors[0]) is None


# Shares (211–214) and locks (102–105, 165–168)


def test_a_record_is_shared_and_the_share_is_taken_back(client):
    contact, role = new("Contacts"), Area("roles").call("get_roles")["roles"][-1]["id"]
    share = Area("share_records", contact, "Contacts")

    def wish(permission):
        one = {"shared_with": {"id": role, "type": "roles"}, "permission": permission, "type": "private"}
        return {"share": [one | {"share_related_records": False}]}

    def seen():
        return [(one["shared_with"]["id"], one["permission"]) for one in share.call("get_shared_record_details")["share"]]

    share.call("share_record", wish("read_only"))
    assert seen() == [(role, "read_only")]
    share.call("update_share_permissions", wish("read_write"))
    assert seen() == [(role, "read_write")]
    share.call("revoke_shared_record")
    assert share.call("get_shared_record_details") is None


def test_a_record_is_locked_by_its_configuration(client):
    configuration = Area("record_locking_configuration", "Leads")
    body = {
        "lock_type": "manual",
        "locked_for": "all_profiles_except_excluded_profiles",
        "feature_type": "record_locking",
        "restricted_actions": ["update", "delete"],
        "lock_for_portal_users": True,
    }
    key = "record_locking_configurations"
    profile = next(
        one["id"] for one in Area("profiles").call("get_profiles")["profiles"] if one["name"] == "Standard"
    )
    body["lock_excluded_profiles"] = [{"id": profile, "name": "Standard"}]
    id = made(configuration.call("add_record_locking_configuration", {key: [body]}), key)
    configuration.call("update_record_locking_configuration", id, {key: [{"lock_type": "manual", "restricted_actions": ["update"]}]})
    configuration.call("update_record_locking_configurations", {key: [{"id": id, "lock_type": "manual", "restricted_actions": ["update", "delete"]}]})
    (found,) = configuration.call("get_record_locking_configurations", query={"feature_type": "record_locking"})[key]
    assert found["id"] == id and set(found["restricted_actions"]) == {"update", "delete"}

    lead = new("Leads")
    locks = Area("record_locking", lead, "Leads")
    lock = made(locks.call("lock_records", {"data": [{"Locked_Reason__s": "audit"}]}), "data")
    with pytest.raises(sdk.ApiError) as refusal:
        sdk.update("Leads", [sdk.record(id=lead, Company="X")])
    assert refusal.value.code == "RECORD_LOCKED"
    locks.call("update_record_locking_information", lock, {"data": [{"Locked_Reason__s": "review"}]})
    fields = {"fields": "Locked_Reason__s,Locked_By__s"}
    assert locks.call("get_record_locking_informations", query=fields)["data"][0]["Locked_Reason__s"] == "review"
    assert locks.call("get_record_locking_information", lock, query=fields)["data"][0]["id"] == lock
    locks.call("unlock_record", lock)
    sdk.update("Leads", [sdk.record(id=lead, Company="X")])
    configuration.call("delete_record_locking_configuration", id)
    assert configuration.call("get_record_locking_configurations", query={"feature_type": "record_locking"}) is None


# Recycle bin (216, 217)


def test_the_recycle_bin_is_listed_and_emptied(client):
    bin, leads = Area("recycle_bin"), [new("Leads") for _ in range(3)]
    sdk.delete("Leads", leads)
    assert set(leads) <= {one["id"] for one in bin.call("get_recyclebin_records", query={"per_page": 200})["recycle_bin"]}
    assert bin.call("get_recyclebin_record", leads[0])["recycle_bin"][0]["id"] == leads[0]
    bin.call("delete_recyclebin_record", leads[0])
    bin.call("delete_recyclebin_records", query={"ids": f"{leads[1]},{leads[2]}"})
    gone = {one.get_id() for one in sdk.deleted("Leads", "permanent")}
    assert set(leads) <= gone


# Related records (161–164), external ids (169–177)


def test_campaign_members_are_linked_and_unlinked(client):
    leads, campaign = [new("Leads") for _ in range(3)], new("Campaigns", Campaign_Name=unique("C"))
    members = Area("related_records", "Leads", "Campaigns")
    members.call("update_related_records", campaign, {"data": [sdk.record(id=one, Member_Status="Active") for one in leads[:2]]})
    members.call("update_related_record", leads[2], campaign, {"data": [sdk.record(Member_Status="Active")]})
    listed = members.call("get_related_records", campaign, query={"fields": "Last_Name"})["data"]
    assert {one["id"] for one in listed} == set(leads)
    assert members.call("get_related_record", leads[0], campaign, query={"fields": "Last_Name"})["data"][0]["id"] == leads[0]
    members.call("delink_record", leads[0], campaign)
    members.call("delink_records", campaign, query={"ids": leads[1]})
    assert [one["id"] for one in members.call("get_related_records", campaign, query={"fields": "Last_Name"})["data"]] == [leads[2]]
    assert lookup_rows_outlive_their_record()


def lookup_rows_outlive_their_record():
    account = new("Accounts", Account_Name=unique("A"))
    contact = new("Contacts", Account_Name=sdk.reference(account))
    sdk.delete("Accounts", [account])
    kept = Area("related_records", "Contacts", "Accounts").call(
        "get_deleted_parent_records_related_record", account, query={"fields": "Last_Name"}
    )
    return [one["id"] for one in kept["data"]] == [contact]


@pytest.fixture(scope="module")
def external(client):
    """External fields of contacts and deals, as an administrator makes them."""
    from rest import Rest

    rest, names = Rest(client.base, client.access_token), {}
    for module in ("Contacts", "Deals"):
        field = {"field_label": unique("Ext"), "data_type": "text", "external": {"type": "org", "show": True}, "length": 50}
        id = rest.post(f"settings/fields?module={module}", {"fields": [field]}).item("fields")["details"]["id"]
        names[module] = rest.get(f"settings/fields/{id}?module={module}").item("fields")["api_name"]
    return names


def test_records_answer_to_their_external_values(client, external, tmp_path):
    # The client learns the new fields at its next start.
    client.connect(tmp_path)
    field, value = external["Contacts"], unique("ext-")
    contact = new("Contacts", **{field: value})
    records, header = Area("record", "Contacts"), {"x_external": f"Contacts.{field}"}
    found = records.call("get_record_using_external_id", value, header=header)["data"][0]
    assert found["id"] == contact
    records.call("update_record_using_external_id", value, {"data": [sdk.record(Phone="5550777")]}, header=header)
    assert sdk.get("Contacts", contact).get_key_value("Phone") == "5550777"

    deal = new("Deals", **{"Deal_Name": unique("D"), "Stage": sdk.Choice("Qualification"), external["Deals"]: unique("deal-")})
    its_value = sdk.get("Deals", deal).get_key_value(external["Deals"])
    both = {"x_external": f"Contacts.{field},Deals.{external['Deals']}"}
    related = Area("related_records", "Deals", "Contacts")
    role = Area("contact_roles").call("get_roles")["contact_roles"][0]["id"]
    row = {external["Deals"]: its_value, "Contact_Role": str(role)}
    related.call("update_related_records_using_external_id", value, {"data": [sdk.record(**row)]}, header=both)
    listed = related.call("get_related_records_using_external_id", value, query={"fields": "Deal_Name"}, header=both)
    assert [one["id"] for one in listed["data"]] == [deal]
    one = related.call("get_related_record_using_external_id", its_value, value, query={"fields": "Deal_Name"}, header=both)
    assert one["data"][0]["id"] == deal
    related.call("delete_related_record_using_external_id", its_value, value, header=both)
    again = [its_value, value, {"data": [sdk.record(Contact_Role=str(role))]}]
    related.call("update_related_record_using_external_id", *again, header=both)
    related.call("delete_related_records_using_external_id", value, query={"ids": its_value}, header=both)
    assert related.call("get_related_records_using_external_id", value, query={"fields": "Deal_Name"}, header=both) is None

    records.call("delete_record_using_external_id", value, header=header)
    assert sdk.get("Contacts", contact) is None


# Records: clone, rich text, search, count, timeline (129–134), meeting cancel (183), file of a field (215)


def test_records_are_cloned_searched_and_counted(client):
    name = unique("Searched")
    lead = new("Leads", Company=name, Email=f"{name.lower()}@acme.example", Phone="5550" + str(unique.count).zfill(6))
    records = Area("record", "Leads")
    twin = made(records.call("clone_record", lead), "data")
    assert sdk.get("Leads", twin).get_key_value("Company") == name
    for query in ({"criteria": f"(Company:equals:{name})"}, {"word": name}, {"email": f"{name.lower()}@acme.example"}):
        found = records.call("search_records", query=query | {"fields": "Company"})["data"]
        assert lead in [one["id"] for one in found], query
    assert records.call("record_count", query={"criteria": f"(Company:equals:{name})"})["count"] == 2


def test_a_rich_text_field_is_read_whole(client, rest, tmp_path):
    field = {"field_label": unique("Rich"), "data_type": "textarea", "textarea": {"type": "rich_text"}}
    answer = rest.post("settings/fields?module=Leads", {"fields": [field]})
    id = answer.item("fields")["details"]["id"]
    name = rest.get(f"settings/fields/{id}?module=Leads").item("fields")["api_name"]
    client.connect(tmp_path)
    text = "<div>" + "long " * 200 + "</div>"
    lead = new("Leads", **{name: text})
    (read,) = Area("record", "Leads").call("get_full_data_for_rich_text", lead, query={"fields": name})["data"]
    assert read[name] == text


def test_the_timeline_tells_what_was_done(client):
    lead = new("Leads")
    sdk.update("Leads", [sdk.record(id=lead, Company="Acme")])
    events = Area("timelines").call("get_timelines", "Leads", str(lead))["timeline"]
    assert [one["action"] for one in events] == ["updated", "added"]
    assert events[0]["field_history"][0]["api_name"] == "Company"


def test_a_meeting_is_cancelled(client, rest):
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    contact = rest.create("Contacts", [{"Last_Name": unique("Guest"), "Email": f"{unique('guest')}@acme.example"}])[0]
    event = {
        "Event_Title": unique("Meeting"),
        "Start_DateTime": start.isoformat(timespec="seconds"),
        "End_DateTime": (start + datetime.timedelta(hours=1)).isoformat(timespec="seconds"),
        "Participants": [{"type": "contact", "participant": contact}],
    }
    (id,) = rest.create("Events", [event])
    meeting = Area("cancel_meetings", int(id))
    assert made(meeting.call("cancel_meetings", {"data": [{"send_cancelling_mail": False}]}), "data") == int(id)
    with pytest.raises(sdk.ApiError):
        meeting.call("cancel_meetings", {"data": [{"send_cancelling_mail": False}]})


def test_a_file_of_a_field_is_downloaded(client, rest):
    field = {"field_label": unique("Papers"), "data_type": "fileupload", "length": 1}
    made_field = rest.post("settings/fields?module=Leads", {"fields": [field]})
    assert "id" in made_field.item("fields")["details"], made_field.text
    name = rest.get(f"settings/fields/{made_field.item('fields')['details']['id']}?module=Leads").item("fields")["api_name"]
    sent = rest.session.post(
        f"{client.base}/crm/v7/files", files={"file": ("a.txt", b"paper")}, headers={"Authorization": f"Zoho-oauthtoken {rest.token}"}
    ).json()["data"][0]["details"]["id"]
    (lead,) = rest.create("Leads", [{"Last_Name": unique("L"), name: [{"File_Id__s": sent}]}])
    entry = rest.get(f"Leads/{lead}").item()[name][0]["id"]
    area = Area("field_attachments", "Leads", int(lead), int(entry))
    assert area.answer("get_field_attachments").get_file().get_stream() is not None
