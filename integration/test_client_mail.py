"""Mails, templates and links to unsubscribe by (59–63, 73, 74, 225–232): each operation of the vendor's client, with its effect."""

import datetime

import pytest
import requests
from operations import Area
from rest import Rest
from sdk import ApiError

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00"


@pytest.fixture(scope="module")
def post(client):
    """A lead with an address, and who writes to it."""
    rest = Rest(client.base, client.access_token)
    me = rest.get("users?type=CurrentUser").item("users")
    (lead,) = rest.create("Leads", [{"Last_Name": "Kim", "Email": "kim@acme.example"}])
    return rest, me, int(lead)


def uploaded(rest, name, content):
    answer = requests.post(
        f"{rest.base}/crm/v7/files",
        files={"file": (name, content)},
        headers={"Authorization": f"Zoho-oauthtoken {rest.token}"},
        timeout=30,
    )
    return answer.json()["data"][0]["details"]["id"]


def test_a_mail_is_sent_and_read_through_the_client(post):
    rest, me, lead = post
    (sender, *_) = Area("from_addresses").call("get_from_addresses")["from_addresses"]
    assert sender["email"] == me["email"] and sender["type"] == "primary"
    file = uploaded(rest, "a.txt", b"abc")
    mail = {
        "from": {"user_name": "Ada", "email": me["email"]},
        "to": [{"user_name": "Kim", "email": "kim@acme.example"}],
        "subject": "Hello ${Leads.Last_Name}",
        "content": "<p>Hi</p>",
        "mail_format": "html",
        "attachments": [{"id": file}],
    }
    (sent,) = Area("send_mail", lead, "Leads").call("send_mail", {"data": [mail]})["data"]
    message = sent["details"]["message_id"]
    emails = Area("email_related_records", lead, "Leads")
    listed = emails.call("get_emails_related_records")
    assert listed["emails"][0]["message_id"] == message and listed["emails"][0]["subject"] == "Hello Kim"
    assert listed["info"]["per_page"] == 10 and listed["info"]["more_records"] is False
    (whole,) = emails.call("get_emails_related_record", message)["emails"]
    assert whole["content"] == "<p>Hi</p>" and whole["attachments"][0]["name"] == "a.txt"
    files = Area("download_attachments")
    query = {"message_id": message, "user_id": int(me["id"]), "id": file, "name": "a.txt"}
    body = files.answer("get_download_attachments_details", lead, "Leads", query=query)
    assert body.get_file().get_stream().content == b"abc"
    with pytest.raises(ApiError) as refused:
        Area("send_mail", lead, "Leads").call("send_mail", {"data": [mail | {"from": {"email": "other@x.example"}}]})
    assert refused.value.code == "INVALID_DATA"


def test_a_mail_from_elsewhere_is_associated_through_the_client(post):
    rest, me, lead = post
    image = uploaded(rest, "dot.gif", GIF)
    mail = {
        "from": {"user_name": "Kim", "email": "kim@acme.example"},
        "to": [{"user_name": "Ada", "email": me["email"]}],
        "subject": "Question",
        "content": f'<img src="crm/img_id:{image}">',
        "date_time": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        "sent": False,
        "original_message_id": "<1@acme.example>",
    }
    area = Area("associate_email")
    (added,) = area.call("associate", lead, "Leads", {"Emails": [mail]})["emails"]
    message = added["details"]["message_id"]
    with pytest.raises(ApiError) as refused:
        area.call("associate", lead, "Leads", {"Emails": [mail]})
    assert refused.value.code in ("DUPLICATE_DATA", None)
    query = {"message_id": message, "user_id": int(me["id"]), "id": image}
    body = Area("download_inline_images").answer("get_download_inline_images", lead, "Leads", query=query)
    assert body.get_file().get_stream().content == GIF
    shared = Area("email_sharing_details", lead, "Leads").call("get_email_sharing_details")
    ((details,),) = shared.values()
    assert details["share_from_users"][0]["id"] == int(me["id"]) and "all_emails" in details["available_types"]


def test_an_address_that_is_not_blocked_cannot_be_unblocked_through_the_client(post):
    _, _, lead = post
    area = Area("unblock_email", "Leads")
    for operation, arguments in [
        ("unblock_email", [lead, {"unblock_fields": ["Email"]}]),
        ("unblock_emails", [{"unblock_fields": ["Email"], "ids": [str(lead)]}]),
    ]:
        # The client knows no refusals of items here, and takes them for what it knows.
        (refused,) = area.call(operation, *arguments)["data"]
        assert refused["code"] == "NOT_ALLOWED" and refused["message"] == "Email is already unblocked"


def test_templates_are_read_through_the_client(post):
    rest, me, lead = post
    for package, listing, one, module in [
        ("email_templates", "get_email_templates", "get_email_template", "Leads"),
        ("inventory_templates", "get_inventory_templates", "get_inventory_template", "Quotes"),
    ]:
        item = {"name": "News", "module": {"api_name": module}, "content": "<p>${Leads.Last_Name}</p>"}
        answer = rest.post(f"settings/{package}", {package: [item]})
        assert answer.status == 201, answer.text
        made = int(answer.body[package][0]["details"]["id"])
        (shown,) = Area(package).call(listing, query={"module": module})[package]
        assert shown["id"] == made and shown["module"]["api_name"] == module and "content" not in shown
        (whole,) = Area(package).call(one, made)[package]
        assert whole["content"] == item["content"]


def test_links_to_unsubscribe_by_are_kept_through_the_client(post):
    rest, *_ = post
    area = Area("unsubscribe_links")
    link = {
        "name": "Letters",
        "page_type": "standard",
        "standard_page_message": "Really?",
        "submission_action_type": "display_message",
        "submission_message": "Bye",
    }
    (made,) = area.call("create_unsubscribe_link", {"unsubscribe_links": [link]})["unsubscribe_links"]
    one = int(made["details"]["id"])
    area.call("update_unsubscribe_link", one, {"unsubscribe_links": [link | {"name": "News"}]})
    assert area.call("get_unsubscribe_link", one)["unsubscribe_links"][0]["name"] == "News"
    assert [shown["id"] for shown in area.call("get_unsubscribe_links")["unsubscribe_links"]] == [one]
    template = {"name": "L", "module": {"api_name": "Contacts"}, "content": "${Unsubscribe_Link.News}"}
    answer = rest.post("settings/email_templates", {"email_templates": [template]})
    (place,) = area.call("get_associated_unsubscribe_links")["associations"]
    assert place["id"] == one and place["associated_places"][0]["resource"]["name"] == "L"
    template = answer.body["email_templates"][0]["details"]["id"]
    assert rest.delete(f"settings/email_templates/{template}").status == 200
    area.call("delete_unsubscribe_link", one)
    assert area.call("get_unsubscribe_links") is None
