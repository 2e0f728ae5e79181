"""Services, appointments, their preferences and their history through the official client."""

from datetime import datetime, timedelta, timezone

import pytest
import sdk
from rest import Rest
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import appointment_preference, service_preference
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import reschedule_history as history
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

# What the client cannot say (which people a service has, what an appointment is for) is posted plainly.


@pytest.fixture(scope="module")
def client(running, tmp_path_factory):
    grant = running.grant()
    sdk.connect(running.base, tmp_path_factory.mktemp("sdk"), running.client_id, running.client_secret, grant=grant)
    return Rest(running.base, running.access_token)


@pytest.fixture(scope="module")
def me(client):
    return int(client.get("users", params={"type": "CurrentUser"}).item("users")["id"])


def in_hours(count):
    return datetime.now(timezone.utc).replace(microsecond=0, second=0) + timedelta(hours=count)


def service(client, me, name):
    body = {
        "Service_Name": name, "Duration": 60, "Location": "Client Address", "Price": 230.66,
        "Availability_Type": "Every Business Days", "Members": [{"Members": {"id": str(me)}}],
    }  # fmt: skip
    return int(client.create("Services__s", [body])[0])


def read(module, id):
    return sdk.body_of(records.RecordOperations(module).get_record(id, ParameterMap(), HeaderMap()), records.ResponseWrapper).get_data()[0]


def change(module, id, **values):
    return sdk.successes(records.RecordOperations(module).update_record(id, sdk.request([sdk.record(**values)]), HeaderMap()), records.ActionWrapper)


def remove(module, id):
    sdk.successes(records.RecordOperations(module).delete_record(id, ParameterMap(), HeaderMap()), records.ActionWrapper)
    assert sdk.body_of(records.RecordOperations(module).get_record(id, ParameterMap(), HeaderMap()), records.ResponseWrapper) is None


@pytest.fixture(scope="module")
def repair(client, me):
    return service(client, me, "Repair")


@pytest.fixture
def appointment(client, me, repair):
    contact = client.create("Contacts", [{"Last_Name": "Kim"}])[0]
    body = {
        "Appointment_Name": "Kim - Repair", "Service_Name": {"id": str(repair)}, "Owner": str(me), "Location": "Client Address",
        "Appointment_For": {"module": {"api_name": "Contacts"}, "id": contact, "name": "Kim"}, "Address": "7 Jackson Street",
        "Appointment_Start_Time": in_hours(30).isoformat(),
    }  # fmt: skip
    return int(client.create("Appointments__s", [body])[0])


def test_a_service_from_its_making_to_its_end(client, me):
    id = service(client, me, "Check")
    shown = read("Services__s", id)
    assert shown.get_key_value("Service_Name") == "Check" and shown.get_key_value("Duration") == 60
    change("Services__s", id, Duration=90)
    assert read("Services__s", id).get_key_value("Duration") == 90
    assert "Check" in [one.get_key_value("Service_Name") for one in sdk.every("Services__s", ["Service_Name"])]
    with pytest.raises(sdk.ApiError) as refused:
        change("Services__s", id, Duration=5)
    assert refused.value.code == "INVALID_DATA"
    remove("Services__s", id)


def test_an_appointment_moves_and_remembers(client, appointment):
    first = read("Appointments__s", appointment).get_key_value("Appointment_Start_Time")
    change("Appointments__s", appointment, Rescheduled_From=first, Appointment_Start_Time=in_hours(40), Reschedule_Note="ill")
    moved = read("Appointments__s", appointment).get_key_value("Appointment_Start_Time")
    assert moved > first
    # The last move stands in the appointment; the history has those before it (154).
    change("Appointments__s", appointment, Rescheduled_From=moved, Appointment_Start_Time=in_hours(60))
    assert int(read("Appointments__s", appointment).get_key_value("Reschedule_Count")) == 2
    operations = history.RescheduleHistoryOperations()
    params = ParameterMap()
    params.add(history.GetAppointmentsRescheduledHistoryParam.fields, "Appointment_Name,Rescheduled_From,Rescheduled_To,Reschedule_Note")
    rows = sdk.body_of(operations.get_appointments_rescheduled_history(params), history.ResponseWrapper).get_data()
    [row] = [row for row in rows if int(row.get_appointment_name().get_id()) == appointment]
    assert row.get_rescheduled_from() == first and row.get_reschedule_note() == "ill"
    params = ParameterMap()
    params.add(history.GetAppointmentRescheduledHistoryParam.fields, "Reschedule_Note")
    [one] = sdk.body_of(operations.get_appointment_rescheduled_history(row.get_id(), params), history.ResponseWrapper).get_data()
    assert one.get_reschedule_note() == "ill"


def entry(appointment, me, note):
    one = history.RescheduleHistory()
    name = history.AppointmentName()
    name.set_id(appointment)
    name.set_name("Kim - Repair")
    one.set_appointment_name(name)
    person = history.User()
    person.set_id(me)
    one.set_rescheduled_by(person)
    one.set_rescheduled_time(in_hours(-1))
    one.set_rescheduled_from(in_hours(30))
    one.set_rescheduled_to(in_hours(40))
    one.set_reschedule_note(note)
    body = history.BodyWrapper()
    body.set_data([one])
    return body


def test_the_history_is_written_and_deleted(client, me, appointment):
    first = read("Appointments__s", appointment).get_key_value("Appointment_Start_Time")
    change("Appointments__s", appointment, Rescheduled_From=first, Appointment_Start_Time=in_hours(50))
    operations = history.RescheduleHistoryOperations()
    [added] = sdk.successes(operations.add_appointments_rescheduled_history(entry(appointment, me, "told later")), history.ActionWrapper)
    id = sdk.identity(added)
    sdk.successes(operations.update_appointment_rescheduled_history(id, entry(appointment, me, "told better")), history.ActionWrapper)
    params = ParameterMap()
    params.add(history.GetAppointmentRescheduledHistoryParam.fields, "Reschedule_Note")
    [one] = sdk.body_of(operations.get_appointment_rescheduled_history(id, params), history.ResponseWrapper).get_data()
    assert one.get_reschedule_note() == "told better"
    best = entry(appointment, me, "told best")
    best.get_data()[0].set_id(id)
    sdk.successes(operations.update_appointments_rescheduled_history(best), history.ActionWrapper)
    [one] = sdk.body_of(operations.get_appointment_rescheduled_history(id, params), history.ResponseWrapper).get_data()
    assert one.get_reschedule_note() == "told best"
    sdk.successes(operations.delete_appointments_rescheduled_history(id), history.ActionWrapper)
    assert sdk.body_of(operations.get_appointment_rescheduled_history(id, params), history.ResponseWrapper) is None


def test_an_appointment_is_deleted(client, appointment):
    remove("Appointments__s", appointment)


def accepted(response, wrapper):
    body = sdk.body_of(response, wrapper)
    item = body.get_service_preferences() if hasattr(body, "get_service_preferences") else body.get_appointment_preferences()
    assert type(item).__name__ == "SuccessResponse", sdk.text(item.get_message())


def test_preferences_are_read_and_changed(client):
    services = service_preference.ServicePreferenceOperations()
    wanted = service_preference.ServicePreference()
    wanted.set_job_sheet_enabled(True)
    body = service_preference.BodyWrapper()
    body.set_service_preferences(wanted)
    accepted(services.update_service_preference(body), service_preference.ActionWrapper)
    shown = sdk.body_of(services.get_service_preference(), service_preference.ResponseWrapper).get_service_preferences()
    assert shown.get_job_sheet_enabled() is True

    appointments = appointment_preference.AppointmentPreferenceOperations()
    wanted = appointment_preference.AppointmentPreference()
    wanted.set_allow_booking_outside_service_availability(True)
    wanted.set_allow_booking_outside_businesshours(True)
    body = appointment_preference.BodyWrapper()
    body.set_appointment_preferences(wanted)
    accepted(appointments.update_appointment_preference(body), appointment_preference.ActionWrapper)
    shown = sdk.body_of(appointments.get_appointment_preference(), appointment_preference.ResponseWrapper).get_appointment_preferences()
    assert shown.get_allow_booking_outside_businesshours() is True
