/// The rules every write passes, in order. A new rule is a file and a line here.
package enum RecordRules {
    package static let all: [any RecordRule] = [
        FullNameRule(),
        ActivityRule(),
        NoteRule(),
        DealRule(),
        InventoryRule(),
        AutonumberRule(),
        DependencyRule(),
        StageHistoryRule(),
        TaskRule(),
        EventRule(),
        RecurrenceRule(),
        LockingRule(),
        BlueprintRule(),
        CurrencyRule(),
        SearchIndexRule(),
        EventParticipantRule(),
        TerritoryRule(),
        ServiceRule(),
        AppointmentRule(),
        RescheduleHistoryRule(),
        FormulaRule(),
        ScoringRecordRule(),
    ]
}
