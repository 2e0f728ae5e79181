"""The shape of an organisation and its people: each operation of the vendor's client, with its effect."""

import datetime
import time

import pytest
import sdk
from operations import Area
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException


def unique(prefix):
    unique.count = getattr(unique, "count", 0) + 1
    return f"{prefix}{unique.count}"


def made(answer, key):
    return int(answer[key][0]["details"]["id"])


def by_name(items, name, key="name"):
    return next(one for one in items if one[key] == name)


def profile(name="Administrator"):
    return by_name(Area("profiles").call("get_profiles")["profiles"], name)["id"]


def layout(module):
    return Area("layouts").call("get_layouts", query={"module": module})["layouts"][0]


def fields(module):
    return {one["api_name"]: one for one in Area("fields").call("get_fields", query={"module": module})["fields"]}


# Modules, fields, layouts, views (U1–U21)


def test_a_module_is_made_and_renamed(client):
    modules, name = Area("modules"), unique("Lease")
    body = {
        "plural_label": name + "s",
        "singular_label": name,
        "profiles": [{"id": profile()}],
        "api_name": name + "s",
        "display_field": {"field_label": "Lease No", "data_type": "text"},
    }
    id = made(modules.call("create_custom_modules", {"modules": [body]}), "modules")
    change = {"plural_label": name + "x", "singular_label": name, "profiles": [{"id": profile()}]}
    modules.call("update_module", id, {"modules": [change]})
    assert modules.call("get_module", id)["modules"][0]["plural_label"] == name + "x"
    modules.call("update_module_by_api_name", name + "s", {"modules": [change | {"plural_label": name + "y"}]})
    assert modules.call("get_module_by_api_name", name + "s")["modules"][0]["plural_label"] == name + "y"
    assert id in [one["id"] for one in modules.call("get_modules")["modules"]]


def test_fields_are_made_changed_and_deleted(client):
    area, label = Area("fields"), unique("Region")
    values = [{"display_value": "East", "actual_value": "East"}, {"display_value": "West", "actual_value": "West"}]
    body = {"field_label": label, "data_type": "picklist", "pick_list_values": values}
    id = made(area.call("create_field", {"fields": [body]}, query={"module": "Leads"}), "fields")
    area.call("update_field", id, {"fields": [{"field_label": label + "a"}]}, query={"module": "Leads"})
    area.call("update_fields", {"fields": [{"id": id, "tooltip": {"name": "info_icon", "value": "Where"}}]}, query={"module": "Leads"})
    (found,) = area.call("get_field", id, query={"module": "Leads"})["fields"]
    assert found["field_label"] == label + "a" and found["tooltip"]["value"] == "Where"
    values = Area("pick_list_values", id, "Leads").call("get_pick_list_values")["pick_list_values"]
    assert {"East", "West"} <= {one["display_value"] for one in values}
    area.call("delete_field", id, query={"module": "Leads"})
    assert id not in {one["id"] for one in fields("Leads").values()}


def test_a_layout_is_changed_put_away_and_deleted(client, rest):
    area, label = Area("layouts"), unique("Age")
    standard = layout("Vendors")
    section = standard["sections"][0]
    body = {"sections": [{"id": section["id"], "fields": [{"field_label": label, "data_type": "integer"}]}]}
    area.call("update_custom_layout", standard["id"], {"layouts": [body]}, query={"module": "Vendors"})
    assert label in [one["field_label"] for one in fields("Vendors").values()]
    for operation, arguments, more in (
        ("deactivate_custom_layout", [standard["id"]], {}),
        ("delete_custom_layout", [standard["id"]], {}),
    ):
        # The only layout of a module stays.
        with pytest.raises(sdk.ApiError):
            area.call(operation, *arguments, query={"module": "Vendors"} | more)
    activation = {"layouts": [{"profiles": [{"id": profile()}]}]}
    with pytest.raises(sdk.ApiError):
        area.call("activate_custom_layout", standard["id"], activation, query={"module": "Vendors"})
    assert area.call("get_layout", standard["id"], query={"module": "Vendors"})["layouts"][0]["status"] == "active"


def test_views_are_listed_and_sorted_anew(client):
    views, names = Area("custom_views"), fields("Leads")
    view = next(one for one in views.call("get_custom_views", query={"module": "Leads"})["custom_views"] if one["default"])
    for name, order, operation, path in (
        ("Email", "asc", "change_sort_order_of_custom_view", [view["id"]]),
        ("Company", "desc", "change_sort_order_of_custom_views", []),
    ):
        one = {"sort_by": {"api_name": name, "id": names[name]["id"]}, "sort_order": order}
        body = {"custom_views": [one if path else one | {"id": view["id"]}]}
        views.call(operation, *path, body, query={"module": "Leads"})
        (found,) = views.call("get_custom_view", view["id"], query={"module": "Leads"})["custom_views"]
        assert (found["sort_by"]["api_name"], found["sort_order"]) == (name, order)


def test_global_picklists_live_and_their_values_are_replaced(client):
    area, name = Area("global_picklists"), unique("Tier")
    body = {"display_label": name, "pick_list_values": [{"display_value": one, "actual_value": one} for one in ("Gold", "Silver", "Tin")]}
    id = made(area.call("create_global_picklist", {"global_picklists": [body]}), "global_picklists")
    area.call("update_global_picklist", id, {"global_picklists": [{"display_label": name + "a"}]})
    area.call("update_global_picklists", {"global_picklists": [{"id": id, "display_label": name + "b"}]})
    (found,) = area.call("get_global_picklist", id)["global_picklists"]
    assert found["display_label"] == name + "b"
    values = {one["display_value"]: one["id"] for one in found["pick_list_values"]}

    field = {"field_label": unique("Tier"), "data_type": "picklist", "global_picklist": {"id": id}}
    field_id = made(Area("fields").call("create_field", {"fields": [field]}, query={"module": "Leads"}), "fields")
    assert area.call("get_associations", id)["associations"][0]["field"]["id"] == field_id
    assert area.call("get_pick_list_value_associations", id, query={"picklist_value_id": values["Gold"]}) is None

    swap = {"old_value": {"id": values["Tin"]}, "new_value": {"id": values["Gold"]}}
    area.call("replace_picklist_values", id, {"replace_picklist_values": [swap]})
    for _ in range(200):
        answer = area.call("get_replace_values", id)
        if answer and "Tin" in [one["display_value"] for one in answer["replaced_values"]]:
            break
        time.sleep(0.05)
    assert "Tin" in [one["display_value"] for one in answer["replaced_values"]]
    Area("fields").call("delete_field", field_id, query={"module": "Leads"})
    area.call("delete_global_picklist", id)
    second = made(area.call("create_global_picklist", {"global_picklists": [body | {"display_label": unique("T")}]}), "global_picklists")
    area.call("delete_global_picklists", query={"ids": second})
    for _ in range(200):
        left = area.call("get_global_picklists")
        if not left or not {id, second} & {one["id"] for one in left["global_picklists"]}:
            break
        time.sleep(0.05)
    assert not left or not {id, second} & {one["id"] for one in left["global_picklists"]}


# Map dependencies (24–27), duplicate checks (28–31), pipelines (67–70)


def test_a_map_dependency_limits_what_may_be_written(client):
    names, area = fields("Leads"), Area("field_map_dependency", layout("Leads")["id"], "Leads")
    parent, child = names["Lead_Status"], names["Lead_Source"]

    def values(field):
        return [one for one in field["pick_list_values"] if one["display_value"] != "-None-"]

    def wish(count):
        lines = [
            {
                "id": one["id"],
                "display_value": one["display_value"],
                "actual_value": one["actual_value"],
                "maps": [
                    {"id": each["id"], "display_value": each["display_value"], "actual_value": each["actual_value"]}
                    for each in values(child)[:count]
                ],
            }
            for one in values(parent)[:2]
        ]
        ends = {"parent": {"api_name": "Lead_Status", "id": parent["id"]}, "child": {"api_name": "Lead_Source", "id": child["id"]}}
        return {"map_dependency": [ends | {"pick_list_values": lines}]}

    id = made(area.call("create_map_dependency", wish(1)), "map_dependency")
    try:
        allowed, refused = (one["display_value"] for one in values(child)[:2])
        status = values(parent)[0]["display_value"]
        choice = sdk.Choice
        with pytest.raises(sdk.ApiError):
            sdk.create("Leads", [sdk.record(Last_Name=unique("L"), Lead_Status=choice(status), Lead_Source=choice(refused))])
        sdk.create("Leads", [sdk.record(Last_Name=unique("L"), Lead_Status=choice(status), Lead_Source=choice(allowed))])
        area.call("update_map_dependency", id, wish(2))
        sdk.create("Leads", [sdk.record(Last_Name=unique("L"), Lead_Status=choice(status), Lead_Source=choice(refused))])
        (found,) = area.call("get_map_dependency", id)["map_dependency"]
        assert found["parent"]["api_name"] == "Lead_Status" and len(found["pick_list_values"][0]["maps"]) == 2
        assert [one["id"] for one in area.call("get_map_dependencies")["map_dependency"]] == [id]
    finally:
        area.call("delete_map_dependency", id)
    assert area.call("get_map_dependencies") is None


def test_a_duplicate_check_finds_contacts_for_leads(client):
    area, key = Area("duplicate_check_preference", "Leads"), "duplicate_check_preference"
    label = unique("Badge")
    for module in ("Leads", "Contacts"):
        field = {"field_label": label, "data_type": "text", "length": 40, "unique": {"casesensitive": "false"}}
        Area("fields").call("create_field", {"fields": [field]}, query={"module": module})
    mapping = {"current_field": {"api_name": label}, "mapped_field": {"api_name": label}}
    wish = {
        "type": "mapped_module_records",
        "type_configurations": [{"field_mappings": [mapping], "mapped_module": {"api_name": "Contacts"}}],
    }
    assert area.call("create_duplicate_check_preference", {key: wish})[key]["code"] == "SUCCESS"
    found = area.call("get_duplicate_check_preference")[key]
    assert found["type"] == "mapped_module_records"
    assert area.call("update_duplicate_check_preference", {key: wish})[key]["code"] == "SUCCESS"
    assert area.call("delete_duplicate_check_preference")[key]["code"] == "SUCCESS"


def test_pipelines_are_made_and_handed_over(client):
    area, deals, name = Area("pipeline", layout("Deals")["id"]), fields("Deals"), unique("Partners ")
    standard = area.call("get_pipelines")["pipeline"][0]
    stages = [{"id": one["id"], "sequence_number": n + 1, "display_value": one["display_value"]} for n, one in enumerate(standard["maps"][:3])]
    id = made(area.call("create_pipeline", {"pipeline": [{"display_value": name, "maps": stages}]}), "pipeline")
    area.call("update_pipelines", {"pipeline": [{"id": id, "display_value": name + "b"}]})
    assert area.call("get_pipeline", id)["pipeline"][0]["display_value"] == name + "b"
    area.call("update_pipeline", id, {"pipeline": [{"display_value": name + "a", "maps": stages}]})
    (found,) = area.call("get_pipeline", id)["pipeline"]
    assert found["display_value"] == name + "a" and len(found["maps"]) == 3
    assert "Pipeline" in deals
    deal = sdk.create(
        "Deals",
        [sdk.record(Deal_Name=unique("D"), Pipeline=sdk.Choice(name + "a"), Stage=sdk.Choice(stages[0]["display_value"]))],
    )[0]
    swap = {"pipeline": {"from": id, "to": standard["id"]}, "stages": [{"from": one["id"], "to": one["id"]} for one in stages]}
    area.call("transfer_pipelines", {"transfer_pipeline": [swap]})
    for _ in range(200):
        now = sdk.text(sdk.get("Deals", deal).get_key_value("Pipeline"))
        if now == standard["display_value"]:
            break
        time.sleep(0.05)
    assert now == standard["display_value"]


# Profiles, roles, groups (U16–U25, 40–48), variables (19–23), currencies (205–208), list of APIs (180)


def test_profiles_are_cloned_changed_and_deleted(client):
    area, name = Area("profiles"), unique("Sales ")
    id = made(area.call("clone_profiles", profile("Standard"), {"profiles": [{"name": name, "description": "North"}]}), "profiles")
    (found,) = area.call("get_profile", id)["profiles"]
    permission = found["permissions_details"][0]
    change = {"permissions_details": [{"id": permission["id"], "enabled": not permission["enabled"]}]}
    area.call("update_profile", id, {"profiles": [change]})
    (found,) = area.call("get_profile", id)["profiles"]
    assert found["permissions_details"][0]["enabled"] is not permission["enabled"]
    area.call("delete_profile", id, query={"transfer_to": profile("Standard")})
    assert name not in [one["name"] for one in area.call("get_profiles")["profiles"]]


def test_roles_are_made_changed_and_deleted(client):
    area, name = Area("roles"), unique("Lead ")
    top = next(one for one in area.call("get_roles")["roles"] if not one.get("reporting_to"))["id"]
    id = made(area.call("create_roles", {"roles": [{"name": name, "reporting_to": {"id": top, "name": "x"}, "share_with_peers": True}]}), "roles")
    area.call("update_role", id, {"roles": [{"name": name + "a"}]})
    area.call("update_roles", {"roles": [{"id": id, "description": "d"}]})
    (found,) = area.call("get_role", id)["roles"]
    assert (found["name"], found["description"], found["reporting_to"]["id"]) == (name + "a", "d", top)
    area.call("delete_role", id, query={"transfer_to_id": top})
    assert id not in [one["id"] for one in area.call("get_roles")["roles"]]


def test_groups_have_sources_and_counts(client):
    area, name = Area("user_groups"), unique("Inside ")
    me = sdk_user()
    body = {"name": name, "description": "d", "sources": [{"type": "users", "source": {"id": me}}]}
    id = made(area.call("create_groups", {"user_groups": [body]}), "user_groups")
    area.call("update_group", id, {"user_groups": [{"name": name + "a"}]})
    area.call("update_groups", {"user_groups": [{"id": id, "description": "e"}]})
    (found,) = area.call("get_group", id)["user_groups"]
    assert (found["name"], found["description"]) == (name + "a", "e")
    assert [one["source"]["id"] for one in area.call("get_sources", id)["sources"]] == [me]
    assert area.call("get_sources_count", id)["sources_count"][0]["users"]["active"] == 1
    counts = area.call("get_associated_users_count")["associated_users_count"]
    assert by_name([one["user_group"] | {"count": one["count"]} for one in counts], name + "a")["count"] == 1
    assert name + "a" in [one["name"] for one in area.call("get_associate_groups_of_user", me)["user_groups"]]
    assert name + "a" in [one["name"] for one in area.call("get_groups")["user_groups"]]
    area.call("get_associations", id)
    area.call("delete_group", id)
    left = area.call("get_groups")
    assert left is None or id not in [one["id"] for one in left["user_groups"]]


def sdk_user():
    return Area("users").call("get_users", query={"type": "CurrentUser"})["users"][0]["id"]


def test_variables_are_written_by_id_and_by_name(client):
    area, groups = Area("variables"), Area("variable_groups")
    group = groups.call("get_variable_groups")["variable_groups"][0]
    assert groups.call("get_variable_group_by_id", str(group["id"]))["variable_groups"][0]["id"] == group["id"]
    assert groups.call("get_variable_group_by_api_name", group["api_name"])["variable_groups"][0]["id"] == group["id"]
    names = [unique("Variable") for _ in range(2)]
    wanted = [{"name": one, "api_name": one, "variable_group": {"id": group["id"]}, "type": "text", "value": "a"} for one in names]
    first, second = (int(one["details"]["id"]) for one in area.call("create_variables", {"variables": wanted})["variables"])
    inside = {"group": group["id"]}
    area.call("update_variable_by_id", first, {"variables": [{"value": "b"}]}, query=inside)
    assert area.call("get_variable_by_id", first, query=inside)["variables"][0]["value"] == "b"
    area.call("update_variable_by_apiname", names[0], {"variables": [{"value": "c"}]}, query=inside)
    assert area.call("get_variable_by_apiname", names[0], query=inside)["variables"][0]["value"] == "c"
    area.call("update_variables", {"variables": [{"id": second, "value": "d"}]})
    assert by_name(area.call("get_variables")["variables"], names[1])["value"] == "d"
    area.call("delete_variable", first)
    area.call("delete_variables", query={"ids": second})
    left = area.call("get_variables")
    assert left is None or not {first, second} & {one["id"] for one in left["variables"]}


def test_currencies_are_switched_on_and_kept(client):
    area = Area("currencies")
    form = {"decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": "2"}
    base = {"prefix_symbol": True, "name": "US Dollar - USD", "iso_code": "USD", "symbol": "$", "exchange_rate": "1.000000000", "format": form}
    area.call("enable_base_currency", {"base_currency": base})
    euro = {"prefix_symbol": True, "name": "Euro - EUR", "iso_code": "EUR", "symbol": "€", "exchange_rate": "0.92", "is_active": True, "format": form}
    id = made(area.call("add_currencies", {"currencies": [euro]}), "currencies")
    area.call("update_currency", id, {"currencies": [{"exchange_rate": "0.95"}]})
    assert float(area.call("get_currency", id)["currencies"][0]["exchange_rate"]) == 0.95
    area.call("update_currencies", {"currencies": [{"id": id, "exchange_rate": "0.97"}]})
    assert float(by_name(area.call("get_currencies")["currencies"], "EUR", "iso_code")["exchange_rate"]) == 0.97
    base_id = by_name(area.call("get_currencies")["currencies"], "USD", "iso_code")["id"]
    area.call("update_base_currency", {"base_currency": {"id": base_id, "symbol": "US$"}})
    assert by_name(area.call("get_currencies")["currencies"], "USD", "iso_code")["symbol"] == "US$"


def test_the_list_of_apis_names_the_merge(client):
    apis = Area("apis").call("get_supported_api")["apis"]
    assert any("/actions/merge" in one["path"] for one in apis)
    assert SDKException is not None


# Territories and their users (5–9, 117–122, U34–U37)


def new_territory(rest):
    (top,) = [one for one in rest.get("settings/territories").body["territories"] if not one["reporting_to"]]
    body = {"name": unique("Region "), "reporting_to": {"id": top["id"]}, "permission_type": "read_only"}
    return int(rest.post("settings/territories", {"territories": [body]}).item("territories")["details"]["id"])


def test_users_join_and_leave_territories(client, rest):
    me, first, second, third = new_user(rest), *(new_territory(rest) for _ in range(3))
    members = Area("territory_users")
    members.call("update_territory_user", me, first)
    assert members.call("get_territory_user", me, first)["users"][0]["id"] == me
    members.call("deassociate_territory_users", first, query={"ids": me})
    assert members.call("get_territory_users", first) is None

    mine = Area("users_territories", me)
    mine.call("associate_territories_to_user", {"territories": [{"id": first}, {"id": second}]})
    assert mine.call("get_territory_of_user", second)["territories"][0]["id"] == second
    mine.call("remove_territories_from_user", query={"ids": f"{first},{second}"})
    left = mine.call("get_territories_of_user")
    assert left is None or not {first, second} & {one["id"] for one in left["territories"]}

    area = Area("territories")
    area.call("update_territory", third, {"territories": [{"name": unique("Region ")}]})
    area.call("delete_territories", query={"ids": f"{first},{second},{third}", "delete_previous_forecasts": False})
    assert not {first, second, third} & {one["id"] for one in area.call("get_territories")["territories"]}


def test_records_enter_and_leave_territories(client, rest):
    territory, leads = new_territory(rest), sdk.create("Leads", [sdk.record(Last_Name=unique("L")) for _ in range(2)])

    def territories(lead):
        return [one["id"] for one in rest.get(f"Leads/{lead}").item()["Territories"]]

    records = Area("record", "Leads")
    from zohocrmsdk.src.com.zoho.crm.api.record import Territory

    place = Territory()
    place.set_id(territory)
    for lead in leads:
        records.call("assign_territory_to_record", lead, {"data": [sdk.record(Territories=[place])]})
        assert territories(lead) == [str(territory)]
    records.call("remove_territories_from_multiple_records", {"data": [sdk.record(id=one, Territories=[place]) for one in leads]})
    assert territories(leads[0]) == territories(leads[1]) == []


# Users (46, 116, 122) and the audit log (38)


def new_user(rest):
    me = rest.get("users?type=CurrentUser").item("users")
    body = {
        "last_name": "Kim",
        "email": f"{unique('settings')}-{time.monotonic_ns()}@acme.example",
        "role": me["role"]["id"],
        "profile": me["profile"]["id"],
    }
    return int(rest.post("users", {"users": [body]}).item("users")["details"]["id"])


def test_users_are_changed_and_hand_over(client, rest):
    leaving, heir = new_user(rest), new_user(rest)
    # The client cannot read the answer to its own call; see `endpoints/users.md`.
    with pytest.raises(SDKException):
        Area("users").call("update_users", {"users": [{"id": leaving, "phone": "5550188"}]})
    assert rest.get(f"users/{leaving}").item("users")["phone"] == "5550188"
    area, groups = Area("user_groups"), Area("users")
    body = {"name": unique("Group "), "sources": [{"type": "users", "source": {"id": leaving}}]}
    id = made(area.call("create_groups", {"user_groups": [body]}), "user_groups")
    assert id in [one["id"] for one in groups.call("get_associated_groups", leaving)["user_groups"]]
    area.call("delete_group", id)

    (lead,) = rest.create("Leads", [{"Last_Name": unique("L"), "Owner": {"id": str(leaving)}}])
    order = {"transfer": {"id": heir, "records": True, "assignment": True, "criteria": True}}
    Area("users_transfer_delete").call("user_transfer_and_delete", leaving, {"transfer_and_delete": [order]})
    for _ in range(200):
        owner = rest.get(f"Leads/{lead}").item()["Owner"]["id"]
        if owner == str(heir):
            break
        time.sleep(0.05)
    assert owner == str(heir)


def test_exports_of_the_audit_log_are_listed(client):
    area, key = Area("audit_log_export"), "audit_log_export"
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    times = [(now - datetime.timedelta(days=7)).isoformat(), now.isoformat()]
    body = {"criteria": {"comparator": "between", "field": {"api_name": "audited_time"}, "value": times}}
    id = made(area.call("create_auditlog_export", {key: [body]}), key)
    assert id in [one["id"] for one in area.call("get_exported_auditlogs")[key]]
