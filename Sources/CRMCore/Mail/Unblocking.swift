import Metadata
import SQLStore
import Wire

/// Frees addresses of records that mails came back from. Contract: emails, 232.
package enum Unblocking {
    /// The fields that may be named.
    package static let fields = ["Email", "Secondary_Email"]

    /// One outcome for each record. Which fields the module has was asked before.
    package static func unblock(_ ids: [RecordID], _ fields: [String], of module: Module, inPath: Bool, _ scope: WriteScope) throws
        -> [Result<
            RecordID, Rejection
        >]
    {
        try scope.access.require(.sendMail, module)
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module.whole, for: .sendMail, scope.tx)
        var addresses: [RecordID: [MailAddress]] = [:]
        for id in ids { addresses[id] = fields.compactMap { rows[id]?[$0].text.flatMap(MailAddress.init) } }
        var entries = try BlockedAddresses.entries(addresses.values.flatMap(\.self), locked: true, scope.tx)
        var outcomes: [Result<RecordID, Rejection>] = []
        for id in ids {
            guard rows[id] != nil else {
                let unknown =
                    inPath ? Rejection.invalidPathID(1) : Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
                outcomes.append(.failure(rows.refusal(of: id, else: unknown)))
                continue
            }
            let blocked = (addresses[id] ?? []).filter { entries[$0.folded]?.isBlocked == true }
            let found = blocked.compactMap { entries[$0.folded] }
            let refusal: String? =
                if blocked.isEmpty { "Email is already unblocked" } else if found.contains(where: \.isPermanent) {
                    "Cannot unblock, Email is blocked permanently"
                } else if found.contains(where: { $0.unblocked >= BlockedAddresses.mostUnblocks }) {
                    "Cannot unblock, email has been unblocked 5 times already"
                } else { nil }
            if let refusal {
                outcomes.append(.failure(Rejection(.notAllowed, message: refusal, .id(id))))
                continue
            }
            try BlockedAddresses.unblock(blocked, now: scope.now, scope.tx)
            // Another record of the same address finds it free.
            for address in blocked { entries[address.folded] = nil }
            outcomes.append(.success(id))
        }
        return outcomes
    }
}
