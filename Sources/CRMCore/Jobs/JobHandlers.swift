/// The kinds of jobs this server does. A new kind is a file and a line here.
package enum JobHandlers {
    package static let all: [any JobHandler] = [
        MergeJob(), TagMassDeleteJob(), EmptyBinJob(), MassUpdateJob(), MassDeleteJob(), PicklistReplaceJob(), LockingJob(),
        MassChangeOwnerJob(),
        PipelineTransferJob(), RecomputeJob(), LayoutTransferJob(),
    ]
}
