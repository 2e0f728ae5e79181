"""Mails, portals, notifications: who is told, and how often."""

import asyncio
import datetime
import time
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from kills.round import insist, kills
from receiver import Receiver
from tributary_server import free_port


@kills()
def notifications(round):
    heard = Receiver()
    try:
        watch = {"channel_id": "7", "events": ["Leads.create"], "notify_url": heard.url(), "token": "t"}
        round.answered(round.rest.post("actions/watch", {"watch": [watch]}))
        round.send([["Last_Name", "Company"], *[[f"Lead {n}", "C"] for n in range(round.rows)]])

        def told():
            return {id for body in heard.bodies() for id in body["ids"]}

        round.kill_until_done(lambda: len(told()) == round.rows)
        ids = {row["id"] for row in round.every()}
        insist(len(ids) == round.rows, "rows are lost or doubled")
        deadline = time.monotonic() + 120
        while told() != ids:
            insist(time.monotonic() < deadline, f"{len(ids - told())} records were not told of")
            time.sleep(0.05)
    finally:
        heard.close()


def with_mail_server(folder):
    (folder / "smtp").write_text(str(free_port()))
    return ["--smtp", f"smtp://127.0.0.1:{(folder / 'smtp').read_text()}", "--mail-from", "crm@acme.example"]


@contextmanager
def letterbox(folder):
    """A mail server that takes its time; receivers and names of the mails it took."""
    taken = []

    class Inbox:
        async def handle_DATA(self, server, session, envelope):
            await asyncio.sleep(0.002)
            name = message_from_bytes(envelope.content, policy=policy.default)["Message-ID"]
            taken.extend((receiver, name) for receiver in envelope.rcpt_tos)
            return "250 kept"

    controller = Controller(Inbox(), hostname="127.0.0.1", port=int((folder / "smtp").read_text()))
    controller.start()
    try:
        yield taken
    finally:
        controller.stop()


@kills("mail", options=with_mail_server)
def mails(round):
    """At least once: what went and was not noted goes again. So at most one mail too many for each kill."""
    groups = {name: [f"{name}{n}@x.example" for n in range(50)] for name in ("now", "later", "meeting")}
    people = {name: [{"email": address} for address in group] for name, group in groups.items()}
    with letterbox(round.store.folder) as taken:
        (lead,) = round.rest.create("Leads", [{"Last_Name": "Kim", "Email": "kim@x.example"}])
        times = {"Start_DateTime": "2090-01-01T10:00:00Z", "End_DateTime": "2090-01-01T11:00:00Z"}
        guests = [{"type": "email", "participant": address} for address in groups["meeting"]]
        (event,) = round.rest.create("Events", [{"Event_Title": "Fair", "Participants": guests, **times}])
        mail = {"from": {"email": round.person["email"]}, "subject": "Hi", "content": "x"}
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)).isoformat()
        sent = [
            round.rest.post(f"Leads/{lead}/actions/send_mail", {"data": [mail | {"to": people["later"], "scheduled_time": soon}]}),
            round.rest.post(f"Leads/{lead}/actions/send_mail", {"data": [mail | {"to": people["now"]}]}),
            round.rest.post(f"Events/{event}/actions/cancel", {"data": [{"send_cancelling_mail": True}]}),
        ]
        for answer in sent:
            round.answered(answer)
        round.kill_until_done(longest=0.5)
        wanted = sum(groups.values(), [])
        got = [receiver for receiver, _ in taken]
        insist(set(got) == set(wanted), f"{len(set(wanted) - set(got))} of {len(wanted)} got no mail")
        insist(len(got) - len(wanted) <= round.kills, f"{len(got) - len(wanted)} mails too many after {round.kills} kills")
        insist(len(set(taken)) == len(wanted), "a mail that went again is not the same mail")
        states = {mail["state"] for mail in round.numbered("__mails", "mails")}
        insist(states == {"sent"}, f"mails are said to be {states}")
        for answer in sent[:2]:
            message = answer.item()["details"]["message_id"]
            status = round.first(f"Leads/{lead}/Emails/{message}", "Emails")["status"]
            insist([one["type"] for one in status] == ["sent"], f"the record says {status}")


class Portal:
    """A portal with a type of users, and contacts to invite."""

    def __init__(self, round, count):
        self.round = round
        round.answered(round.rest.post("settings/portals", {"portals": [{"name": "clientdesk"}]}))
        modules = {one["api_name"]: one["id"] for one in round.answered(round.rest.get("settings/modules"))["modules"]}
        layout = round.first("settings/layouts", "layouts", module="Contacts")["id"]
        shared = {
            "id": modules["Contacts"], "layouts": [{"id": layout}], "permissions": {"view": True}, "shared_type": "private",
            "views": {"id": round.view("Contacts"), "type": "custom_view"}, "fields": [],
        }  # fmt: skip
        notes = {"id": modules["Notes"], "permissions": {"view": True}, "shared_type": "private"}
        body = {"name": "Vendor", "personality_module": {"api_name": "Contacts"}, "active": True, "modules": [shared, notes]}
        self.type = round.made("user_type", "settings/portals/clientdesk/user_type", body)
        self.path = f"settings/portals/clientdesk/user_type/{self.type}/users"
        rows = [[f"Contact {n}", f"contact{n}@x.example"] for n in range(count)]
        round.send([["Last_Name", "Email"], *rows], "Contacts", settle=True)
        self.contacts = [row["id"] for row in round.every("Contacts")]

    def invite(self, ids):
        items = [{"id": id, "user_type_id": self.type, "type": "invite"} for id in ids]
        body = {"portal_invite": [{"data": items}]}
        self.round.answered(self.round.rest.post("Contacts/actions/portal_invite", body))

    def users(self):
        return sorted(user["personality_id"] for user in self.round.numbered(self.path, "users", type="AllUsers"))


@kills("portal_invite", "mail")
def portal_invitations(round):
    portal = Portal(round, 100)
    portal.invite(portal.contacts)
    round.kill_until_done(longest=0.3)
    insist(portal.users() == sorted(portal.contacts), "some are not invited")
    results = round.first("Contacts/actions/portal_invite", "portal_invite")
    insist(results["status"] == "completed" and len(results["data"]) == 100, f"the job says {results}"[:500])
    insist({item["code"] for item in results["data"]} == {"SUCCESS"}, f"the job says {results}"[:500])
    addresses = sorted(mail["to"] for mail in round.numbered("__mails", "mails"))
    insist(addresses == sorted(f"contact{n}@x.example" for n in range(100)), f"{len(addresses)} mails, not one for each of 100")


@kills("portal_user_delete", "portal_invite")
def portal_users_leave(round):
    portal = Portal(round, 600)
    for start in range(0, 600, 100):
        portal.invite(portal.contacts[start : start + 100])
    round.settle()
    insist(portal.users() == sorted(portal.contacts), "some are not invited")
    round.answered(round.rest.delete(portal.path, params={"personality_ids": ",".join(portal.contacts[:550])}))
    round.kill_until_done(longest=0.05)
    insist(portal.users() == sorted(portal.contacts[550:]), f"{len(portal.users())} are left, not the last 50")
    insist(len(round.every("Contacts")) == 600, "contacts went with their access")
    [(count,)] = round.ask("SELECT done FROM sys_job WHERE kind = 'portal_user_delete'")
    insist(int(count) == 550, f"the job says that it took out {count}")
