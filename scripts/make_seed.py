#!/usr/bin/env python3
"""Writes Sources/Metadata/Resources/standard.json, the seed of every new organisation, from a metadata folder.

usage: make_seed.py METADATA_FOLDER [OUTPUT]

The folder holds modules.json, related_lists.json, org-defaults.json, fields/<Module>.json and
fields/_templates.json. Remarks about origin (keys `source`, `note`, `*_fact`) are dropped. A key whose value is
the most common one of its kind is left out of the object and stands once in `module_defaults`, `field_defaults`,
`pick_list_value_defaults` (values inside fields) or `related_list_defaults`; whoever loads the seed puts it back. The
output is the same for the same input, one object a line, and is expanded again and compared with the input before it
is written.
"""

import json
import sys
from collections import Counter
from pathlib import Path

TEMPLATES = ["custom", "linking", "subform", "field_tracker"]

# Always written out: what identifies an object, and what a reader looks for first.
ALWAYS_WRITTEN = {
    "api_name", "module_name", "field_label", "display_label", "data_type", "name", "module", "sequence_number", "via",
    "display_value", "actual_value", "reference_value",
}

# Objects that occur with their keys in several orders, which mean the same.
KEY_ORDER = {
    "operation_type": ["web_update", "api_create", "web_create", "api_update"],
    "view_type": ["view", "edit", "quick_create", "create"],
}


def is_remark(key, value):
    """True for our remarks. A layout's `source: "crm"` is a key of the API itself and stays."""
    return key == "note" or key.endswith("_fact") or (key == "source" and value != "crm")


def without_remarks(value):
    if isinstance(value, list):
        return [without_remarks(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_remarks(item) for key, item in value.items() if not is_remark(key, item)}
    for key, order in KEY_ORDER.items():
        if isinstance(kept.get(key), dict) and set(kept[key]) == set(order):
            kept[key] = {name: kept[key][name] for name in order}
    return kept


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def common_values(objects):
    """The most common value of each key that every object has."""
    defaults = {}
    for key in objects[0]:
        if key in ALWAYS_WRITTEN or any(key not in item for item in objects):
            continue
        counts = Counter(compact(item[key]) for item in objects)
        text, count = max(counts.items(), key=lambda entry: (entry[1], entry[0]))
        if count > 1:
            defaults[key] = json.loads(text)
    return defaults


def shortened(item, defaults):
    return {key: value for key, value in item.items() if key not in defaults or compact(defaults[key]) != compact(value)}


def expanded(item, defaults):
    return {**defaults, **item}


def lines(objects):
    return "[\n" + ",\n".join(compact(item) for item in objects) + "\n]"


def grouped(groups):
    return "{\n" + ",\n".join(f"{compact(name)}:{lines(items)}" for name, items in groups.items()) + "\n}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    here = Path(__file__).resolve().parent.parent
    output = Path(sys.argv[2]) if len(sys.argv) == 3 else here / "Sources/Metadata/Resources/standard.json"

    def load(name):
        return without_remarks(json.loads((folder / name).read_text(encoding="utf-8")))

    modules = load("modules.json")
    related = load("related_lists.json")["modules"]
    templates = load("fields/_templates.json")
    templates = {name: templates[name] for name in TEMPLATES}
    org = load("org-defaults.json")
    by_module = {path.stem: load(f"fields/{path.name}")["fields"] for path in folder.glob("fields/[A-Z]*.json")}
    order = [module["api_name"] for module in modules if module["api_name"] in by_module]
    fields = {name: by_module[name] for name in order + sorted(set(by_module) - set(order))}

    all_fields = [item for items in [*fields.values(), *templates.values()] for item in items]
    all_related = [item for items in related.values() for item in items]
    module_defaults, field_defaults, related_defaults = map(common_values, (modules, all_fields, all_related))

    all_values = [value for field in all_fields for value in field["pick_list_values"]]
    value_defaults = common_values(all_values)

    def short(groups, defaults):
        return {name: [short_field(item, defaults) for item in items] for name, items in groups.items()}

    def short_field(item, defaults):
        kept = shortened(item, defaults)
        if "pick_list_values" in kept:
            kept["pick_list_values"] = [shortened(value, value_defaults) for value in kept["pick_list_values"]]
        return kept

    parts = [
        ("module_defaults", compact(module_defaults)),
        ("field_defaults", compact(field_defaults)),
        ("pick_list_value_defaults", compact(value_defaults)),
        ("related_list_defaults", compact(related_defaults)),
        ("modules", lines([shortened(item, module_defaults) for item in modules])),
        ("fields", grouped(short(fields, field_defaults))),
        ("field_templates", grouped(short(templates, field_defaults))),
        ("related_lists", grouped(short(related, related_defaults))),
        ("org", "{\n" + ",\n".join(f"{compact(key)}:{compact(value)}" for key, value in org.items()) + "\n}"),
    ]
    text = "{\n" + ",\n".join(f"{compact(name)}:{body}" for name, body in parts) + "\n}\n"

    written = json.loads(text)

    def restored(groups, defaults):
        return {name: [restored_field(item, defaults) for item in items] for name, items in groups.items()}

    def restored_field(item, defaults):
        full = expanded(item, defaults)
        if "pick_list_values" in full:
            full["pick_list_values"] = [expanded(value, value_defaults) for value in full["pick_list_values"]]
        return full

    checks = {
        "modules": ([expanded(item, module_defaults) for item in written["modules"]], modules),
        "fields": (restored(written["fields"], field_defaults), fields),
        "field_templates": (restored(written["field_templates"], field_defaults), templates),
        "related_lists": (restored(written["related_lists"], related_defaults), related),
        "org": (written["org"], org),
    }
    wrong = [name for name, (got, want) in checks.items() if got != want]
    if wrong:
        sys.exit(f"expanding does not give the input back: {', '.join(wrong)}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    print(
        f"{output.name}: {len(text.encode()):,} bytes, {len(modules)} modules, {len(all_fields):,} fields, "
        f"{len(all_related)} related lists"
    )


if __name__ == "__main__":
    main()
