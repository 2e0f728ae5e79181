"""The vendor's official Python client, unmodified, against a live server."""

import json
from datetime import date, datetime, timedelta, timezone

import pytest
import sdk
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import fields as field_api
from zohocrmsdk.src.com.zoho.crm.api import layouts as layout_api
from zohocrmsdk.src.com.zoho.crm.api import modules as module_api
from zohocrmsdk.src.com.zoho.crm.api import org as org_api
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import related_lists as list_api
from zohocrmsdk.src.com.zoho.crm.api import users as user_api
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.tags import Tag
from zohocrmsdk.src.com.zoho.crm.api.users import MinifiedUser
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


def name(prefix="Person"):
    """A last name no other test uses."""
    name.count = getattr(name, "count", 0) + 1
    return f"{prefix}-{name.count}"


def contact(**values):
    return sdk.create("Contacts", [sdk.record(Last_Name=name(), **values)])[0]


def lead(**values):
    return sdk.create("Leads", [sdk.record(Last_Name=name(), **values)])[0]


# Start-up


@pytest.mark.parametrize("with_what", ["grant", "refresh"])
def test_the_client_starts(running, tmp_path, with_what):
    token = {"grant": running.grant()} if with_what == "grant" else {"refresh": running.refresh_token}
    oauth = sdk.connect(running.base, tmp_path, running.client_id, running.client_secret, **token)

    found, _ = sdk.page("Leads", ["Last_Name"], per_page=1)

    assert len(found) <= 1
    assert oauth.get_access_token()
    if with_what == "grant":
        assert oauth.get_refresh_token()
    # The signature is the e-mail of the current user and the org's zgid: both start-up calls were understood.
    assert "@" in oauth.get_user_signature().get_name()
    caches = list((tmp_path / "resources").iterdir())
    assert len(caches) == 1
    assert {"leads", "contacts", "accounts", "deals", "tasks"} <= set(json.loads(caches[0].read_text()))


def test_a_grant_code_works_once(running, tmp_path):
    code = running.grant()
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    sdk.connect(running.base, folders[0], running.client_id, running.client_secret, grant=code)
    with pytest.raises(SDKException, match="invalid_code"):
        sdk.connect(running.base, folders[1], running.client_id, running.client_secret, grant=code)


def test_the_client_starts_without_refreshing_its_metadata(running, tmp_path):
    sdk.connect(
        running.base, tmp_path, running.client_id, running.client_secret, grant=running.grant(), refresh_fields=False
    )
    (id,) = sdk.create("Leads", [sdk.record(Last_Name=name())])
    assert sdk.get("Leads", id).get_id() == id


def test_current_user_and_org(client):
    query = sdk.params({user_api.GetUsersParam.type: Choice("CurrentUser")})
    users = sdk.body_of(user_api.UsersOperations().get_users(query, HeaderMap()), user_api.ResponseWrapper).get_users()
    assert len(users) == 1 and "@" in users[0].get_email()
    org = sdk.body_of(org_api.OrgOperations().get_organization(), org_api.ResponseWrapper).get_org()[0]
    assert org.get_zgid()


# Metadata


def test_modules(client):
    response = module_api.ModulesOperations().get_modules(ParameterMap(), HeaderMap())
    modules = {one.get_api_name(): one for one in sdk.body_of(response, module_api.ResponseWrapper).get_modules()}
    assert {"Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Notes", "Products", "Vendors"} <= set(modules)
    assert modules["Leads"].get_api_supported() and modules["Leads"].get_convertable()
    assert sdk.text(modules["Leads"].get_generated_type()) == "default"

    response = module_api.ModulesOperations().get_module_by_api_name("Contacts")
    one = sdk.body_of(response, module_api.ResponseWrapper).get_modules()[0]
    assert (one.get_api_name(), one.get_singular_label()) == ("Contacts", "Contact")


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Notes", "Invoices"])
def test_fields(client, module):
    response = field_api.FieldsOperations().get_fields(sdk.params({field_api.GetFieldsParam.module: module}))
    fields = {one.get_api_name(): one for one in sdk.body_of(response, field_api.ResponseWrapper).get_fields()}
    assert {"Owner", "Created_Time", "Modified_By"} <= set(fields)
    assert all(isinstance(one.get_id(), int) and one.get_data_type() for one in fields.values())
    if module == "Leads":
        assert fields["Last_Name"].get_system_mandatory()
        assert "Advertisement" in [value.get_display_value() for value in fields["Lead_Source"].get_pick_list_values()]
    if module == "Contacts":
        assert fields["Account_Name"].get_lookup().get_module().get_api_name() == "Accounts"
    if module == "Invoices":
        assert fields["Invoiced_Items"].get_associated_module().get_module() == "Invoiced_Items"


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Deals"])
def test_layouts(client, module):
    response = layout_api.LayoutsOperations().get_layouts(sdk.params({layout_api.GetLayoutsParam.module: module}))
    layouts = sdk.body_of(response, layout_api.ResponseWrapper).get_layouts()
    assert [one.get_name() for one in layouts] == ["Standard"]
    sections = layouts[0].get_sections()
    assert sections and any(section.get_fields() for section in sections)


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Deals", "Vendors"])
def test_related_lists(client, module):
    response = list_api.RelatedListsOperations().get_related_lists(sdk.params({list_api.GetRelatedListsParam.module: module}))
    lists = {one.get_api_name(): one for one in sdk.body_of(response, list_api.ResponseWrapper).get_related_lists()}
    assert {"Notes", "Attachments"} <= set(lists)
    assert lists["Notes"].get_href() == f"{module}/{{ENTITYID}}/Notes"
    assert lists["Notes"].get_module().get_api_name() == "Notes"


# Records


def full_contact(account, boss):
    """A value for every kind of field that a contact has and a client may set."""
    tag = Tag()
    tag.set_name("integration")
    return {
        "Last_Name": name("Ünïcode 漢字 🙂"),
        "First_Name": "Zoë \"Q\" O'Neil",
        "Salutation": Choice("Ms."),
        "Email": f"{name('person')}@example.test",
        "Phone": "+49 30 123456-7",
        "Date_of_Birth": date(1980, 2, 29),
        "Email_Opt_Out": True,
        "Lead_Source": Choice("Advertisement"),
        "Description": "line 1\nline 2\t<b>&amp;</b> \\ /",
        "Account_Name": sdk.reference(account),
        "Reporting_To": sdk.reference(boss),
        "Mailing_Zip": "00042",
        "Tag": [tag],
    }


def test_every_kind_of_field_comes_back_as_it_was_set(client):
    account = sdk.create("Accounts", [sdk.record(Account_Name=name("Account"))])[0]
    boss = contact()
    values = full_contact(account, boss)

    (id,) = sdk.create("Contacts", [sdk.record(**values)])
    got = sdk.get("Contacts", id)

    for key in ("Last_Name", "First_Name", "Email", "Phone", "Date_of_Birth", "Email_Opt_Out", "Description", "Mailing_Zip"):
        assert got.get_key_value(key) == values[key], key
    assert got.get_key_value("Salutation").get_value() == "Ms."
    assert got.get_key_value("Lead_Source").get_value() == "Advertisement"
    assert got.get_key_value("Full_Name") == f"{values['First_Name']} {values['Last_Name']}"
    assert got.get_key_value("Account_Name").get_id() == account
    assert got.get_key_value("Reporting_To").get_id() == boss
    assert [one.get_name() for one in got.get_tag()] == ["integration"]
    assert isinstance(got.get_created_time(), datetime) and got.get_created_time() == got.get_modified_time()
    assert got.get_created_by().get_id() == got.get_key_value("Owner").get_id()


def test_numbers_money_and_owner_of_a_lead(client):
    owner = sdk.get("Leads", lead()).get_key_value("Owner")
    user = MinifiedUser()
    user.set_id(owner.get_id())
    (id,) = sdk.create(
        "Leads",
        [
            sdk.record(
                Last_Name=name(),
                Company="Acme",
                No_of_Employees=999_999_999,
                Annual_Revenue=1_234_567.89,
                Website="https://example.test/a?b=c",
                Owner=user,
            )
        ],
    )
    got = sdk.get("Leads", id)
    assert got.get_key_value("No_of_Employees") == 999_999_999
    assert got.get_key_value("Annual_Revenue") == 1_234_567.89
    assert got.get_key_value("Website") == "https://example.test/a?b=c"
    assert got.get_key_value("Owner").get_id() == owner.get_id()


def test_a_hundred_records_in_one_call_keep_their_order(client):
    names = [name("Bulk") for _ in range(100)]
    ids = sdk.create("Leads", [sdk.record(Last_Name=one) for one in names])
    found = {one.get_id(): one.get_key_value("Last_Name") for one in sdk.every("Leads", ["Last_Name"])}
    assert [found[id] for id in ids] == names


def test_update_changes_only_what_it_names(client):
    id = contact(First_Name="Before", Phone="1234567")
    assert sdk.update("Contacts", [sdk.record(id=id, First_Name="After", Phone=None)]) == [id]
    got = sdk.get("Contacts", id)
    assert got.get_key_value("First_Name") == "After"
    assert got.get_key_value("Phone") is None
    assert got.get_key_value("Last_Name").startswith("Person-")


def test_update_of_one_record_by_its_path(client):
    id = contact()
    response = records.RecordOperations("Contacts").update_record(id, sdk.request([sdk.record(Title="Head")]), HeaderMap())
    assert sdk.identity(sdk.successes(response, records.ActionWrapper)[0]) == id
    assert sdk.get("Contacts", id).get_key_value("Title") == "Head"


def test_upsert_inserts_and_then_updates(client):
    email = f"{name('upsert')}@example.test"
    first = sdk.upsert("Contacts", [sdk.record(Last_Name=name(), Email=email)], ["Email"])[0]
    second = sdk.upsert("Contacts", [sdk.record(Last_Name="Renamed", Email=email)], ["Email"])[0]
    assert (sdk.text(first.get_action()), sdk.text(second.get_action())) == ("insert", "update")
    assert second.get_duplicate_field() == "Email"
    assert sdk.identity(first) == sdk.identity(second)
    assert sdk.get("Contacts", sdk.identity(first)).get_key_value("Last_Name") == "Renamed"


def test_deleted_records_are_gone_and_listed(client):
    ids = [contact(), contact(), contact()]
    assert sdk.delete("Contacts", ids[:2]) == ids[:2]
    response = records.RecordOperations("Contacts").delete_record(ids[2], ParameterMap(), HeaderMap())
    assert sdk.identity(sdk.successes(response, records.ActionWrapper)[0]) == ids[2]
    assert [sdk.get("Contacts", id) for id in ids] == [None] * 3
    listed = {one.get_id(): sdk.text(one.get_type()) for one in sdk.deleted("Contacts", "recycle")}
    assert [listed.get(id) for id in ids] == ["recycle"] * 3


def test_paging_by_page_token_gives_every_record_once(client):
    ids = sdk.create("Leads", [sdk.record(Last_Name=name("Paged")) for _ in range(450)])
    seen, info = sdk.page("Leads", ["Last_Name"], per_page=200)
    pages = 1
    while info.get_more_records():
        assert info.get_count() == 200
        more, info = sdk.page("Leads", ["Last_Name"], per_page=200, page_token=info.get_next_page_token())
        seen += more
        pages += 1
    assert pages >= 3
    assert len(seen) == len({one.get_id() for one in seen})
    assert set(ids) <= {one.get_id() for one in seen}


def test_sort_order(client):
    contact()
    newest, _ = sdk.page("Contacts", ["Created_Time"], sort_by="id", sort_order="desc", per_page=20)
    oldest, _ = sdk.page("Contacts", ["Created_Time"], sort_by="id", sort_order="asc", per_page=20)
    assert [one.get_id() for one in newest] == sorted((one.get_id() for one in newest), reverse=True)
    assert [one.get_id() for one in oldest] == sorted(one.get_id() for one in oldest)


def test_not_modified_since(client):
    contact()
    header = HeaderMap()
    header.add(records.GetRecordsHeader.if_modified_since, datetime.now(timezone.utc) + timedelta(hours=1))
    query = sdk.params({records.GetRecordsParam.fields: "Last_Name"})
    assert records.RecordOperations("Contacts").get_records(query, header).get_status_code() == 304


# Notes, activities, related records


def test_notes_through_the_notes_api_and_the_related_list(client):
    person, other = contact(), contact()
    first, second = sdk.create_notes(
        [sdk.note("One", "first content", "Contacts", person), sdk.note("Two", "second\ncontent", "Contacts", person)]
    )
    mine = {one.get_id(): one for one in sdk.related("Contacts", person, "Notes", ["Note_Title", "Note_Content", "Parent_Id"])}
    assert set(mine) == {first, second}
    assert mine[second].get_key_value("Note_Content") == "second\ncontent"
    assert sdk.related("Contacts", other, "Notes", ["Note_Title"]) == []
    everywhere = {one.get_id(): one for one in sdk.every_note(["Note_Title", "Parent_Id"])}
    assert everywhere[first].get_parent_id().get_id() == person
    assert everywhere[first].get_parent_id().get_module().get_api_name() == "Contacts"


def test_activities_of_a_contact_and_of_a_deal(client):
    person = contact()
    deal = sdk.create("Deals", [sdk.record(Deal_Name=name("Deal"), Stage=Choice("Qualification"), Contact_Name=sdk.reference(person))])[0]
    link = {"Who_Id": sdk.reference(person), "What_Id": sdk.reference(deal), "$se_module": "Deals"}
    soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=3)

    task = sdk.create("Tasks", [sdk.record(Subject="Call back", Due_Date=date(2030, 1, 2), Status=Choice("Not Started"), **link)])[0]
    event = sdk.create(
        "Events", [sdk.record(Event_Title="Visit", Start_DateTime=soon, End_DateTime=soon + timedelta(hours=1), **link)]
    )[0]
    call = sdk.create(
        "Calls",
        [
            sdk.record(
                Subject="Ring",
                Call_Type=Choice("Outbound"),
                Outgoing_Call_Status=Choice("Scheduled"),
                Call_Start_Time=soon,
                Call_Duration="05:30",
                **link,
            )
        ],
    )[0]

    got = sdk.get("Tasks", task)
    assert got.get_key_value("Who_Id").get_id() == person
    assert got.get_key_value("What_Id").get_id() == deal
    assert got.get_key_value("$se_module") == "Deals"
    assert got.get_key_value("Due_Date") == date(2030, 1, 2)
    assert sdk.get("Events", event).get_key_value("Start_DateTime") == soon
    for parent, id in (("Contacts", person), ("Deals", deal)):
        assert [one.get_id() for one in sdk.related(parent, id, "Tasks", ["Subject"])] == [task], parent
        assert [one.get_id() for one in sdk.related(parent, id, "Events", ["Event_Title"])] == [event], parent
        assert [one.get_id() for one in sdk.related(parent, id, "Calls", ["Subject"])] == [call], parent
    assert [one.get_id() for one in sdk.related("Contacts", person, "Deals", ["Deal_Name"])] == [deal]


def test_contacts_of_an_account(client):
    account = sdk.create("Accounts", [sdk.record(Account_Name=name("Account"))])[0]
    people = sdk.create("Contacts", [sdk.record(Last_Name=name(), Account_Name=sdk.reference(account)) for _ in range(3)])
    found = sdk.related("Accounts", account, "Contacts", ["Last_Name"])
    assert sorted(one.get_id() for one in found) == sorted(people)


# Merge


def test_a_merge_moves_everything_to_the_master(client):
    master = contact(Email="master@example.test")
    children = [contact(Phone="5551234", First_Name="First"), contact(Department="Research")]
    everyone = [master, *children]
    notes = sdk.create_notes([sdk.note("Note", f"of {id}", "Contacts", id) for id in everyone])
    tasks = sdk.create("Tasks", [sdk.record(Subject="Task", Who_Id=sdk.reference(id)) for id in everyone])
    deals = sdk.create(
        "Deals",
        [sdk.record(Deal_Name=name("Deal"), Stage=Choice("Qualification"), Contact_Name=sdk.reference(id)) for id in everyone],
    )

    result = sdk.merge("Contacts", master, [(children[0], ["Phone", "First_Name"]), (children[1], ["Department"])], ["Email"])

    assert sdk.text(result.get_code()) == "SUCCESS"
    assert sdk.identity(result) == master
    got = sdk.get("Contacts", master)
    wanted = {"Email": "master@example.test", "Phone": "5551234", "First_Name": "First", "Department": "Research"}
    assert {key: got.get_key_value(key) for key in wanted} == wanted
    assert sorted(one.get_id() for one in sdk.related("Contacts", master, "Notes", ["Note_Title"])) == sorted(notes)
    assert sorted(one.get_id() for one in sdk.related("Contacts", master, "Tasks", ["Subject"])) == sorted(tasks)
    assert sorted(one.get_id() for one in sdk.related("Contacts", master, "Deals", ["Deal_Name"])) == sorted(deals)
    assert [sdk.get("Contacts", child) for child in children] == [None, None]
    permanent = {one.get_id() for one in sdk.deleted("Contacts", "permanent")}
    assert set(children) <= permanent
    assert not set(children) & {one.get_id() for one in sdk.deleted("Contacts", "recycle")}
    assert sdk.merge_jobs("Contacts", master) == []


def test_a_large_merge_becomes_a_job(client):
    """More than 1,000 rows in one list of a child: merge.md, section 2."""
    master, child = contact(), contact()
    sdk.create_notes([sdk.note("Many", "content", "Contacts", child) for _ in range(1001)])

    result = sdk.merge("Contacts", master, [(child, [])])

    assert sdk.text(result.get_code()) == "SCHEDULED"
    job = int(result.get_details()["job_id"])
    deadline = datetime.now() + timedelta(seconds=60)
    while (status := dict(sdk.merge_jobs("Contacts", master, job))[job]) in ("SCHEDULED", "RUNNING"):
        assert datetime.now() < deadline, f"the job is still {status}"
    assert status == "COMPLETED"
    assert sdk.merge_jobs("Contacts", master) == [(job, "COMPLETED")]
    assert sdk.get("Contacts", child) is None
    assert len([one for one in sdk.every("Notes", ["Parent_Id"]) if one.get_key_value("Parent_Id").get_id() == master]) == 1001


# Refusals


def refusal(call, *arguments, **options):
    with pytest.raises(sdk.ApiError) as caught:
        call(*arguments, **options)
    return caught.value


def test_an_unknown_module(client):
    # The client asks for the fields of the module first, and raises what that call answers.
    with pytest.raises(SDKException, match="INVALID_MODULE"):
        sdk.get("Nonsense", 123)


def test_a_missing_mandatory_field(client):
    # The client checks mandatory fields itself, so the refusal is provoked by clearing one.
    error = refusal(sdk.update, "Contacts", [sdk.record(id=contact(), Last_Name=None)])
    assert (error.status, error.code) == (400, "MANDATORY_NOT_FOUND")
    assert error.details["api_name"] == "Last_Name"
    assert error.details["json_path"] == "$.data[0].Last_Name"


def test_a_text_too_long(client):
    error = refusal(sdk.create, "Contacts", [sdk.record(Last_Name="x" * 81)])
    assert error.code == "INVALID_DATA"
    assert error.details["api_name"] == "Last_Name"
    assert int(error.details["maximum_length"]) == 80


def test_an_update_of_a_record_that_does_not_exist(client):
    error = refusal(sdk.update, "Contacts", [sdk.record(id=1, First_Name="x")])
    assert error.code == "INVALID_DATA"
    assert error.details["api_name"] == "id"


def test_a_lookup_to_nowhere(client):
    error = refusal(sdk.create, "Contacts", [sdk.record(Last_Name=name(), Account_Name=sdk.reference(1))])
    assert (error.code, error.details["api_name"]) == ("INVALID_DATA", "Account_Name")


def test_some_of_a_batch_refused(client):
    response = records.RecordOperations("Contacts").create_records(
        sdk.request([sdk.record(Last_Name=name()), sdk.record(Last_Name="x" * 81), sdk.record(Last_Name=name())]), HeaderMap()
    )
    assert response.get_status_code() == 207
    assert [type(one).__name__ for one in response.get_object().get_data()] == ["SuccessResponse", "APIException", "SuccessResponse"]


def test_merges_that_are_refused(client):
    master, child = contact(), contact()

    error = refusal(sdk.merge, "Contacts", 1, [(child, [])])
    assert (error.status, error.code) == (400, "INVALID_DATA")
    assert int(error.details["resource_path_index"]) == 1

    error = refusal(sdk.merge, "Contacts", master, [(1, [])])
    assert (error.code, error.details["json_path"]) == ("INVALID_DATA", "$.merge[0].data[0].id")

    error = refusal(sdk.merge, "Contacts", master, [(child, []), (child, [])])
    assert (error.code, error.details["json_path"]) == ("DUPLICATE_DATA", "$.merge[0].data[1].id")

    error = refusal(sdk.merge, "Contacts", master, [(child, ["Phone"])], ["Phone"])
    assert error.code == "DUPLICATE_DATA"

    error = refusal(sdk.merge, "Contacts", master, [])
    assert (error.code, error.details["json_path"]) == ("INVALID_DATA", "$.merge[0].data")

    error = refusal(sdk.merge, "Tasks", 1, [(child, [])])
    assert error.code == "INVALID_MODULE"

    assert sdk.get("Contacts", child) is not None


def test_a_closed_deal_is_not_merged(client):
    open_, closed = sdk.create(
        "Deals",
        [
            sdk.record(Deal_Name=name("Deal"), Stage=Choice("Qualification")),
            sdk.record(Deal_Name=name("Deal"), Stage=Choice("Closed Won")),
        ],
    )
    error = refusal(sdk.merge, "Deals", open_, [(closed, [])])
    assert error.code == "NOT_ALLOWED"
    assert sdk.get("Deals", closed) is not None
