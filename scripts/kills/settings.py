"""What a change of settings sets going in the records there are."""

import random
import subprocess

from kills.round import insist, kills
from tributary_server import binary


def leaf(field, comparator, value):
    return {"field": {"api_name": field}, "comparator": comparator, "value": value}


@kills("picklist_replace")
def rename_option(round):
    options = [{"display_value": name} for name in ("East", "West")]
    field = {"field_label": "Region", "data_type": "picklist", "pick_list_values": options}
    id = round.made("fields", "settings/fields?module=Leads", field)
    round.leads(Region="East")
    (other,) = round.rest.create("Leads", [{"Last_Name": "Other", "Company": "C", "Region": "West"}])
    renamed = {"pick_list_values": [{"actual_value": "East", "display_value": "Orient"}]}
    round.made("fields", f"settings/fields/{id}?module=Leads", renamed, "PATCH")
    round.kill_until_done(longest=0.08)
    rows = round.every("Leads", "Last_Name", "Region")
    insist(len(rows) == round.rows + 1, "leads are lost")
    insist({row["Region"] for row in rows if row["id"] != other} == {"Orient"}, "some kept the old option")
    insist(next(row for row in rows if row["id"] == other)["Region"] == "West", "one had another option, and lost it")
    for row in random.sample([row for row in rows if row["id"] != other], 10):
        insist(round.updates("Leads", row["id"]) == 1, f"{row} is said to have changed more than once")


@kills("record_locking")
def lock_and_free(round):
    round.leads(City="Oslo")
    (free,) = round.rest.create("Leads", [{"Last_Name": "Free", "Company": "C", "City": "Rome"}])
    rule = {"name": "Oslo", "lock_existing_records": True, "criteria": leaf("City", "equal", "Oslo")}
    path, wrapper = "settings/record_locking_configurations", "record_locking_configurations"
    id = round.made(wrapper, f"{path}?module=Leads", {"lock_type": "automatic", "locking_rules": [rule]})
    round.kill_until_done(longest=0.08)
    locked = {row["id"] for row in round.every("Leads", "Locked__s") if row["Locked__s"]}
    insist(len(locked) == round.rows and free not in locked, f"{len(locked)} of {round.rows} are locked")
    [(count, records)] = round.ask("SELECT count(*), count(DISTINCT record_id) FROM sys_lock")
    insist(int(count) == int(records) == round.rows, f"{count} locks on {records} records")
    round.answered(round.rest.delete(f"{path}/{id}", params={"module": "Leads"}))
    round.kill_until_done(longest=0.08)
    locked = [row["id"] for row in round.every("Leads", "Locked__s") if row["Locked__s"]]
    insist(not locked, f"{len(locked)} are still locked")
    answer = round.rest.put("Leads", {"data": [{"id": row["id"], "City": "Bonn"} for row in round.every()[:100]]})
    insist(answer.status == 200, answer.text[:500])


@kills("pipeline_transfer")
def hand_over_pipeline(round):
    layout = round.first("settings/layouts", "layouts", module="Deals")["id"]
    path = f"settings/pipeline?layout_id={layout}"
    standard = round.first(path, "pipeline")
    first, second, third = standard["maps"][:3]
    stages = [{"id": one["id"], "sequence_number": n + 1, "display_value": one["display_value"]} for n, one in enumerate((first, second))]
    id = round.made("pipeline", path, {"display_value": "Partners", "maps": stages})
    head = ["Deal_Name", "Pipeline", "Stage"]
    rows = [[f"Deal {n}", "Partners", (first, second)[n % 2]["display_value"]] for n in range(round.rows)]
    round.send([head, *rows], "Deals", settle=True)
    pairs = [{"from": first["id"], "to": first["id"]}, {"from": second["id"], "to": third["id"]}]
    swap = {"pipeline": {"from": id, "to": standard["id"]}, "stages": pairs}
    round.answered(round.rest.post(f"settings/pipeline/actions/transfer?layout_id={layout}", {"transfer_pipeline": [swap]}))
    round.kill_until_done(longest=0.08)
    deals = round.every("Deals", *head)
    found = sorted((deal["Deal_Name"], deal["Pipeline"], deal["Stage"]) for deal in deals)
    wanted = [(f"Deal {n}", standard["display_value"], (first, third)[n % 2]["display_value"]) for n in range(round.rows)]
    insist(found == sorted(wanted), "some deals are not where they should be")
    for deal in random.sample(deals, 6):
        answer = round.rest.get(f"Deals/{deal['id']}/Stage_History", params={"fields": "Stage"})
        stages = [entry["Stage"] for entry in answer.body["data"]] if answer.status == 200 else []
        insist(len(stages) == len(set(stages)), f"the history of {deal} is {stages}")
        insist(round.updates("Deals", deal["id"]) == 1, f"{deal} is said to have changed more than once")


@kills("layout_transfer")
def leave_layout(round):
    standard = round.first("settings/layouts", "layouts", module="Leads")["id"]
    # v7 has no call that makes a layout, so it is put into the database while the server is down.
    own, copied = int(standard) + 10**9, "replace(body, '\"api_name\":\"Standard__s\"', '\"api_name\":\"Short\"')"
    body = f"replace(replace({copied}, '\"name\":\"Standard\"', '\"name\":\"Short\"'), '\"generated_type\":\"system\"', '\"generated_type\":\"custom\"')"
    round.put_back(
        "INSERT INTO sys_metadata (id, kind, parent, api_name, body, modified_at)"
        f" SELECT {own}, kind, parent, 'Short', {body}, modified_at FROM sys_metadata WHERE id = {standard}",
        "UPDATE sys_catalog_version SET version = version + 1",
    )
    round.leads(Layout__id=own)
    answer = round.rest.delete(f"settings/layouts/{own}", params={"module": "Leads", "transfer_to": standard})
    round.answered(answer)
    round.kill_until_done(longest=0.05)
    rows = round.every("Leads", "Last_Name", "Layout")
    insist(sorted(row["Last_Name"] for row in rows) == round.expected(), "leads are lost")
    insist({row["Layout"]["id"] for row in rows} == {standard}, "some kept the layout that is gone")


@kills("territory_rules", "territory_move")
def territories(round):
    count = max(round.rows, 5600)  # five thousand go at once, and only the rest by a job
    top = round.first("settings/territories", "territories")["id"]

    def territory(name, above):
        return round.made("territories", "settings/territories", {"name": name, "reporting_to": {"id": above}, "permission_type": "read_only"})

    def standing(id):
        rows = round.ask(f"SELECT count(*), count(DISTINCT record_id) FROM sys_record_territory WHERE territory_id = {id}")
        return tuple(int(value) for value in rows[0])

    north = territory("North", top)
    oslo, rome = territory("Oslo", north), territory("Rome", north)
    head = ["Last_Name", "Company", "City"]
    round.send([head, *[[f"Lead {n}", "C", "Oslo"] for n in range(count)], ["Roman", "C", "Rome"]], settle=True)
    for id, city in ((oslo, "Oslo"), (rome, "Rome")):
        round.made("territories", f"settings/territories/{id}", {"lead_rule_criteria": leaf("City", "equal", city)}, "PUT")
    round.kill_until_done(longest=0.5)
    insist(standing(oslo) == (count, count) and standing(rome) == (1, 1), f"{standing(oslo)} and {standing(rome)} stand in the territories")
    move = {"id": oslo, "transfer_to_id": north, "delete_previous_forecasts": False}
    round.answered(round.rest.post("settings/territories/actions/transfer_and_delete", {"territories": [move]}))
    round.kill_until_done(longest=0.02)
    insist(standing(oslo) == (0, 0), f"{standing(oslo)} stand in a territory that is gone")
    insist(standing(north) == (count, count) and standing(rome) == (1, 1), f"{standing(north)} stand in the heir")


@kills("recompute_fields")
def computed_fields(round):
    count = round.rows
    round.send([["Account_Name", "Employees"], *[[f"Account {n}", n] for n in range(count)]], "Accounts", settle=True)
    accounts = {row["Account_Name"]: row["id"] for row in round.every("Accounts", "Account_Name")}
    deals = [[f"Deal {n} {m}", accounts[f"Account {n}"], n + m, "Qualification"] for n in range(count) for m in range(2)]
    round.send([["Deal_Name", "Account_Name.id", "Amount", "Stage"], *deals], "Deals", settle=True)
    expression = {"function": "SUM", "function_parameters": [{"api_name": "Amount"}], "criteria": None}
    summary = {"expression": expression, "based_on_module": {"api_name": "Deals"}, "related_list": {"api_name": "Deals"}}
    formula = {"return_type": "double", "expression": "${Employees} * 2", "assume_default": True}
    fields = [
        {"field_label": "Deal sum", "data_type": "rollup_summary", "rollup_summary": summary},
        {"field_label": "Twice", "data_type": "formula", "formula": formula},
    ]
    round.answered(round.rest.post("settings/fields?module=Accounts", {"fields": fields}))
    round.kill_until_done(longest=0.3)
    rows = round.every("Accounts", "Account_Name", "Deal_sum", "Twice")
    found = {row["Account_Name"]: (row["Deal_sum"], row["Twice"]) for row in rows}
    insist(len(rows) == count and found == {f"Account {n}": (2 * n + 1, 2 * n) for n in range(count)}, "some are not computed")


@kills("currency_fill")
def several_currencies(round):
    round.leads()
    before = {row["id"]: row["Modified_Time"] for row in round.every("Leads", "Modified_Time")}
    base = {"name": "US Dollar - USD", "iso_code": "USD", "symbol": "$", "exchange_rate": "1.0", "prefix_symbol": True}
    round.answered(round.rest.post("org/currencies/actions/enable", {"base_currency": base}))
    round.kill_until_done(longest=0.08)
    rows = round.every("Leads", "Currency", "Exchange_Rate", "Modified_Time")
    insist({(row["Currency"], row["Exchange_Rate"]) for row in rows} == {("USD", 1)}, "some have no currency")
    insist({row["id"]: row["Modified_Time"] for row in rows} == before, "somebody is said to have changed them")


@kills("scoring_rules")
def scores(round):
    round.leads(City="Oslo")
    round.rest.create("Leads", [{"Last_Name": "Other", "Company": "C", "City": "Rome"}])
    rule = {"name": "Near", "module": {"api_name": "Leads"}, "field_rules": [{"score": 5, "criteria": leaf("City", "equal", "Oslo")}]}
    path = "settings/automation/scoring_rules"
    id = round.made("scoring_rules", path, rule)

    def points():
        kept = round.ask("SELECT record_id, positive, negative FROM sys_score")
        insist(len(kept) == len({row[0] for row in kept}), "some are scored twice")
        return sorted(int(row[1] or 0) for row in kept if int(row[1] or 0))

    round.kill_until_done(longest=0.08)
    insist(points() == [5] * round.rows, f"{len(points())} of {round.rows} have points")
    round.answered(round.rest.put("Leads/actions/run_scoring_rules", {"scoring_rules": [id]}))
    round.kill_until_done(longest=0.08)
    insist(points() == [5] * round.rows, f"after another run {len(points())} of {round.rows} have points")
    round.answered(round.rest.delete(f"{path}/{id}"))
    round.kill_until_done(longest=0.1)
    insist(points() == [], f"{len(points())} keep points of a rule that is gone")


def with_key(folder):
    made = subprocess.run([binary(), "encryption-key"], check=True, capture_output=True, text=True).stdout
    (folder / "keys").write_text(made)
    (folder / "keys").chmod(0o600)
    return ["--encryption-key-file", str(folder / "keys")]


@kills("field_encryption", options=with_key)
def encrypt_and_decrypt(round):
    id = round.made("fields", "settings/fields?module=Leads", {"field_label": "Pass", "data_type": "text"})
    head = ["Last_Name", "Company", "Pass"]
    round.send([head, *[[f"Lead {n}", "C", f"Zebra-{n}"] for n in range(round.rows)]], settle=True)
    rows = round.every("Leads", "Last_Name", "Pass")
    for row in rows[:20]:
        round.answered(round.rest.put(f"Leads/{row['id']}", {"data": [{"Pass": row["Pass"] + "-new"}]}))
    for row in rows[20:40]:
        round.answered(round.rest.delete(f"Leads/{row['id']}"))
    wanted = {row["id"]: row["Pass"] for row in round.every("Leads", "Pass")}
    insist(len(wanted) == round.rows - 20 and "Zebra-" in round.everything(), "the values are not there")

    def turn(mode):
        round.made("fields", f"settings/fields/{id}?module=Leads", {"crypt": {"mode": mode}}, "PATCH")
        round.kill_until_done(longest=0.5)
        insist({row["id"]: row["Pass"] for row in round.every("Leads", "Pass")} == wanted, f"values are lost by {mode}")
        return round.first(f"settings/fields/{id}", "fields", module="Leads")["crypt"]

    crypt = turn("encryption")
    insist(crypt and crypt["status"] == 1, f"the field says {crypt}")
    text = round.everything()
    insist("Zebra-" not in text, f"a value is readable: …{text[text.find('Zebra-') - 200 :][:300]}")
    crypt = turn("decryption")
    insist(not crypt, f"the field says {crypt}")
    insist("enc1:" not in round.everything(), "a value is left encrypted")
    for row in rows[20:40]:
        round.answered(round.rest.post("settings/recycle_bin/actions/restore", params={"ids": row["id"]}))
        found = round.first(f"Leads/{row['id']}", "data")["Pass"]
        insist(found == row["Pass"], f"{row} came back with {found}")
