"""Conversions of leads and inventory documents through the official client: directory rows 135 to 141.

The client refuses to send the id of an account or a contact without the mandatory keys of a deal; those are tested in process.
"""

import time
from datetime import date

import pytest
import sdk
from zohocrmsdk.src.com.zoho.crm.api import conversion_option as options_api
from zohocrmsdk.src.com.zoho.crm.api import convert_lead as leads_api
from zohocrmsdk.src.com.zoho.crm.api import inventory_convert as documents_api
from zohocrmsdk.src.com.zoho.crm.api import inventory_mass_convert as mass_documents_api
from zohocrmsdk.src.com.zoho.crm.api import mass_convert as mass_leads_api
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import users as user_api
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


def deal():
    return sdk.record(
        Deal_Name="A deal", Closing_Date=date(2030, 6, 30), Stage=Choice("Qualification"), Pipeline=Choice("Standard (Standard)")
    )


def convert(lead, **values):
    item = leads_api.LeadConverter()
    for name, value in values.items():
        getattr(item, f"set_{name}")(value)
    body = leads_api.BodyWrapper()
    body.set_data([item])
    return leads_api.ConvertLeadOperations(lead).convert_lead(body)


def converted(response):
    """The id of what was made or taken, by module."""
    (one,) = sdk.successes(response, leads_api.ActionWrapper)
    return {module: made and made.get_id() for module, made in one.get_details().items()}


def current_user():
    query = sdk.params({user_api.GetUsersParam.type: Choice("CurrentUser")})
    return sdk.body_of(user_api.UsersOperations().get_users(query, HeaderMap()), user_api.ResponseWrapper).get_users()[0].get_id()


def wait(status, done):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job = status()
        if done(job):
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def quote(subject):
    (product,) = sdk.create("Products", [sdk.record(Product_Name=f"{subject} product")])
    item = records.LineItemProduct()
    item.set_id(product)
    line = sdk.record(Product_Name=item, Quantity=2.0, List_Price=10.0)
    return sdk.create("Quotes", [sdk.record(Subject=subject, Quoted_Items=[line])])[0]


def test_a_lead_is_converted(client):
    (lead,) = sdk.create("Leads", [sdk.record(Last_Name="Kim", Company="Converted Ltd", Email="kim@converted.example")])
    moved = leads_api.MoveAttachmentsTo()
    moved.set_api_name("Deals")
    made = converted(convert(lead, overwrite=False, notify_lead_owner=False, deals=deal(), move_attachments_to=moved))
    contact = sdk.get("Contacts", made["Contacts"])
    assert contact.get_key_value("Last_Name") == "Kim"
    assert contact.get_key_value("Account_Name").get_id() == made["Accounts"]
    assert sdk.get("Deals", made["Deals"]).get_key_value("Contact_Name").get_id() == made["Contacts"]
    found, _ = sdk.page("Leads", ["Last_Name", "Converted__s"], converted="true")
    assert lead in [one.get_id() for one in found]
    assert sdk.get("Leads", lead).get_key_value("Converted__s") is True
    with pytest.raises(sdk.ApiError) as again:
        converted(convert(lead))
    assert again.value.code == "ID_ALREADY_CONVERTED" and again.value.status == 400


def test_the_options_of_a_lead(client):
    def options(lead):
        response = options_api.ConversionOptionOperations(lead).lead_conversion_options()
        return sdk.body_of(response, options_api.ResponseWrapper)

    (lone, lead) = sdk.create("Leads", [sdk.record(Last_Name="Lone Leader"), sdk.record(Last_Name="Else", Company="Optional Ltd")])
    assert options(lone) is None
    (account,) = sdk.create("Accounts", [sdk.record(Account_Name="Optional Ltd")])
    found = options(lead).get_conversionoptions()
    assert found.get_module_preference().get_api_name() == "Accounts"
    assert [one.get_id() for one in found.get_accounts()] == [account]
    (reason,) = found.get_preference_field_matched_value().get_accounts()
    assert (reason.get_field().get_api_name(), reason.get_matched_lead_value()) == ("Account_Name", "Optional Ltd")


def test_many_leads_are_converted(client):
    leads = sdk.create("Leads", [sdk.record(Last_Name=f"Many {n}", Company=f"Many {n} Ltd") for n in range(3)])
    body = mass_leads_api.BodyWrapper()
    body.set_ids(leads)
    owner = mass_leads_api.AssignTo()
    owner.set_id(current_user())
    body.set_assign_to(owner)
    body.set_deals(deal())
    operations = mass_leads_api.MassConvertOperations()
    started = sdk.body_of(operations.mass_convert(body), mass_leads_api.SuccessResponse)
    assert sdk.text(started.get_code()) == "SCHEDULED"
    query = sdk.params({mass_leads_api.GetJobStatusParam.job_id: int(started.get_details()["job_id"])})

    def status():
        return sdk.body_of(operations.get_job_status(query), mass_leads_api.ResponseWrapper).get_data()[0]

    job = wait(status, lambda job: job.get_status() == "COMPLETED")
    assert (job.get_total_count(), job.get_converted_count(), job.get_failed_count(), job.get_not_converted_count()) == (3, 3, 0, 0)


def test_a_quote_is_converted(client):
    target, module = documents_api.ConvertTo(), documents_api.Module()
    module.set_api_name("Sales_Orders")
    target.set_module(module)
    item = documents_api.InventoryConverter()
    item.set_convert_to([target])
    body = documents_api.BodyWrapper()
    body.set_data([item])
    id = quote("A quote")
    operations = documents_api.InventoryConvertOperations(id, "Quotes")
    (one,) = sdk.successes(operations.convert_inventory(body), documents_api.ActionWrapper)
    order = sdk.get("Sales_Orders", one.get_details()["Sales_Orders"].get_id())
    assert order.get_key_value("Subject") == "A quote"
    assert order.get_key_value("Quote_Name").get_id() == id
    assert order.get_key_value("Grand_Total") == 20.0
    with pytest.raises(sdk.ApiError) as again:
        sdk.successes(operations.convert_inventory(body), documents_api.ActionWrapper)
    assert again.value.code == "ID_ALREADY_CONVERTED"


def test_many_quotes_are_converted(client):
    target, module = mass_documents_api.ConvertTo(), mass_documents_api.Module()
    module.set_api_name("Invoices")
    target.set_module(module)
    target.set_carry_over_tags(True)
    body = mass_documents_api.BodyWrapper()
    body.set_convert_to([target])
    body.set_ids([quote("First of many"), quote("Second of many")])
    operations = mass_documents_api.InventoryMassConvertOperations("Quotes")
    started = sdk.body_of(operations.mass_inventory_convert(body), mass_documents_api.SuccessResponse)
    query = sdk.params({mass_documents_api.GetScheduledJobsDetailsParam.job_id: int(started.get_details()["job_id"])})

    def status():
        return sdk.body_of(operations.get_scheduled_jobs_details(query), mass_documents_api.ResponseWrapper).get_data()[0]

    job = wait(status, lambda job: job.get_status() == "COMPLETED")
    assert (job.get_total_count(), job.get_converted_count(), job.get_failed_count()) == (2, 2, 0)
