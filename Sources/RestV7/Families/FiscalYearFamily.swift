import CRMCore
import HTTPShell
import Metadata
import Wire

/// The year the organisation counts by. It is in force from the start; criteria ask by it. Contract: fiscal-year, 93 and 94.
enum FiscalYearFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "fiscal_year", path: "/crm/v7/settings/fiscal_year", scope: "ZohoCRM.settings.fiscal_year", kind: FiscalYear.kind,
        verbs: [.get: "93", .updateOne: "94"], messages: [.updateOne: "Updated Successfully"],
        permission: SettingsPermission.customize, isSingle: true, rule: FiscalYearRule(), attributes: [])
}

struct FiscalYearRule: ResourceRule {
    var initial: Document? { FiscalYear.initial }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try FiscalYear.read(draft.item, into: &draft.body)
    }

    func details(_ id: RecordID) -> JSONValue { [:] }
}
