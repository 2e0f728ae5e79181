import CRMCore
import Foundation
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What is backed up comes back, on the same engine and on the other one.
@Suite struct RestoreTests {
    private struct Way: Sendable, CustomStringConvertible {
        let from: Database.Engine
        let to: Database.Engine
        var description: String { "\(from) to \(to)" }
    }

    private static let ways = TestServer.engines.flatMap { from in TestServer.engines.map { Way(from: from, to: $0) } }

    /// Everything in a database: each table's rows as texts, in an order that does not depend on the engine. Left out is what belongs to
    /// a process, a moment or a store.
    private static func dump(_ services: Services) async throws -> [String: [String]] {
        let out: Set<String> = [
            "sys_migration", "sys_process", "sys_credit", "sys_idempotency", "sys_file_chunk", "sys_blob", "sys_backup", "sys_backup_log",
            "sys_backup_file", "sys_job", "sys_file", "sys_secret",
        ]
        return try await services.database.run(.read) { tx in
            let columns = try tx.rows(
                "SELECT s.table_name, s.column_name, s.type_name FROM \(.schemaColumns) s ORDER BY s.table_name, s.column_name"
            ) {
                ($0.text(0) ?? "", $0.text(1) ?? "", $0.text(2) ?? "")
            }
            var found: [String: [String]] = [:]
            for (name, parts) in Dictionary(grouping: columns, by: \.0)
            where !out.contains(name) && !name.hasPrefix("sys_search") && !name.hasPrefix("sqlite_") {
                guard let table = TableName(checked: name) else { continue }
                let names = parts.compactMap { ColumnName(checked: $0.1) }
                let rows = try tx.rows("SELECT \(.joined(names)) FROM \(table)") { row in
                    parts.indices.map { index in
                        switch parts[index].2 {
                        case "integer", "bigint": row.integer(index).map(String.init) ?? "-"
                        case "real", "double precision": row.real(index).map { "\($0)" } ?? "-"
                        default: row.text(index).map { "'\($0)'" } ?? "-"
                        }
                    }.joined(separator: "|")
                }
                found[name] = rows.sorted()
            }
            return found
        }
    }

    /// An organisation with something of everything.
    private static func fill(_ bench: RecordBench) async throws -> (merged: TestServer.Answer, master: String, attachment: String) {
        let organisation = try Organisation(bench.server)
        let made = await organisation.makeModule("Vehicles", "Vehicle", bench.token)
        let module = bench.server.services.catalog.current().modules.first { $0.generatedType == "custom" }?.apiName ?? made.text
        await organisation.makeFields(
            module, [["field_label": "Price", "data_type": "currency", "length": 16, "decimal_place": 2]], bench.token)
        _ = try await bench.add(module, (1...30).map { ["Name": .string("Vehicle \($0)"), "Price": .real(Double($0) + 0.1)] as JSONValue })
        let texts = ["", "plain", "with \"quotes\", commas\nand lines\r\n", "  blanks  ", "Ünïcödé 😀", "=1+1", ",", "\"", "\n"]
        let contacts = try await bench.add(
            "Contacts", texts.enumerated().map { ["Last_Name": .string("Kim \($0)"), "Description": .string($1)] as JSONValue })
        let account = try await bench.add("Accounts", ["Account_Name": "Harbour", "Annual_Revenue": 0.1])
        for contact in contacts.prefix(3) {
            _ = try await bench.add("Tasks", ["Subject": "Call", "Who_Id": ["id": .string(contact)], "Due_Date": "2026-02-28"])
            await bench.send(
                "POST", "Notes",
                ["data": [["Note_Content": "said", "Parent_Id": ["id": .string(contact), "module": ["api_name": "Contacts"]]]]])
            await bench.send("PUT", "Contacts/\(contact)", ["data": [["Account_Name": ["id": .string(account)], "Phone": "5"]]])
        }
        await bench.send("POST", "Contacts/\(contacts[0])/actions/add_tags", ["tags": [["name": "vip"]]])
        let attached = await bench.server.upload(
            "/crm/v7/Contacts/\(contacts[0])/Attachments", .file("offer: 1?.txt", Array("the offer".utf8)), token: bench.token)
        let attachment = attached.json?["data"]?.array?.first?["details"]?["id"]?.string ?? attached.text
        let merged = await bench.merge("Contacts", contacts[0], [(contacts[1], ["Phone"])])
        await bench.send("DELETE", "Contacts/\(contacts[5])")
        return (merged, contacts[0], attachment)
    }

    /// The zips of the newest backup, as files.
    private static func download(_ server: TestServer, to folder: URL) async throws -> [String] {
        let links = try #require(try await Backups(server.services).links())
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var paths: [String] = []
        for name in links.data + links.attachments {
            let entry = try #require(try await Backups(server.services).file(links.job, named: name))
            var bytes: [UInt8] = []
            for try await piece in server.services.files.bytes(of: entry) { bytes += piece }
            let url = folder.appendingPathComponent(name)
            try Data(bytes).write(to: url)
            paths.append(url.path)
        }
        return paths
    }

    @Test(arguments: ways) private func everythingComesBack(_ way: Way) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-restore-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let scopes = BackupTests.scopes
        var before: RecordDump?
        var tables: [String: [String]] = [:]
        var paths: [String] = []
        var made: (merged: TestServer.Answer, master: String, attachment: String)?
        var kept = ""
        try await TestServer.with(way.from) { server in
            let bench = RecordBench(server: server, token: try await server.token(scopes))
            made = try await Self.fill(bench)
            kept = bench.token
            #expect(await server.send("POST", BackupTests.path, token: bench.token).status == 200)
            before = try await bench.dump()
            tables = try await Self.dump(server.services)
            // Parts of this size: several zips, and tables in several files.
            await JobWorker(server.services, handlers: [BackupJob(partLimit: 12_000)]).drain()
            paths = try await Self.download(server, to: folder)
            #expect(paths.filter { $0.contains("Data_") }.count > 2 && paths.filter { $0.contains("Attachments_") }.count == 1)
        }
        let home = try await TestDatabase.empty(way.to)
        let data = paths.filter { $0.contains("Data_") }
        let missing = await #expect(throws: RestoreFailure.self) { try await Restore(home.location).run(Array(data.dropFirst())) }
        #expect(missing?.description.contains("complete") == true)
        await #expect(throws: RestoreFailure.self) { try await Restore(home.location).run(data) }
        let summary = try await Restore(home.location).run(paths)
        #expect(summary.contents == 1)
        await #expect(throws: RestoreFailure.self) { try await Restore(home.location).run(paths) }
        let (merged, master, attachment) = try #require(made)
        try await TestServer.with(home) { server in
            let after = try await RecordDump.take(server.services)
            #expect(after.differences(from: try #require(before)) == [])
            let restored = try await Self.dump(server.services)
            for name in Set(tables.keys).union(restored.keys).sorted() {
                #expect(restored[name] == tables[name], "\(name)")
            }
            #expect(try await ConsistencyCheck.run(server.services) == [])
            // The token is good as before, files can be read, words found, merges taken back, and new entries numbered on.
            let bench = RecordBench(server: server, token: kept)
            let file = await bench.send("GET", "Contacts/\(master)/Attachments/\(attachment)")
            #expect(file.text == "the offer")
            #expect(await bench.send("GET", "Contacts/search?word=Kim").json?["data"]?.array?.count == texts)
            #expect(await bench.undo("Contacts", master, merged).status == 200)
            _ = try await bench.add("Leads", ["Last_Name": "New"])
        }
    }

    /// Ten contacts, of which one was merged away and one deleted.
    private let texts = 7

    @Test(arguments: TestServer.engines) func nothingIsRestoredOverAnOrganisation(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-restore-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        var paths: [String] = []
        try await TestServer.with(engine) { server in
            let token = try await server.token(BackupTests.scopes)
            await server.send("POST", BackupTests.path, token: token)
            await JobWorker(server.services).drain()
            paths = try await Self.download(server, to: folder)
        }
        let failure = await #expect(throws: RestoreFailure.self) { try await Restore(home.location).run(paths) }
        #expect(failure?.description.contains("holds an organisation") == true)
        await home.remove()
        let text = folder.appendingPathComponent("no.zip")
        try Data("no zip at all, but long enough to be one if it were".utf8).write(to: text)
        await #expect(throws: ZipFailure.self) { try await Restore(home.location).run([text.path]) }
        await #expect(throws: RestoreFailure.self) { try await Restore(home.location).run([folder.path + "/nothing.zip"]) }
    }
}
