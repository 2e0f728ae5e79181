"""Users, territories and features through the vendor's official Python client, unmodified."""

import time

import pytest
import sdk
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import features as feature_api
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import territories as territory_api
from zohocrmsdk.src.com.zoho.crm.api import territory_users as member_api
from zohocrmsdk.src.com.zoho.crm.api import users as user_api
from zohocrmsdk.src.com.zoho.crm.api import users_territories as own_api
from zohocrmsdk.src.com.zoho.crm.api import users_transfer_delete as transfer_api
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


def filled(kind, **values):
    one = kind()
    for name, value in values.items():
        getattr(one, f"set_{name}")(value)
    return one


def unique(prefix):
    unique.count = getattr(unique, "count", 0) + 1
    return f"{prefix} {unique.count}"


def all_territories():
    answer = territory_api.TerritoriesOperations().get_territories()
    return sdk.body_of(answer, territory_api.ResponseWrapper).get_territories()


def territory(parent=None, **values):
    """A new territory's id; below the topmost unless said otherwise."""
    parent = parent or all_territories()[0].get_id()
    new = filled(
        territory_api.Territories,
        name=unique("Region"),
        reporting_to=filled(territory_api.ReportingTo, id=parent),
        permission_type=Choice("read_only"),
        **values,
    )
    answer = territory_api.TerritoriesOperations().create_territories(filled(territory_api.BodyWrapper, territories=[new]))
    (made,) = sdk.successes(answer, territory_api.ActionWrapper, territory_api.ActionWrapper.get_territories)
    return sdk.identity(made)


def users(**pairs):
    answer = user_api.UsersOperations().get_users(
        sdk.params({getattr(user_api.GetUsersParam, key): value for key, value in pairs.items()}), HeaderMap()
    )
    body = sdk.body_of(answer, user_api.ResponseWrapper)
    return [] if body is None else body.get_users()


def new_user(rest, **more):
    """The client cannot read the answer to its own call, so it is looked up by address; see `endpoints/users.md`."""
    ada = users(type=Choice("CurrentUser"))[0]
    email = unique("user").replace(" ", "") + f"-{time.monotonic_ns()}@acme.example"
    new = filled(
        user_api.Users,
        first_name="Lee",
        last_name="Kim",
        email=email,
        role=filled(user_api.Role, id=ada.get_role().get_id()),
        profile=filled(user_api.Profile, id=ada.get_profile().get_id()),
        **more,
    )
    with pytest.raises(SDKException):
        user_api.UsersOperations().create_users(filled(user_api.BodyWrapper, users=[new]))
    (found,) = [user for user in users() if user.get_email() == email]
    return found


def test_users_are_made_changed_counted_and_deleted(client, rest):
    user = new_user(rest, phone="5550100")
    assert user.get_phone() == "5550100" and sdk.text(user.get_status()) == "active" and user.get_confirm() is False
    count = user_api.UsersOperations().users_count(ParameterMap())
    assert sdk.body_of(count, user_api.CountWrapper).get_count() == len(users())
    with pytest.raises(SDKException):
        changed = filled(user_api.Users, phone="5550199")
        user_api.UsersOperations().update_user(user.get_id(), filled(user_api.BodyWrapper, users=[changed]))
    one = user_api.UsersOperations().get_user(user.get_id(), HeaderMap())
    assert sdk.body_of(one, user_api.ResponseWrapper).get_users()[0].get_phone() == "5550199"
    with pytest.raises(SDKException):
        user_api.UsersOperations().delete_user(user.get_id())
    # The client knows no such type.
    assert str(user.get_id()) in [one["id"] for one in rest.get("users?type=DeletedUsers").body["users"]]


def test_a_user_hands_over_and_goes(client, rest):
    leaving, heir = new_user(rest), new_user(rest)
    (lead,) = rest.create("Leads", [{"Last_Name": "L", "Owner": {"id": str(leaving.get_id())}}])
    order = filled(
        transfer_api.TransferAndDelete,
        id=leaving.get_id(),
        transfer=filled(transfer_api.Transfer, id=heir.get_id(), records=True, assignment=True, criteria=True),
    )
    body = filled(transfer_api.BodyWrapper, transfer_and_delete=[order])
    answer = transfer_api.UsersTransferDeleteOperations().users_transfer_and_delete(body)
    (done,) = sdk.successes(answer, transfer_api.ActionWrapper, transfer_api.ActionWrapper.get_transfer_and_delete)
    job = sdk.params({transfer_api.GetStatusParam.job_id: int(done.get_details()["jobId"])})
    for _ in range(200):
        body = sdk.body_of(transfer_api.UsersTransferDeleteOperations().get_status(job), transfer_api.ResponseWrapper)
        if body.get_transfer_and_delete()[0].get_status() == "completed":
            break
        time.sleep(0.05)
    assert rest.get(f"Leads/{lead}").item()["Owner"]["id"] == str(heir.get_id())


def test_territories_form_a_tree(client):
    parent = territory()
    field = filled(territory_api.Field, api_name="Industry")
    child = territory(
        parent, account_rule_criteria=filled(territory_api.Criteria, comparator="equal", field=field, value="Energy")
    )
    operations = territory_api.TerritoriesOperations()
    (below,) = sdk.body_of(
        operations.get_child_territory(parent, ParameterMap()), territory_api.ResponseWrapper
    ).get_territories()
    assert below.get_id() == child and below.get_account_rule_criteria().get_value() == "Energy"
    changed = filled(territory_api.Territories, id=child, name=unique("Renamed"))
    body = filled(territory_api.BodyWrapper, territories=[changed])
    sdk.successes(operations.update_territories(body), territory_api.ActionWrapper, territory_api.ActionWrapper.get_territories)
    one = sdk.body_of(operations.get_territory(child), territory_api.ResponseWrapper).get_territories()[0]
    assert one.get_name() == changed.get_name() and one.get_reporting_to().get_id() == parent
    # The client sends DELETE where the pages say POST.
    move = filled(
        territory_api.TransferTerritory, id=parent, transfer_to_id=all_territories()[0].get_id(), delete_previous_forecasts=False
    )
    body = filled(territory_api.TransferBodyWrapper, territories=[move])
    answer = operations.transfer_and_delete_territories(body)
    sdk.successes(answer, territory_api.ActionWrapper, territory_api.ActionWrapper.get_territories)
    answer = operations.delete_territory(child, sdk.params({territory_api.DeleteTerritoryParam.delete_previous_forecasts: False}))
    sdk.successes(answer, territory_api.ActionWrapper, territory_api.ActionWrapper.get_territories)
    assert {parent, child}.isdisjoint({one.get_id() for one in all_territories()})


def test_people_join_territories(client, rest):
    place, user = territory(), new_user(rest)
    operations = member_api.TerritoryUsersOperations()
    answer = operations.update_territory_users(
        place, filled(member_api.BodyWrapper, users=[filled(user_api.Users, id=user.get_id())])
    )
    # The client takes this answer for one about users as such, whose items it cannot read; the effect is looked at.
    assert answer.get_status_code() == 200
    (member,) = sdk.body_of(operations.get_territory_users(place), member_api.ResponseWrapper).get_users()
    assert member.get_id() == user.get_id()
    own = own_api.UsersTerritoriesOperations(user.get_id())
    (found,) = sdk.body_of(own.get_territories_of_user(), own_api.ResponseWrapper).get_territories()
    assert found.get_id() == place
    other = territory()
    body = filled(own_api.BodyWrapper, territories=[filled(own_api.Territory, id=other)])
    sdk.successes(own.associate_territories_to_user(body), own_api.ActionWrapper, own_api.ActionWrapper.get_territories)
    sdk.successes(own.remove_territory_from_user(other), own_api.ActionWrapper, own_api.ActionWrapper.get_territories)
    answer = operations.deassociate_territory_user(user.get_id(), place)
    assert answer.get_status_code() == 200
    assert own.get_territories_of_user().get_status_code() == 204
    counts = territory_api.TerritoriesOperations().get_associated_user_count()
    assert counts.get_status_code() == 200


def test_records_stand_in_territories(client, rest):
    place = territory()
    (account,) = rest.create("Accounts", [{"Account_Name": unique("Acme")}])
    one = sdk.record(id=int(account))
    one.add_key_value("Territories", [filled(records.Territory, id=place)])
    operations = records.RecordOperations("Accounts")
    answer = operations.assign_territories_to_multiple_records(sdk.request([one]))
    (done,) = sdk.successes(answer, records.ActionWrapper)
    assert sdk.text(done.get_code()) == "SCHEDULED"
    shown = sdk.get("Accounts", int(account)).get_key_value("Territories")
    assert [territory.get_id() for territory in shown] == [place]
    sdk.successes(operations.remove_territories_from_record(int(account), sdk.request([one])), records.ActionWrapper)
    assert sdk.get("Accounts", int(account)).get_key_value("Territories") == []


def test_features_tell_limits_and_licences(client):
    operations = feature_api.FeaturesOperations()
    listed = sdk.body_of(operations.get_feature_details(ParameterMap()), feature_api.ResponseWrapper).get_features()
    assert "territory_management" in [feature.get_api_name() for feature in listed]
    (one,) = sdk.body_of(operations.get_feature_detail("profiles", ParameterMap()), feature_api.ResponseWrapper).get_features()
    assert one.get_details().get_limits().get_total() == 25
    (licences,) = sdk.body_of(operations.get_user_licences_count(), feature_api.ResponseWrapper).get_features()
    details = licences.get_details()
    assert details.get_used_count().get_total() + details.get_available_count().get_total() == details.get_limits().get_total()
