import HTTPShell

/// The settings families. A new one is a file and a line here.
let familyEndpoints: [any Endpoint.Type] =
    Variables.endpoints + VariableGroups.endpoints + Roles.endpoints + duplicateCheckEndpoints + PipelineFamily.endpoints
    + [TransferPipeline.self] + MapDependencies.endpoints + globalPicklistEndpoints + profileEndpoints + userGroupEndpoints
    + [ChangeViewSorts.self, ChangeViewSort.self] + calendarEndpoints

/// When people work.
private let calendarEndpoints: [any Endpoint.Type] =
    FiscalYearFamily.endpoints + BusinessHoursFamily.endpoints + Holidays.endpoints + ShiftHoursFamily.endpoints
