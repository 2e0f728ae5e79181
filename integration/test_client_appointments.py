"""Services, appointments and their history (142–157): each operation of the vendor's client, with its effect."""

import datetime

import pytest
import sdk
from operations import Area


def moment(minutes):
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    return now + datetime.timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def booking(client):
    """A service and an appointment for it that has been moved once, by HTTP."""
    from rest import Rest

    rest = Rest(client.base, client.access_token)
    me = rest.get("users?type=CurrentUser").item("users")["id"]
    (contact,) = rest.create("Contacts", [{"Last_Name": "Kim"}])
    anytime = {"allow_booking_outside_businesshours": True, "allow_booking_outside_service_availability": True}
    assert rest.put("settings/appointment_preferences", {"appointment_preferences": anytime}).status == 200
    (service,) = rest.create(
        "Services__s",
        [
            {
                "Service_Name": "Repair",
                "Duration": 60,
                "Price": 20,
                "Location": "Client Address",
                "Availability_Type": "Every Business Days",
                "Members": [{"Members": {"id": me}}],
            }
        ],
    )
    (appointment,) = rest.create(
        "Appointments__s",
        [
            {
                "Appointment_Name": "Kim - Repair",
                "Service_Name": {"id": service},
                "Owner": me,
                "Appointment_For": {"module": {"api_name": "Contacts"}, "id": contact, "name": "Kim"},
                "Location": "Client Address",
                "Address": "7 Jackson Street",
                "Appointment_Start_Time": moment(600).isoformat(),
            }
        ],
    )
    return rest, int(me), int(service), int(appointment)


def test_services_and_appointments_are_read_through_the_client(booking):
    _, _, service, appointment = booking
    assert sdk.get("Services__s", service).get_key_value("Service_Name") == "Repair"
    assert sdk.get("Appointments__s", appointment).get_key_value("Service_Name").get_id() == service


def test_preferences_are_read_and_written(client):
    services, appointments = Area("service_preference"), Area("appointment_preference")
    # Appointments show a job sheet only where services may have one.
    for wanted in (True, False):
        services.call("update_service_preference", {"service_preferences": {"job_sheet_enabled": True}})
        appointments.call("update_appointment_preference", {"appointment_preferences": {"show_job_sheet": wanted}})
        shown = appointments.call("get_appointment_preference")["appointment_preferences"]
        assert shown["show_job_sheet"] is wanted
        services.call("update_service_preference", {"service_preferences": {"job_sheet_enabled": wanted}})
        assert services.call("get_service_preference")["service_preferences"]["job_sheet_enabled"] is wanted


def test_an_appointment_keeps_its_moves(booking):
    rest, me, _, appointment = booking
    moved = {"Appointment_Start_Time": moment(700).isoformat(), "Reschedule_Reason": "By Customer"}
    answer = rest.put(f"Appointments__s/{appointment}", {"data": [moved]})
    assert answer.status == 200, answer.text

    area = Area("reschedule_history")
    row = {
        "Appointment_Name": {"id": appointment, "name": "Kim - Repair"},
        "Rescheduled_Time": moment(-60),
        "Rescheduled_From": moment(600),
        "Rescheduled_To": moment(700),
        "Rescheduled_By": {"id": me, "name": "Ada"},
    }
    id = int(area.call("add_appointments_rescheduled_history", {"data": [row]})["data"][0]["details"]["id"])
    area.call("update_appointment_rescheduled_history", id, {"data": [{"Reschedule_Note": "one"}]})
    assert area.call("get_appointment_rescheduled_history", id, query={"fields": "Reschedule_Note"})["data"][0]["reschedule_note"] == "one"
    area.call("update_appointments_rescheduled_history", {"data": [{"id": id, "Reschedule_Note": "two"}]})
    listed = area.call("get_appointments_rescheduled_history", query={"fields": "Reschedule_Note"})["data"]
    assert {one["id"]: one.get("reschedule_note") for one in listed}[id] == "two"
    area.call("delete_appointments_rescheduled_history", id)
    assert area.call("get_appointments_rescheduled_history", query={"fields": "Reschedule_Note"}) is None
