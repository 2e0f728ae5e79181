import HTTPShell

/// The one list. Routing, scopes, `__apis` and the coverage page are read from it.
package let allEndpoints: [any Endpoint.Type] =
    ([
        oauthEndpoints,
        (recordEndpoints + contactRoleEndpoints).map(resolvingExternal),
        mergeEndpoints,
        settingsEndpoints,
        organizationEndpoints,
        tagEndpoints,
        recycleBinEndpoints,
        shapingEndpoints,
        familyEndpoints,
        fileEndpoints,
        ownerEndpoints,
        lockingEndpoints,
        shareEndpoints,
        currencyEndpoints,
        queryEndpoints,
        territoryEndpoints,
        bulkEndpoints,
        appointmentEndpoints,
        convertEndpoints,
        notificationEndpoints,
        userEndpoints,
        featureEndpoints,
        dataSharingEndpoints,
        jobEndpoints,
        mailEndpoints,
        backupEndpoints,
        auditEndpoints,
        blueprintEndpoints,
        emailEndpoints.map(resolvingExternal),
        emailDraftEndpoints,
        templateEndpoints,
        unsubscribeEndpoints,
        invitationEndpoints,
        automationEndpoints,
        unavailabilityEndpoints,
        portalEndpoints,
        cadenceEndpoints,
    ] as [[any Endpoint.Type]]).flatMap { $0 }

private let recordEndpoints: [any Endpoint.Type] = [
    GetRecords.self, GetRecord.self, InsertRecords.self, UpdateRecords.self, UpdateRecord.self, UpsertRecords.self, DeleteRecords.self,
    DeleteRecord.self,
    DeletedRecords.self, CountRecords.self, SearchRecords.self, GetRelatedRecords.self, GetRelatedRecord.self, InsertRecordNotes.self,
    UpdateRelatedRecords.self, UpdateRelatedRecord.self, DelinkRecords.self, DelinkRecord.self, GetRelatedOfDeleted.self,
    CancelEvent.self, UpdateRecordNotes.self, UpdateRecordNote.self, DeleteRecordNotes.self, DeleteRecordNote.self,
    GetTimeline.self, CloneRecord.self, GetFullData.self,
]

private let mergeEndpoints: [any Endpoint.Type] = [
    MergeRecords.self, GetMergeStatus.self, UnmergeRecords.self, ListMergeJournals.self, MergeRecordGroup.self, GetMergeGroupStatus.self,
    GetMergePolicy.self,
    PutMergePolicy.self,
]

private let settingsEndpoints: [any Endpoint.Type] = [
    ListModules.self, GetModule.self, ListFields.self, GetField.self, ListLayouts.self, GetLayout.self, ListRelatedLists.self,
    GetRelatedList.self,
    ListCustomViews.self, GetCustomView.self,
]

private let organizationEndpoints: [any Endpoint.Type] = [GetOrganization.self, ListAPIs.self]
