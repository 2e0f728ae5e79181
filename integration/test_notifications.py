"""Notifications: the official client's operations, and kill -9 while calls are under way."""

import random
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
import requests
import sdk
from conftest import engines
from receiver import Receiver
from rest import Rest
from tributary_server import ALL_SCOPES, Server, Store
from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import notifications as api
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

SCOPES = [*ALL_SCOPES, "ZohoCRM.notifications.ALL"]


@pytest.fixture(scope="module", params=engines())
def server(request):
    store = Store.of(request.param)
    server = Server(store, ["--allow-private-callbacks"])
    try:
        yield server.start()
        assert server.stop() == 0
    finally:
        server.kill()
        store.remove()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


# The official client


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client_id, client_secret = server.create_client()
    grant = server.grant(client_id, SCOPES)
    sdk.connect(server.base, tmp_path_factory.mktemp("sdk"), client_id, client_secret, grant=grant)
    return api.NotificationsOperations()


def notification(channel, **values):
    made = api.Notification()
    made.set_channel_id(channel)
    for key, value in values.items():
        getattr(made, f"set_{key}")(value)
    body = api.BodyWrapper()
    body.set_watch([made])
    return body


def outcome(response, status):
    assert response.get_status_code() == status
    items = response.get_object().get_watch()
    assert all(isinstance(item, api.SuccessResponse) for item in items), [sdk.text(item.get_code()) for item in items]
    return items


def listed(client, **filters):
    params = ParameterMap()
    for key, value in filters.items():
        params.add(getattr(api.GetNotificationsParam, key), value)
    response = client.get_notifications(params)
    return [] if response.get_status_code() == 204 else response.get_object().get_watch()


def test_a_channel_from_its_making_to_its_end(client, receiver):
    expiry = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=2)
    body = notification(
        "10000", events=["Contacts.all", "Leads.create"], notify_url=receiver.url("/hook?www.abcdezoho.com"), token="t", channel_expiry=expiry
    )
    made = outcome(client.enable_notifications(body), 201)[0]
    assert sdk.text(made.get_message()) == "Successfully subscribed for actions-watch of the given module"
    events = made.get_details()["events"]
    assert {event.get_resource_name() for event in events} == {"Contacts", "Leads"}
    assert {event.get_channel_id() for event in events} == {"10000"}
    assert events[0].get_channel_expiry() == expiry

    lines = listed(client, channel_id=10000)
    assert {line.get_resource_name(): line.get_events() for line in lines} == {"Contacts": ["Contacts.all"], "Leads": ["Leads.create"]}
    assert [line.get_token() for line in listed(client, module="Leads")] == ["t"]
    assert listed(client, channel_id=5) == []

    person = sdk.create("Contacts", [sdk.record(Last_Name="Person")])[0]
    assert wait(lambda: receiver.bodies())
    assert receiver.bodies()[0]["ids"] == [str(person)]
    assert (receiver.bodies()[0]["operation"], receiver.bodies()[0]["token"]) == ("insert", "t")

    outcome(client.update_notification(notification("10000", token="u")), 200)
    assert {line.get_token() for line in listed(client)} == {"u"}
    outcome(client.disable_notification(notification("10000", events=["Leads.create"], deleteevents=Choice(True))), 200)
    assert [line.get_resource_name() for line in listed(client)] == ["Contacts"]
    outcome(client.update_notifications(notification("10000", events=["Deals.edit"], notify_url=receiver.url("/hook?www.abcdezoho.com"))), 200)
    assert [line.get_events() for line in listed(client)] == [["Deals.edit"]]

    params = ParameterMap()
    params.add(api.DeleteNotificationParam.channel_ids, 10000)
    gone = outcome(client.delete_notification(params), 200)[0]
    assert sdk.text(gone.get_message()) == "Successfully un-subscribed from actions-watch"
    assert listed(client) == []


def test_a_condition_on_fields(client, receiver):
    field = api.Field()
    field.set_api_name("Phone")
    leaf, selection = api.Criteria(), api.Criteria()
    leaf.set_field(field)
    selection.set_group_operator("or")
    selection.set_group([leaf])
    module, condition = api.Module(), api.NotificationCondition()
    module.set_api_name("Leads")
    condition.set_type("field_selection")
    condition.set_module(module)
    condition.set_field_selection(selection)
    url = receiver.url("/hook?www.abcdezoho.com")
    body = notification("2", events=["Leads.edit"], notify_url=url, notification_condition=[condition], return_affected_field_values=True)
    outcome(client.enable_notifications(body), 201)
    shown = listed(client, channel_id=2)[0].get_notification_condition()[0]
    assert shown.get_field_selection().get_group()[0].get_field().get_api_name() == "Phone"

    lead = sdk.create("Leads", [sdk.record(Last_Name="Lead")])[0]
    sdk.update("Leads", [sdk.record(id=lead, Company="Other")])
    sdk.update("Leads", [sdk.record(id=lead, Phone="5")])
    assert wait(lambda: receiver.bodies())
    assert receiver.bodies()[0]["affected_values"] == [{"record_id": str(lead), "values": {"Phone": "5"}}]


def test_a_channel_that_is_not_there(client):
    params = ParameterMap()
    params.add(api.DeleteNotificationParam.channel_ids, 77)
    error = client.delete_notification(params).get_object().get_watch()[0]
    assert isinstance(error, api.APIException)
    assert sdk.text(error.get_code()) == "NOT_SUBSCRIBED"


# kill -9


class Writer(threading.Thread):
    """Counts up a field of records of its own. What was acknowledged is kept; what was not may have happened or not."""

    def __init__(self, server, token, number):
        super().__init__(daemon=True)
        self.server, self.rest = server, Rest(server.base, token)
        self.number = number
        self.acknowledged = {}
        self.ends = False

    def run(self):
        while not self.ends:
            try:
                self.step()
            except (requests.RequestException, AssertionError):
                time.sleep(0.02)

    def step(self):
        if len(self.acknowledged) < 3:
            self.acknowledged[self.rest.create("Leads", [{"Last_Name": f"W{self.number}", "No_of_Employees": 0}])[0]] = 0
        for record, count in list(self.acknowledged.items()):
            # An update that was cut off may have happened: going past it keeps the numbers rising.
            answer = self.rest.put(f"Leads/{record}", {"data": [{"No_of_Employees": count + 1}]})
            assert answer.status == 200, answer.text
            self.acknowledged[record] = count + 1
        time.sleep(0.02)


@pytest.mark.parametrize("engine", engines())
def test_what_was_acknowledged_is_told_in_order_whatever_dies(engine):
    chance = random.Random(4)

    def decide(body):
        time.sleep(chance.random() * 0.03)
        return 500 if chance.random() < 0.05 else 200

    receiver = Receiver(decide)
    store = Store.of(engine)
    server = Server(store, ["--allow-private-callbacks"])
    try:
        server.start()
        token = server.access_token(SCOPES)
        rest = Rest(server.base, token)
        item = {
            "channel_id": "1", "events": ["Leads.all"], "notify_url": receiver.url(), "return_affected_field_values": True,
            "channel_expiry": (datetime.now(timezone.utc) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        }
        assert rest.post("actions/watch", {"watch": [item]}).status == 201
        writers = [Writer(server, token, number) for number in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            time.sleep(0.5 + chance.random())
            server.kill()
            server.start()
        time.sleep(1)
        for writer in writers:
            writer.ends = True
        for writer in writers:
            writer.join(60)
        rest = Rest(server.base, token)
        assert wait(lambda: rest.get("actions/watch/deliveries").status == 204 and settled(receiver), 120), "still waiting"
        told = {}
        for body in receiver.bodies():
            for record in body["ids"]:
                told.setdefault(record, []).append((body["operation"], value(body, record)))
        for writer in writers:
            for record, count in writer.acknowledged.items():
                operations = [operation for operation, _ in told[record]]
                assert operations[0] == "insert", (record, operations)
                # Told again after a cut, but never a new state before an old one.
                numbers = [number for _, number in told[record] if number is not None]
                assert numbers == sorted(numbers), (record, numbers)
                assert operations.count("update") >= count, (record, count, operations)
                assert numbers[-1] >= count, (record, count, numbers)
    finally:
        server.kill()
        store.remove()
        receiver.close()


def settled(receiver):
    before = len(receiver.bodies())
    time.sleep(0.5)
    return len(receiver.bodies()) == before


def value(body, record):
    for told in body["affected_values"]:
        if told["record_id"] == record:
            # An update sent again after a cut, which had happened, changes nothing.
            return told["values"].get("No_of_Employees")
    return None
