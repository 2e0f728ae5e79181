"""The vendor's official Python client, unmodified, with the long-winded parts wrapped once.

Every function here goes through the client's own operations; none of them looks at the wire.
"""

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import find_and_merge as merging
from zohocrmsdk.src.com.zoho.crm.api import notes as noting
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import related_records as relating
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice, Utility

PER_CALL = 100


class ApiError(AssertionError):
    """An answer of the server that is an APIException, kept with its parts."""

    def __init__(self, exception, status):
        self.status = status
        self.code = text(exception.get_code())
        self.details = exception.get_details() or {}
        super().__init__(f"{status} {self.code}: {text(exception.get_message())} {self.details}")


def text(value):
    """The client wraps enumerated words in Choice, here and there."""
    return value.get_value() if isinstance(value, Choice) else value


def connect(base, folder, client_id, client_secret, *, grant=None, refresh=None, refresh_fields=True):
    """Initialises the client against `base`; `folder` must be fresh, or it finds what an earlier run cached."""
    # The client keeps these for the life of the process: a second start would fetch its token from the first server,
    # and take the first one's module list.
    Initializer.LOCAL.init = None
    Utility.api_supported_modules = {}
    environment = DataCenter.Environment(base, base + "/oauth/v2/token", base)
    token = OAuthToken(client_id=client_id, client_secret=client_secret, grant_token=grant, refresh_token=refresh)
    Initializer.initialize(
        environment,
        token,
        store=FileStore(str(folder / "tokens.txt")),
        sdk_config=SDKConfig(auto_refresh_fields=refresh_fields, pick_list_validation=False),
        resource_path=str(folder),
    )
    return token


def params(pairs):
    map_ = ParameterMap()
    for parameter, value in pairs.items():
        map_.add(parameter, value)
    return map_


def body_of(response, wrapper):
    """What a call answered, if it is `wrapper`; None for 204 and 304; ApiError for an exception."""
    if response is None:
        raise AssertionError("the client gave no response")
    if response.get_status_code() in (204, 304):
        return None
    body = response.get_object()
    if isinstance(body, wrapper):
        return body
    if type(body).__name__ == "APIException":
        raise ApiError(body, response.get_status_code())
    raise AssertionError(f"{response.get_status_code()}: the client could not read the answer, got {type(body).__name__}")


def successes(response, wrapper, get_items=None):
    """The details of each item, all of which must be successes."""
    body = body_of(response, wrapper)
    results = []
    for item in (get_items or type(body).get_data)(body):
        if type(item).__name__ == "APIException":
            raise ApiError(item, response.get_status_code())
        results.append(item)
    return results


def identity(item):
    """The client turns most ids into integers, but leaves those inside details as text."""
    return int(item.get_details()["id"])


def record(id=None, **values):
    one = records.Record()
    if id is not None:
        one.set_id(id)
    for name, value in values.items():
        one.add_key_value(name, value)
    return one


def reference(id):
    return record(id=id)


def request(items, **extra):
    body = records.BodyWrapper()
    body.set_data(items)
    for name, value in extra.items():
        getattr(body, f"set_{name}")(value)
    return body


def create(module, items):
    """Ids of the new records, in order; any number, 100 per call."""
    ids = []
    for start in range(0, len(items), PER_CALL):
        operations = records.RecordOperations(module)
        response = operations.create_records(request(items[start : start + PER_CALL]), HeaderMap())
        ids += [identity(item) for item in successes(response, records.ActionWrapper)]
    return ids


def update(module, items):
    response = records.RecordOperations(module).update_records(request(items), HeaderMap())
    return [identity(item) for item in successes(response, records.ActionWrapper)]


def upsert(module, items, check_fields):
    response = records.RecordOperations(module).upsert_records(request(items, duplicate_check_fields=check_fields), HeaderMap())
    return successes(response, records.ActionWrapper)


def delete(module, ids):
    response = records.RecordOperations(module).delete_records(
        params({records.DeleteRecordsParam.ids: ",".join(map(str, ids))}), HeaderMap()
    )
    return [identity(item) for item in successes(response, records.ActionWrapper)]


def get(module, id):
    """One record, or None when there is none (204)."""
    response = records.RecordOperations(module).get_record(id, ParameterMap(), HeaderMap())
    body = body_of(response, records.ResponseWrapper)
    return None if body is None else body.get_data()[0]


def page(module, fields, **options):
    """One page and its info: (records, info); ([], None) when empty."""
    wanted = {records.GetRecordsParam.fields: ",".join(fields)}
    wanted |= {getattr(records.GetRecordsParam, name): value for name, value in options.items()}
    response = records.RecordOperations(module).get_records(params(wanted), HeaderMap())
    body = body_of(response, records.ResponseWrapper)
    return ([], None) if body is None else (body.get_data(), body.get_info())


def every(module, fields, **options):
    """All records of a module, page by page with page tokens."""
    found, info = page(module, fields, per_page=200, **options)
    while info is not None and info.get_more_records():
        more, info = page(module, fields, per_page=200, page_token=info.get_next_page_token(), **options)
        found += more
    return found


def deleted(module, type="all"):
    """All entries of the deleted list."""
    found, number = [], 1
    while True:
        query = params(
            {
                records.GetDeletedRecordsParam.type: type,
                records.GetDeletedRecordsParam.page: number,
                records.GetDeletedRecordsParam.per_page: 200,
            }
        )
        response = records.RecordOperations(module).get_deleted_records(query, HeaderMap())
        body = body_of(response, records.DeletedRecordsWrapper)
        if body is None:
            return found
        found += body.get_data()
        if not body.get_info().get_more_records():
            return found
        number += 1


def related(module, id, related_list, fields, **options):
    """All rows of a related list of one record."""
    operations = relating.RelatedRecordsOperations(related_list, module)
    wanted = {relating.GetRelatedRecordsParam.fields: ",".join(fields), relating.GetRelatedRecordsParam.per_page: 200}
    wanted |= {getattr(relating.GetRelatedRecordsParam, name): value for name, value in options.items()}
    body = body_of(operations.get_related_records(id, params(wanted), HeaderMap()), relating.ResponseWrapper)
    return [] if body is None else body.get_data()


def note(title, content, module, parent):
    owner = noting.ParentId()
    owner.set_id(parent)
    parent_module = MinifiedModule()
    parent_module.set_api_name(module)
    owner.set_module(parent_module)
    one = noting.Note()
    one.set_note_title(title)
    one.set_note_content(content)
    one.set_parent_id(owner)
    return one


def create_notes(items):
    ids = []
    for start in range(0, len(items), PER_CALL):
        body = noting.BodyWrapper()
        body.set_data(items[start : start + PER_CALL])
        response = noting.NotesOperations().create_notes(body)
        ids += [identity(item) for item in successes(response, noting.ActionWrapper)]
    return ids


def every_note(fields):
    """All notes through the notes API: it knows no page tokens, so at most 2,000."""
    found, number = [], 1
    while True:
        query = {
            noting.GetNotesParam.fields: ",".join(fields),
            noting.GetNotesParam.page: str(number),
            noting.GetNotesParam.per_page: "200",
        }
        body = body_of(noting.NotesOperations().get_notes(params(query), HeaderMap()), noting.ResponseWrapper)
        if body is None:
            return found
        found += body.get_data()
        if not body.get_info().get_more_records():
            return found
        number += 1


def _named(kind, names):
    fields = []
    for name in names:
        field = kind()
        field.set_api_name(name)
        fields.append(field)
    return fields


def merge(module, master, children, master_fields=()):
    """Merges `children`, [(id, [names of the fields to take])], into `master`; the one result."""
    one = merging.Merge()
    data = []
    for child, names in children:
        item = merging.MergeData()
        item.set_id(child)
        item.set_fields(_named(merging.DataFields, names))
        data.append(item)
    one.set_data(data)
    if master_fields:
        one.set_master_record_fields(_named(merging.MasterRecordFields, master_fields))
    body = merging.BodyWrapper()
    body.set_merge([one])
    response = merging.FindAndMergeOperations(module, master).merge_records(body)
    return successes(response, merging.ActionWrapper, merging.ActionWrapper.get_merge)[0]


def merge_jobs(module, master, job_id=None):
    """[(job id, status word)] of a master; empty when it has none."""
    query = params({merging.GetRecordMergeParam.job_id: job_id} if job_id else {})
    body = body_of(merging.FindAndMergeOperations(module, master).get_record_merge(query), merging.ResponseWrapper)
    return [] if body is None else [(job.get_job_id(), text(job.get_status())) for job in body.get_merge()]
