/// The kinds of jobs this server does. A new kind is a file and a line here.
package enum JobHandlers {
    package static let all: [any JobHandler] = [
        MergeJob(),
        TagMassDeleteJob(),
        EmptyBinJob(),
        MassUpdateJob(),
        MassDeleteJob(),
        PicklistReplaceJob(),
        LockingJob(),
        UnmergeJob(),
        MassChangeOwnerJob(),
        PipelineTransferJob(),
        LayoutTransferJob(),
        TerritoryRulesJob(),
        TerritoryMoveJob(),
        BulkReadJob(),
        CallbackJob(),
        AppointmentClock(),
        MassConvertLeadsJob(),
        MassConvertInventoryJob(),
        RecomputeJob(),
        UserTransferJob(),
        BulkWriteJob(),
        BackupJob(),
        AuditExportJob(),
        CurrencyFillJob(),
    ]
}
