"""Fiscal year, business hours and holidays through the vendor's official Python client, unmodified."""

import datetime

import dateutil.tz
import sdk
from operations import Area
from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import business_hours as hours_api
from zohocrmsdk.src.com.zoho.crm.api import fiscal_year as year_api
from zohocrmsdk.src.com.zoho.crm.api import holidays as holiday_api
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


def filled(kind, **values):
    one = kind()
    for name, value in values.items():
        getattr(one, f"set_{name}")(value)
    return one


def test_fiscal_year(client):
    api = year_api.FiscalYearOperations()
    year = sdk.body_of(api.get_fiscal_year(), year_api.ResponseWrapper).get_fiscal_year()
    assert year.get_start_month().get_value() == "January"
    wish = filled(year_api.Year, start_month=Choice("April"), display_based_on=Choice("end_month"))
    answer = sdk.body_of(api.update_fiscal_year(filled(year_api.BodyWrapper, fiscal_year=wish)), year_api.ActionWrapper)
    assert answer.get_fiscal_year().get_status().get_value() == "success"
    assert sdk.body_of(api.get_fiscal_year(), year_api.ResponseWrapper).get_fiscal_year().get_start_month().get_value() == "April"


def test_business_hours(client):
    hours = hours_api.BusinessHoursOperations(None)
    days = [Choice(day) for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")]
    wish = filled(
        hours_api.BusinessHours,
        type=Choice("custom"),
        week_starts_on=Choice("Monday"),
        business_days=days,
        same_as_everyday=True,
        daily_timing=["09:00", "18:00"],
    )
    made = sdk.body_of(hours.create_business_hours(filled(hours_api.BodyWrapper, business_hours=wish)), hours_api.ActionWrapper)
    assert made.get_business_hours().get_code().get_value() == "SUCCESS"
    shown = sdk.body_of(hours.get_business_hours(), hours_api.ResponseWrapper).get_business_hours()
    assert shown.get_daily_timing() == ["09:00", "18:00"]


def test_holidays(client):
    api = holiday_api.HolidaysOperations(None)
    body = filled(
        holiday_api.CreateBusinessHoliday,
        holidays=[filled(holiday_api.BusinessHoliday, name="Feast", date=datetime.date(2031, 1, 6), type="business_holiday")],
    )
    (made,) = sdk.successes(api.create_holidays(body), holiday_api.ActionWrapper, holiday_api.ActionWrapper.get_holidays)
    identity = sdk.identity(made)
    listed = sdk.body_of(api.get_holidays(ParameterMap()), holiday_api.ResponseWrapper)
    assert [day.get_name() for day in listed.get_holidays()] == ["Feast"]
    assert listed.get_info().get_count() == 1
    moved = filled(
        holiday_api.Holidays, holidays=[filled(holiday_api.Holiday, name="Feast", date=datetime.date(2031, 1, 7))]
    )
    sdk.successes(api.update_holiday(identity, moved), holiday_api.ActionWrapper, holiday_api.ActionWrapper.get_holidays)
    sdk.successes(api.delete_holiday(identity), holiday_api.ActionWrapper, holiday_api.ActionWrapper.get_holidays)


def test_hours_and_holidays_are_changed(client):
    hours, key = Area("business_hours", None), "business_hours"
    (days, each) = (["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"], ["08:00", "17:30"])
    now = hours.call("get_business_hours")[key]
    wish = {"id": now["id"], "type": "custom", "week_starts_on": "Monday", "business_days": [Choice(day) for day in days]}
    hours.call("update_business_hours", {key: wish | {"same_as_everyday": True, "daily_timing": each}})
    assert hours.call("get_business_hours")[key]["daily_timing"] == each

    holidays, day = Area("holidays", None), datetime.date(2032, 5, 1)
    feast = filled(holiday_api.BusinessHoliday, name="May", date=day, type="business_holiday")
    made = holidays.call("create_holidays", filled(holiday_api.CreateBusinessHoliday, holidays=[feast]))
    id = int(made["holidays"][0]["details"]["id"])
    moved = filled(holiday_api.Holiday, id=id, name="Day of work", date=day, type="business_holiday")
    holidays.call("update_holidays", filled(holiday_api.Holidays, holidays=[moved]))
    (found,) = holidays.call("get_holiday", id)["holidays"]
    assert (found["name"], found["date"]) == ("Day of work", day)
    holidays.call("delete_holiday", id)


def test_shifts(client, rest):
    me = int(rest.get("users?type=CurrentUser").item("users")["id"])
    shifts, key = Area("shift_hours", None), "shift_hours"
    ten, five = datetime.time(10, 0), datetime.time(17, 0)
    wish = {
        "name": "Day",
        "timezone": "Europe/Berlin",
        "shift_days": ["Monday", "Tuesday"],
        "same_as_everyday": True,
        "daily_timing": [ten, five],
        "users": [{"id": me, "effective_from": datetime.date(2032, 1, 1)}],
    }
    id = int(shifts.call("create_shifts_hours", {key: [wish]})[key][0]["details"]["id"])
    assert rest.get(f"settings/business_hours/shift_hours/{id}").item(key)["daily_timing"] == ["10:00", "17:00"]
    shifts.call("update_shift_hour", id, {key: [{"name": "Morning"}]})
    shifts.call("update_shift_hours", {key: [{"id": id, "shift_days": ["Monday"]}]})
    assert id in [one["id"] for one in shifts.call("get_shift_hours")[key]]
    (found,) = shifts.call("get_shift_hour", id)[key]
    assert (found["name"], found["shift_days"], found["users_count"]) == ("Morning", ["Monday"], 1)
    shifts.call("delete_shift_hour", id)
    assert shifts.call("get_shift_hours") is None
