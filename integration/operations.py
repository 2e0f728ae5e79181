"""Any operation of the vendor's Python client with plain values in and plain values out.

The client is unmodified: `Area.call` fills the client's own classes by their own setters, calls the client's own operation,
and reads the answer by walking what the client made of it. What the client cannot send or read fails here as it would in a
program.

    tags = Area("tags")
    tags.call("create_tags", {"tags": [{"name": "hot"}]}, query={"module": "Leads"})
"""

import importlib
import inspect
import json
import re
from functools import cache
from pathlib import Path

import zohocrmsdk
from sdk import ApiError, text
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.header import Header
from zohocrmsdk.src.com.zoho.crm.api.param import Param
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

PACKAGE = "zohocrmsdk.src.com.zoho.crm.api"


@cache
def structures():
    """What each of the client's classes holds, by the client's own description."""
    return json.loads((Path(zohocrmsdk.__file__).parent / "src/json_details.json").read_text())


def class_named(full_name):
    package, _, name = full_name.rpartition(".")
    return getattr(importlib.import_module(package), name)


def setter(one, key):
    """The setter of a JSON key: `$file_id` is set by `set_file_id`, `Locked_Reason__s` by `set_locked_reason__s`."""
    wanted = re.sub(r"[^a-z0-9]", "", f"set{key.lower()}")
    (name,) = [name for name in dir(one) if name.replace("_", "").lower() == wanted]
    return getattr(one, name)


def worded(kind, value):
    """A plain value as the client wants it: enumerated words wrapped, ids as numbers or as text."""
    if value is None or isinstance(value, Choice):
        return value
    if kind.endswith("Choice") and not isinstance(value, list):
        return Choice(value)
    if kind == "String" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if kind in ("Long", "Integer") and isinstance(value, str) and value.isdigit():
        return int(value)
    return value


def filled(structure, values):
    """An instance of one of the client's classes with `values` (its JSON keys) set; what is no dictionary is set as it is."""
    if not isinstance(values, dict):
        return values
    one = class_named(structure)()
    known = {detail["name"]: detail for detail in structures()[structure].values()}
    for key, value in values.items():
        detail = known.get(key)
        if detail is None:
            one.add_key_value(key, value)
            continue
        inner = detail.get("structure_name") or detail.get("sub_type", {}).get("type", "")
        if inner in structures():
            value = [filled(inner, item) for item in value] if isinstance(value, list) else filled(inner, value)
        elif isinstance(value, list):
            value = [worded(inner, item) for item in value]
        else:
            value = worded(detail["type"], value)
        setter(one, key)(value)
    return one


def plain(value):
    """What the client read, as dictionaries, lists and words; keys are the client's names."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Choice):
        return plain(text(value))
    if not type(value).__module__.startswith(PACKAGE):
        return value
    found = {}
    for kind in reversed(type(value).__mro__):
        for attribute, item in vars(value).items():
            prefix = f"_{kind.__name__}__"
            if attribute.startswith(prefix) and item is not None and attribute != prefix + "key_modified":
                name = attribute.removeprefix(prefix)
                found |= plain(item) if name == "key_values" else {name: plain(item)}
    return found


class Area:
    """One package of the client: its operations by name. `new` are the arguments of its operations class."""

    def __init__(self, package, *new):
        self.package = importlib.import_module(f"{PACKAGE}.{package}")
        self.name = f"{PACKAGE}.{package}"
        (self.operations,) = [
            kind for name, kind in vars(self.package).items() if name.endswith("Operations") and inspect.isclass(kind)
        ]
        self.new = new

    def parameters(self, operation, query, known=Param):
        """The parameters of an operation, which are the constants of a class of the package that is named for it."""
        wanted = operation.title().replace("_", "") + known.__name__
        kinds = {name.lower(): kind for name, kind in vars(self.package).items() if name.endswith(known.__name__)}
        map_ = ParameterMap() if known is Param else HeaderMap()
        for key, value in query.items():
            kind = kinds[wanted.lower()]
            detail = structures().get(f"{self.name}.{kind.__name__}", {}).get(key, {"type": ""})
            map_.add(getattr(kind, key), worded(detail["type"], value))
        return map_

    def answer(self, operation, *arguments, query=None, header=None):
        """What the client makes of the answer's body; None for 204 and 304. A refusal of the whole is an `ApiError`."""
        method = getattr(self.operations(*self.new), operation)
        given, sent = list(arguments), []
        for name in inspect.signature(method).parameters:
            if name == "param_instance":
                sent.append(self.parameters(operation, query or {}))
            elif name == "header_instance":
                sent.append(self.parameters(operation, header or {}, Header))
            else:
                one = given.pop(0)
                if isinstance(one, dict):
                    kind = re.search(rf"{name} \((\w+)\)", method.__doc__).group(1)
                    one = filled(f"{self.name}.{kind}", one)
                sent.append(one)
        response = method(*sent)
        if response.get_status_code() in (204, 304):
            return None
        body = response.get_object()
        self.refuse(body, response.get_status_code())
        return body

    def call(self, operation, *arguments, query=None, header=None):
        """The answer's body as plain values; a refusal of an item is an `ApiError` as well."""
        body = self.answer(operation, *arguments, query=query, header=header)
        if body is None:
            return None
        for items in vars(body).values():
            for item in items if isinstance(items, list) else [items]:
                self.refuse(item, 200)
        return plain(body)

    @staticmethod
    def refuse(value, status):
        if type(value).__name__ == "APIException":
            raise ApiError(value, status)
