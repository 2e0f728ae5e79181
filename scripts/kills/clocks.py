"""What waits for its time: appointments, blueprints, cadences, what recurs."""

import datetime

from kills.round import insist, kills


def numbers(rows, key):
    """How many rows there are of each record that `key` points at."""
    counts = {}
    for row in rows:
        id = row[key]["id"]
        counts[id] = counts.get(id, 0) + 1
    return counts


@kills("recurrence")
def recurrence(round):
    task = {"Subject": "Daily", "Due_Date": "2090-01-01", "Recurring_Activity": {"RRULE": "FREQ=DAILY"}}
    round.rest.create("Tasks", [task])
    round.kill_until_done()
    days = [row["Due_Date"] for row in round.every("Tasks", "Due_Date")]
    insist(len(days) == len(set(days)) == 101, f"{len(days)} tasks on {len(set(days))} days, not one on each of 101")


@kills("appointment_clock")
def appointments_end(round):
    count = 100
    (account,) = round.rest.create("Accounts", [{"Account_Name": "Acme"}])
    (contact,) = round.rest.create("Contacts", [{"Last_Name": "Kim"}])
    layout = round.first("settings/layouts", "layouts", module="Deals")
    values = [
        ("Deal_Name", "merge_field", "${!Appointments__s.Appointment_Name}"), ("Stage", "static", "Closed Won"),
        ("Account_Name", "static", {"name": "Acme", "id": account}), ("Owner", "merge_field", "${Appointments__s.Owner}"),
        ("Pipeline", "static", {"name": "Standard (Standard)", "id": "1"}),
    ]  # fmt: skip
    mappings = [{"field": {"api_name": name}, "type": type, "value": value} for name, type, value in values]
    wishes = {
        "when_duration_exceeds": "mark_as_complete", "when_appointment_completed": "create_deal",
        "deal_record_configuration": {"layout": {"id": layout["id"], "name": layout["name"]}, "field_mappings": mappings},
    }  # fmt: skip
    round.answered(round.rest.put("settings/appointment_preferences", {"appointment_preferences": wishes}))
    service = {
        "Service_Name": "Repair", "Duration": 60, "Location": "Client Address", "Price": 230.66,
        "Availability_Type": "Every Business Days", "Members": [{"Members": {"id": round.person["id"]}}],
    }  # fmt: skip
    (service,) = round.rest.create("Services__s", [service])
    start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, second=0)
    appointments = [
        {
            "Appointment_Name": f"Visit {n}", "Service_Name": {"id": service}, "Owner": round.person["id"], "Location": "Client Address",
            "Appointment_For": {"module": {"api_name": "Contacts"}, "id": contact, "name": "Kim"}, "Address": "7 Jackson Street",
            "Appointment_Start_Time": (start + datetime.timedelta(hours=30 + 2 * n)).isoformat(),
        }
        for n in range(count)
    ]  # fmt: skip
    ids = round.rest.create("Appointments__s", appointments)
    # Days go by while the server is down: what is kept moves back instead.
    days = 40 * 86_400_000
    round.put_back(
        f"UPDATE m_appointments_s SET appointment_start_time = appointment_start_time - {days}, appointment_end_time = appointment_end_time - {days}",
        f"UPDATE sys_job SET run_at = run_at - {days} WHERE kind = 'appointment_clock'",
    )
    round.kill_until_done(longest=0.4)
    rows = round.every("Appointments__s", "Status")
    insist({row["id"] for row in rows} == set(ids) and {row["Status"] for row in rows} == {"Completed"}, "some are not over")
    deals = sorted(row["Deal_Name"] for row in round.every("Deals", "Deal_Name"))
    insist(deals == sorted(f"Visit {n}" for n in range(count)), f"{len(deals)} deals for {count} appointments")


@kills("blueprint_clock")
def blueprint_moves_on(round):
    count = 100
    layout = round.first("settings/layouts", "layouts", module="Leads")["id"]
    actions = [{"type": "task", "task": {"Subject": "Call again"}}, {"type": "field_update", "field": {"api_name": "City"}, "value": "Ulm"}]
    step = {"name": "Go on", "type": "automatic", "from": ["Not Contacted"], "to": "Contacted", "actions": actions}
    step["execute_after"] = {"unit": 1, "period": "minutes"}
    body = {
        "name": "Nurture", "module": {"api_name": "Leads"}, "layout": {"id": layout}, "field": {"api_name": "Lead_Status"},
        "criteria": {"field": {"api_name": "Company"}, "comparator": "equal", "value": "Acme"}, "transitions": [step],
    }  # fmt: skip
    round.made("blueprints", "settings/automation/blueprints", body)
    leads = [{"Last_Name": f"Lead {n}", "Company": "Acme", "Lead_Status": "Not Contacted"} for n in range(count)]
    ids = round.rest.create("Leads", leads)
    round.put_back("UPDATE sys_job SET run_at = run_at - 60000 WHERE kind = 'blueprint_clock'")
    round.kill_until_done(longest=0.4)
    rows = round.every("Leads", "Lead_Status", "City")
    insist({(row["Lead_Status"], row["City"]) for row in rows} == {("Contacted", "Ulm")}, "some did not go on")
    tasks = numbers(round.every("Tasks", "What_Id"), "What_Id")
    insist(tasks == dict.fromkeys(ids, 1), f"{sum(tasks.values())} tasks for {count} leads")


def cadence(round, **more):
    now = {"unit": 0, "period": "minutes"}
    steps = [
        {"type": "email", "delay": now, "subject": "Hello", "content": "Dear ${!Contacts.Last_Name}"},
        {"type": "task", "delay": now, "task": {"Subject": "Ring up"}},
        {"type": "call", "delay": now, "call": {"Subject": "Talk"}},
    ]
    body = {"name": "Follow up", "module": {"api_name": "Contacts"}, "follow_ups": steps, **more}
    return round.made("cadences", "settings/automation/cadences", body)


def each_step_once(round, ids):
    for module in ("Tasks", "Calls"):
        found = numbers(round.every(module, "Who_Id"), "Who_Id")
        insist(found == dict.fromkeys(ids, 1), f"{sum(found.values())} {module} for {len(ids)} contacts")
    mails = sorted(mail["to"] for mail in round.numbered("__mails", "mails"))
    insist(mails == sorted(f"contact{n}@x.example" for n in range(len(ids))), f"{len(mails)} mails for {len(ids)} contacts")


@kills("cadence_step", "mail")
def cadence_steps(round):
    id = cadence(round)
    ids = round.rest.create("Contacts", [{"Last_Name": "Kim", "Email": f"contact{n}@x.example"} for n in range(100)])
    round.answered(round.rest.post("Contacts/actions/enrol_in_cadences", {"cadences_ids": [id], "ids": ids}))
    round.kill_until_done(longest=0.5)
    each_step_once(round, ids)


@kills("cadence_view", "cadence_step", "mail")
def cadence_of_a_view(round):
    count = min(round.rows, 450)  # a batch is two hundred
    round.send([["Last_Name", "Email"], *[["Kim", f"contact{n}@x.example"] for n in range(count)]], "Contacts", settle=True)
    ids = [row["id"] for row in round.every("Contacts")]
    cadence(round, type="Custom view", custom_view={"id": round.view("Contacts")})
    # The next look at the view waits for an hour.
    round.kill_until_done(longest=0.3, later=600)
    each_step_once(round, ids)
    open = [job for job in round.unfinished() if job["kind"] == "cadence_view"]
    insist(len(open) == 1, f"{len(open)} jobs wait to look at the view again")
