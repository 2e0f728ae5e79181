import Metadata
import SQLStore
import Wire

extension Services {
    /// Makes the configuration of a module, which may have one only. Rules that ask for it lock what is there, as a job.
    package func addLockingConfiguration(_ item: JSONCursor, of moduleID: ModuleID, by user: UserID) async throws -> RecordID {
        try await changeMetadata { scope in
            guard let module = scope.catalog.module(id: moduleID) else { throw Rejection.invalidModule() }
            guard LockingConfiguration.of(module, scope.catalog) == nil else {
                throw Rejection(
                    .limitExceeded, message: "the module has a locking configuration already", .jsonPath(item.path), .other("limit", 1))
            }
            let reader = reader(module, user, scope)
            var body = try reader.read(item, over: [:])
            let author = stamp(user, scope)
            for (key, value) in [
                ("created_time", author.time), ("modified_time", author.time), ("created_by", author.person),
                ("modified_by", author.person),
            ] {
                body[key] = value
            }
            let id = scope.ids.next()
            try scope.add(
                [Document(id: id, kind: .recordLocking, parent: RecordID(raw: moduleID.raw), body: body)])
            try lockExisting(id, body, over: [:], module, scope)
            return id
        }
    }

    package func changeLockingConfiguration(_ item: JSONCursor, id: RecordID, of moduleID: ModuleID, by user: UserID) async throws
        -> RecordID
    {
        try await changeMetadata { scope in
            guard let module = scope.catalog.module(id: moduleID) else { throw Rejection.invalidModule() }
            guard let before = LockingConfiguration.of(module, scope.catalog), before.id == id else {
                throw Rejection.unknownRecord(at: item.path.appending("id"))
            }
            let reader = reader(module, user, scope)
            var body = try reader.read(item, over: before.body)
            let author = stamp(user, scope)
            for key in ["created_time", "created_by"] { body[key] = before.body[key] ?? .null }
            body["modified_time"] = author.time
            body["modified_by"] = author.person
            try scope.replace(id, body: body)
            try lockExisting(id, body, over: before.body, module, scope)
            return id
        }
    }

    /// Drops a configuration; a job frees what it locked. Until then nothing is forbidden any more.
    package func removeLockingConfiguration(_ id: RecordID, of moduleID: ModuleID) async throws {
        try await changeMetadata { scope in
            guard let module = scope.catalog.module(id: moduleID), let known = LockingConfiguration.of(module, scope.catalog),
                known.id == id
            else {
                throw Rejection.invalidPathID(0)
            }
            if known.body["system_defined"]?.bool == true { throw Rejection(.notAllowed, status: 403, .id(id)) }
            try scope.remove([id])
            try LockingJob.schedule(id, of: moduleID, releasing: true, id: scope.ids.next(), at: scope.now, scope.tx)
        }
    }

    private func reader(_ module: Module, _ user: UserID, _ scope: MetadataScope) -> LockingReader {
        LockingReader(
            catalog: scope.catalog, module: module, user: user, ids: scope.ids,
            dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog)
        )
    }

    private func lockExisting(_ id: RecordID, _ body: JSONValue, over before: JSONValue, _ module: Module, _ scope: MetadataScope) throws {
        let known = before["locking_rules"]?.array ?? []
        let wanted = (body["locking_rules"]?.array ?? []).contains { $0["lock_existing_records"]?.bool == true && !known.contains($0) }
        guard wanted, body["lock_type"] != "manual" else { return }
        try LockingJob.schedule(id, of: module.id, releasing: false, id: scope.ids.next(), at: scope.now, scope.tx)
    }

    private func stamp(_ user: UserID, _ scope: MetadataScope) -> (time: JSONValue, person: JSONValue) {
        let person = scope.catalog.user(user).map { ["name": .string($0.fullName), "id": .string(String($0.id.raw))] as JSONValue }
        return (.string(scope.now.iso(offsetMinutes: scope.catalog.zone.offsetMinutes(at: scope.now))), person ?? .null)
    }
}
