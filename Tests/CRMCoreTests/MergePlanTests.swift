import SQLStore
import Testing
import Wire

@testable import CRMCore
@testable import Metadata

/// What a merge decides before anything is written; no database. Contract: merge, §2, §4, "Deals".
@Suite struct MergePlanTests {
    private static let catalog: Catalog? = (try? StandardSeed(administratorName: "Ada Admin", email: "a@example.test", organization: "Org"))
        .map { Catalog(version: 1, documents: $0.documents) }

    private func module(_ name: String) throws -> Module { try #require(Self.catalog?.module(name)) }

    private func record(_ module: String, _ id: Int64, _ values: [String: SQLValue] = [:]) throws -> Record {
        var record = Record(try self.module(module), id: RecordID(raw: id))
        for (name, value) in values { record[name] = value }
        return record
    }

    private func plan(
        _ master: Record, _ children: [Record], take: [String: MergeRequest.Source] = [:], moves: [MergePlan.Move] = [],
        loops: Set<FieldID> = []
    ) throws -> MergePlan {
        var sources: [FieldID: MergeRequest.Source] = [:]
        for (name, source) in take { sources[try #require(master.module.field(name)).id] = source }
        let request = MergeRequest(master: master, children: children, sources: sources)
        let catalog = try #require(Self.catalog)
        return MergePlan.make(
            request, MergePlan.survivor(of: request, catalog), .init(moves: moves, loops: loops), at: Instant(milliseconds: 77),
            by: UserID(raw: 9), catalog)
    }

    @Test func onlyNamedFieldsComeFromTheChildren() throws {
        let master = try record("Leads", 1, ["Last_Name": .text("M"), "City": .text("Rome"), "Last_Activity_Time": .integer(5)])
        let one = try record("Leads", 2, ["Last_Name": .text("C"), "Phone": .text("1"), "City": .null, "Last_Activity_Time": .integer(8)])
        let two = try record("Leads", 3, ["Last_Name": .text("D"), "First_Name": .text("Di"), "Last_Activity_Time": .integer(6)])
        let survivor = try plan(
            master, [one, two], take: ["Phone": .child(0), "City": .child(0), "First_Name": .child(1), "Last_Name": .master]
        ).survivor
        #expect(survivor["Phone"] == .text("1") && survivor["City"] == .null && survivor["Last_Name"] == .text("M"))
        #expect(survivor["Full_Name"] == .text("Di M"), "the full name follows")
        #expect(survivor["Last_Activity_Time"] == .integer(8), "the latest of all")
        #expect(survivor["Modified_Time"] == .integer(77) && survivor["Modified_By"] == .integer(9) && survivor.heldByMerge == nil)
    }

    @Test func lookupsAtParticipantsBecomeEmpty() throws {
        let master = try record("Contacts", 1, ["Reporting_To": .integer(2), "Account_Name": .integer(50)])
        let child = try record("Contacts", 2, ["Reporting_To": .integer(1), "Account_Name": .integer(51)])
        #expect(try plan(master, [child]).survivor["Reporting_To"] == .null)
        let taken = try plan(master, [child], take: ["Reporting_To": .child(0), "Account_Name": .child(0)]).survivor
        #expect(taken["Reporting_To"] == .null && taken["Account_Name"] == .integer(51))
    }

    @Test func aLongerLoopIsCutWithAWarning() throws {
        let master = try record("Accounts", 1, ["Parent_Account": .integer(7)])
        let child = try record("Accounts", 2)
        let field = try #require(master.module.field("Parent_Account"))
        let cut = try plan(master, [child], loops: [field.id])
        #expect(cut.survivor["Parent_Account"] == .null && cut.warnings.count == 1)
        let kept = try plan(master, [child])
        #expect(kept.survivor["Parent_Account"] == .integer(7) && kept.warnings.isEmpty)
    }

    /// "Deals": pipeline brings stage, stage brings probability, both bring the expected revenue.
    @Test func aDealsProbabilityFollowsItsStage() throws {
        let master = try record(
            "Deals", 1,
            [
                "Stage": .text("Qualification"), "Pipeline": .text("P"), "Probability": .integer(10), "Amount": .real(100),
                "Expected_Revenue": .real(10),
            ])
        let child = try record(
            "Deals", 2, ["Stage": .text("Value Proposition"), "Pipeline": .text("Q"), "Probability": .integer(1), "Amount": .real(50)])
        let pipeline = try plan(master, [child], take: ["Pipeline": .child(0)]).survivor
        #expect(
            pipeline["Stage"] == .text("Value Proposition") && pipeline["Probability"] == .integer(40)
                && pipeline["Expected_Revenue"] == .real(40))
        let amount = try plan(master, [child], take: ["Amount": .child(0)]).survivor
        #expect(
            amount["Stage"] == .text("Qualification") && amount["Probability"] == .integer(10) && amount["Expected_Revenue"] == .real(5))
    }

    /// §2: any child with more than 1000 rows in any one list; lists are modules, the master's rows are not counted.
    @Test(arguments: [([[1000]], false), ([[1001]], true), ([[1000, 1000]], false), ([[3, 1001]], true)] as [([[Int]], Bool)])
    func moreThanAThousandRowsOfAChildMakeAJob(_ counts: [[Int]], _ scheduled: Bool) throws {
        let master = try record("Leads", 1)
        let children = try [record("Leads", 2), record("Leads", 3)]
        let notes = try module("Notes")
        let parent = try #require(notes.field("Parent_Id"))
        let moves = counts.map { MergePlan.Move(module: notes.id, field: parent.id, counts: $0.count == 1 ? $0 + [0] : $0) }
        #expect(try plan(master, children, moves: moves).mustBeScheduled == scheduled)
    }

    @Test func twoLookupsOfOneModuleAreOneList() throws {
        let master = try record("Contacts", 1)
        let child = try record("Contacts", 2)
        let tasks = try module("Tasks")
        let who = try #require(tasks.field("Who_Id"))
        let what = try #require(tasks.field("What_Id"))
        let calls = try module("Calls")
        func move(_ module: Module, _ field: Field, _ count: Int) -> MergePlan.Move {
            .init(module: module.id, field: field.id, counts: [count])
        }
        #expect(try plan(master, [child], moves: [move(tasks, who, 600), move(tasks, what, 401)]).mustBeScheduled)
        #expect(try plan(master, [child], moves: [move(tasks, who, 600), move(calls, what, 600)]).mustBeScheduled == false)
        #expect(try plan(master, [child], moves: [move(tasks, who, 0)]).moves.isEmpty)
    }
}

/// Reading a merge body against given rows. Contract: merge, §1, §3.
@Suite struct MergeReaderTests {
    private static let catalog: Catalog? = (try? StandardSeed(administratorName: "Ada Admin", email: "a@example.test", organization: "Org"))
        .map { Catalog(version: 1, documents: $0.documents) }

    private func read(
        _ body: JSONValue, module: String = "Leads", _ ids: [Int64] = [1, 2, 3], holder: RecordID? = nil,
        change: (inout Record) -> Void = { _ in }
    ) throws -> MergeRequest {
        let catalog = try #require(Self.catalog)
        let module = try #require(catalog.module(module))
        var rows: [RecordID: Record] = [:]
        for id in ids {
            var record = Record(module, id: RecordID(raw: id))
            record["Last_Name"] = .text("N\(id)")
            change(&record)
            rows[record.id] = record
        }
        let object = try MergeReader.mergeObject(JSONCursor(body))
        return try MergeReader(catalog, .system("a test of reading"), module, holder: holder).read(
            object, master: RecordID(raw: 1), rows: LoadedRows(rows, for: .edit))
    }

    /// §1: an id may be a number, `_fields` may be absent, empty or null, unknown keys are ignored.
    @Test(
        arguments: [
            [["id": 2]], [["id": "2", "_fields": []]], [["id": "2", "_fields": .null, "other": [1]]],
            [["id": "2", "_fields": [["api_name": "City", "_data": [1], "x": 1]]]],
        ] as [JSONValue])
    func lenientBodiesAreRead(_ data: JSONValue) throws {
        let request = try read(["merge": [["data": data, "master_record_fields": .null, "x": 1]], "y": 2])
        #expect(request.children.map(\.id.raw) == [2] && request.master.id.raw == 1)
    }

    @Test func sourcesAndPathsAreKept() throws {
        let request = try read([
            "merge": [
                [
                    "data": [
                        ["id": 2, "_fields": [["api_name": "City"]]], ["id": 3, "_fields": [["api_name": "Tag"], ["api_name": "Phone"]]],
                    ],
                    "master_record_fields": [["api_name": "Fax"]],
                ]
            ]
        ])
        let module = request.module
        func source(_ name: String) -> MergeRequest.Source? { module.field(name).flatMap { request.sources[$0.id] } }
        #expect(source("City") == .child(0) && source("Phone") == .child(1) && source("Fax") == .master && source("State") == nil)
        #expect(request.tagSource == .child(1))
        #expect(module.field("Phone").flatMap { request.paths[$0.id] }?.description == "$.merge[0].data[1]._fields[1].api_name")
    }

    /// §8: a scheduled merge may read the records it holds itself, and nobody else's.
    @Test func aHeldRecordIsReadByItsHolderOnly() throws {
        let body: JSONValue = ["merge": [["data": [["id": 2]]]]]
        let job = RecordID(raw: 500)
        func hold(_ record: inout Record) { record.values[record.module.mergeSlot] = .integer(500) }
        #expect(try read(body, holder: job, change: hold).children.count == 1)
        #expect(throws: MergeRefusal.self) { try read(body, change: hold) }
        #expect(throws: MergeRefusal.self) { try read(body, holder: RecordID(raw: 501), change: hold) }
    }
}
