import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import RestV7

/// Encrypted fields. Contract: fields, U6, U7 (`crypt`); query-api, 259; the pages of search and COQL on encrypted fields.
@Suite struct EncryptedFieldsTests {
    private static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.coql.READ,ZohoCRM.mass_update.ALL,ZohoCRM.bulk.ALL,ZohoFiles.files.ALL,ZohoSearch.securesearch.READ"
    private static let secret = "Zebra-4711"

    private static func with(_ engine: Database.Engine, _ body: (RecordBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            try await body(RecordBench(server: server, token: try await server.token(scopes)))
        }
    }

    /// Makes fields of leads, by label and type.
    private static func make(_ bench: RecordBench, _ fields: [JSONValue]) async -> [String] {
        let answer = await bench.send("POST", "settings/fields?module=Leads", ["fields": .array(fields)])
        #expect(answer.status == 201, "\(answer.text)")
        return (answer.json?["fields"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
    }

    private static func field(_ label: String, _ type: String, encrypted: Bool = true, _ more: [JSONValue.Member] = []) -> JSONValue {
        .object(
            [
                .init("field_label", .string(label)), .init("data_type", .string(type)),
                .init("crypt", ["mode": encrypted ? "encryption" : "decryption"]),
            ] + more)
    }

    private static func patch(_ bench: RecordBench, _ id: String, _ mode: String) async -> TestServer.Answer {
        await bench.send("PATCH", "settings/fields/\(id)?module=Leads", ["fields": [["crypt": ["mode": .string(mode)]]]])
    }

    private static func crypt(_ bench: RecordBench, _ id: String) async -> JSONValue? {
        await bench.send("GET", "settings/fields/\(id)?module=Leads").json?["fields"]?.array?.first?["crypt"]
    }

    /// Everything in the database as text: every column of every table.
    private static func everything(_ bench: RecordBench) async throws -> String {
        let catalog = bench.server.services.catalog.current()
        return try await bench.server.services.database.run(.read) { tx in
            var all = ""
            for table in try BackupTables.all(catalog, tx) {
                try tx.stream("SELECT \(.joined(table.columns.map(\.name))) FROM \(table.name)") { row in
                    for column in table.columns.indices { all += (row.text(column) ?? "") + "\n" }
                }
            }
            try tx.forEach("SELECT grams FROM sys_search") { row in all += (row.text(0) ?? "") + "\n" }
            return all
        }
    }

    private static func expectNoSecret(_ bench: RecordBench) async throws {
        let all = try await everything(bench)
        #expect(all.count > 1_000 && all.contains("enc1:"))
        for secret in [secret, secret.lowercased(), "73219", "2031-05-06", "Lynx"] {
            #expect(!all.contains(secret), "\(secret) is readable")
        }
    }

    @Test(arguments: TestServer.engines) func valuesAreReadThroughTheAPIAndNowhereElse(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            _ = await Self.make(
                bench,
                [
                    Self.field("Pass", "text"), Self.field("Size", "integer"), Self.field("Due", "date"), Self.field("Seen", "datetime"),
                    Self.field("Rate", "double", [.init("decimal_place", 3)]),
                ])
            let ids = try await bench.add(
                "Leads",
                [
                    [
                        "Last_Name": "Kim", "Company": "K", "Pass": .string(Self.secret), "Size": 73219, "Due": "2031-05-06",
                        "Seen": "2031-05-06T07:08:09Z", "Rate": 1.125,
                    ],
                    ["Last_Name": "Lee", "Company": "L", "Pass": "Lynx"],
                ])
            let shown = await bench.get("Leads", ids[0])
            #expect(shown["Pass"] == .string(Self.secret) && shown["Size"] == 73219 && shown["Due"] == "2031-05-06")
            #expect(shown["Rate"] == 1.125 && shown["Seen"]?.string.flatMap(Instant.init(iso:)) == Instant(iso: "2031-05-06T07:08:09Z"))
            try await Self.expectNoSecret(bench)

            // An update, its history, and the same value again, which is no change.
            #expect(await bench.send("PUT", "Leads/\(ids[1])", ["data": [["Pass": .string(Self.secret)]]]).status == 200)
            let history = await bench.send("GET", "Leads/\(ids[1])/__timeline").json?["__timeline"]?.array ?? []
            let change = history.flatMap { $0["field_history"]?.array ?? [] }.first { $0["api_name"] == "Pass" }
            #expect(change?["_value"] == ["old": "Lynx", "new": .string(Self.secret)], "\(history)")
            // What is missing is empty, as anywhere.
            #expect(await bench.send("PUT", "Leads/\(ids[1])", ["data": [["Pass": .null]]]).status == 200)
            #expect(await bench.get("Leads", ids[1])["Pass"] == .null)
            #expect(await bench.send("DELETE", "Leads/\(ids[0])").status == 200)
            try await Self.expectNoSecret(bench)
            // Types hold before anything is sealed.
            let bad = await bench.send("PUT", "Leads/\(ids[1])", ["data": [["Size": "many"]]])
            #expect(bad.json?["data"]?.array?.first?["code"] == "INVALID_DATA")
        }
    }

    @Test(arguments: TestServer.engines) func mergesAndTheirUndoCarryValues(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            _ = await Self.make(bench, [Self.field("Pass", "text"), Self.field("Size", "integer")])
            let ids = try await bench.add(
                "Leads",
                [["Last_Name": "Kim", "Company": "K", "Size": 1], ["Last_Name": "Kim", "Company": "K", "Pass": "Lynx", "Size": 73219]])
            let before = try await bench.dump()
            let merged = await bench.merge("Leads", ids[0], [(ids[1], ["Pass", "Size"])])
            #expect(merged.status == 201, "\(merged.text)")
            let survivor = await bench.get("Leads", ids[0])
            #expect(survivor["Pass"] == "Lynx" && survivor["Size"] == 73219)
            try await Self.expectNoSecret(bench)
            #expect(await bench.undo("Leads", ids[0], merged).status == 200)
            #expect(await bench.get("Leads", ids[0])["Size"] == 1)
            #expect(await bench.get("Leads", ids[1])["Pass"] == "Lynx")
            let after = try await bench.dump()
            #expect(after.differences(from: before) == [])
        }
    }

    /// The page of COQL: in SELECT and WHERE; numbers by = and !=, everything by is null; nothing else.
    @Test(arguments: TestServer.engines) func queriesAskOfThemWhatThePagesAllow(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            _ = await Self.make(bench, [Self.field("Pass", "text"), Self.field("Size", "integer"), Self.field("Mail", "email")])
            let ids = try await bench.add(
                "Leads",
                [
                    ["Last_Name": "A", "Company": "K", "Pass": .string(Self.secret), "Size": 5, "Mail": "a@x.example"],
                    ["Last_Name": "B", "Company": "K", "Size": 6], ["Last_Name": "C", "Company": "K", "Pass": "Other"],
                ])
            func ask(_ query: String) async -> TestServer.Answer { await bench.send("POST", "coql", ["select_query": .string(query)]) }
            func names(_ condition: String) async -> [String] {
                let answer = await ask("select Last_Name, Pass from Leads where \(condition) order by Last_Name")
                return (answer.json?["data"]?.array ?? []).compactMap { $0["Last_Name"]?.string }
            }
            #expect(await names("Size = 5") == ["A"])
            #expect(await names("Size != 5") == ["B", "C"])
            #expect(await names("Size is null") == ["C"])
            #expect(await names("Pass is not null") == ["A", "C"])
            let shown = await ask("select Pass, Size from Leads where Last_Name = 'A'")
            #expect(shown.json?["data"]?.array?.first?["Pass"] == .string(Self.secret), "\(shown.text)")
            #expect(shown.json?["data"]?.array?.first?["Size"] == 5)
            for refused in [
                "select Last_Name from Leads where Pass = 'Other'", "select Last_Name from Leads where Pass like 'O%'",
                "select Last_Name from Leads where Pass in ('Other')", "select Last_Name from Leads where Size > 4",
                "select Last_Name from Leads where Size in (4, 5)", "select Last_Name from Leads where id is not null order by Pass",
                "select Pass from Leads where id is not null group by Pass", "select SUM(Size) from Leads where id is not null",
                "select MAX(Size) as m from Leads where id is not null", "select COUNT(Size) as m from Leads where id is not null",
            ] {
                let answer = await ask(refused)
                #expect(answer.status == 400 && answer.json?["code"] == "INVALID_QUERY", "\(refused): \(answer.text)")
            }

            // `Search_Records`: the only operator for encrypted fields is equals.
            func search(_ query: String) async -> TestServer.Answer { await bench.send("GET", "Leads/search?\(query)") }
            #expect(await search("criteria=(Pass:equals:\(Self.secret))").json?["data"]?.array?.first?["id"] == .string(ids[0]))
            #expect(await search("criteria=(Pass:equals:Zebra)").status == 204)
            #expect(await search("email=a@x.example").json?["data"]?.array?.first?["id"] == .string(ids[0]))
            #expect(await search("word=Zebra").status == 204)
            for word in ["starts_with:Ze", "not_equal:Other", "in:Other,\(Self.secret)"] {
                #expect(await search("criteria=(Pass:\(word))").json?["code"] == "INVALID_QUERY", "\(word)")
            }
            #expect(await search("criteria=(Size:between:1,9)").json?["code"] == "INVALID_QUERY")
        }
    }

    @Test(arguments: TestServer.engines) func aFieldIsEncryptedAndDecryptedLater(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            let fields = await Self.make(
                bench, [Self.field("Pass", "text", encrypted: false), Self.field("Size", "integer", encrypted: false)])
            #expect(await Self.crypt(bench, fields[0]) == .null)
            let ids = try await bench.add(
                "Leads",
                (0..<3).map { ["Last_Name": .string("N\($0)"), "Company": "K", "Pass": .string(Self.secret), "Size": 73219] })
            #expect(await bench.send("PUT", "Leads/\(ids[0])", ["data": [["Pass": "Lynx"]]]).status == 200)
            #expect(await bench.send("DELETE", "Leads/\(ids[2])").status == 200)
            let all = try await Self.everything(bench)
            #expect(all.contains(Self.secret) && all.contains("73219") && all.contains("Lynx"))
            #expect(await bench.send("GET", "Leads/search?word=Zebra").status == 200)

            for field in fields { #expect(await Self.patch(bench, field, "encryption").status == 200) }
            #expect(await Self.crypt(bench, fields[0]) == ["mode": "encryption", "status": 2])
            // While the job waits: reading, writing, asking and merging as ever; another change of it is refused.
            #expect(await bench.get("Leads", ids[0])["Pass"] == "Lynx")
            #expect(await bench.get("Leads", ids[1])["Size"] == 73219)
            #expect(await bench.send("PUT", "Leads/\(ids[1])", ["data": [["Size": 73219, "Pass": "Lynx"]]]).status == 200)
            #expect(await bench.send("GET", "Leads/search?criteria=(Pass:equals:Lynx)").json?["data"]?.array?.count == 2)
            let early = await Self.patch(bench, fields[0], "decryption")
            #expect(early.json?["fields"]?.array?.first?["code"] == "NOT_ALLOWED", "\(early.text)")

            await bench.drain()
            #expect(await Self.crypt(bench, fields[0]) == ["mode": "encryption", "status": 1])
            try await Self.expectNoSecret(bench)
            #expect(await bench.get("Leads", ids[0])["Pass"] == "Lynx")
            #expect(await bench.get("Leads", ids[1])["Size"] == 73219)
            #expect(await bench.send("GET", "Leads/search?word=Zebra").status == 204)
            let history = await bench.send("GET", "Leads/\(ids[0])/__timeline").text
            #expect(history.contains(Self.secret) && history.contains("Lynx"))
            // What was deleted before comes back with its value.
            #expect(await bench.send("POST", "settings/recycle_bin/actions/restore?ids=\(ids[2])").status == 200)
            #expect(await bench.get("Leads", ids[2])["Pass"] == .string(Self.secret), "restored")

            for field in fields { #expect(await Self.patch(bench, field, "decryption").status == 200) }
            #expect(await Self.crypt(bench, fields[1]) == ["mode": "decryption", "status": 2])
            #expect(await bench.get("Leads", ids[1])["Size"] == 73219)
            await bench.drain()
            #expect(await Self.crypt(bench, fields[0]) == .null)
            #expect(await bench.get("Leads", ids[1])["Pass"] == "Lynx")
            #expect(await bench.get("Leads", ids[1])["Size"] == 73219)
            let plain = try await Self.everything(bench)
            #expect(!plain.contains("enc1:") && plain.contains(Self.secret))
            #expect(await bench.send("GET", "Leads/search?word=Lynx").json?["data"]?.array?.count == 2)
            #expect(await bench.send("GET", "Leads/search?criteria=(Size:between:73000,74000)").json?["data"]?.array?.count == 3)
            let again = await Self.patch(bench, fields[0], "encryption")
            #expect(again.status == 200)
            await bench.drain()
            #expect(await bench.get("Leads", ids[1])["Pass"] == "Lynx")
        }
    }

    @Test(arguments: TestServer.engines) func whatLooksIntoValuesKeepsAFieldPlain(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            let fields = await Self.make(
                bench,
                [
                    Self.field("Size", "integer", encrypted: false),
                    Self.field("Code", "text", encrypted: false, [.init("unique", ["case_sensitive": false])]),
                    Self.field("Pass", "text"),
                ])
            _ = await Self.make(
                bench,
                [["field_label": "Twice", "data_type": "formula", "formula": ["return_type": "double", "expression": "${Size} * 2"]]])
            func code(_ answer: TestServer.Answer) -> JSONValue? { answer.json?["fields"]?.array?.first?["code"] }
            let used = await Self.patch(bench, fields[0], "encryption")
            #expect(code(used) == "NOT_ALLOWED" && used.text.contains("formula: Twice"), "\(used.text)")
            #expect(code(await Self.patch(bench, fields[1], "encryption")) == "DEPENDENT_MISMATCH")
            let unique = await bench.send(
                "PATCH", "settings/fields/\(fields[2])?module=Leads", ["fields": [["unique": ["case_sensitive": false]]]])
            #expect(code(unique) == "DEPENDENT_MISMATCH", "\(unique.text)")
            let formula = await bench.send(
                "POST", "settings/fields?module=Leads",
                ["fields": [["field_label": "Len", "data_type": "formula", "formula": ["return_type": "text", "expression": "${Pass}"]]]])
            #expect(code(formula) == "INVALID_DATA", "\(formula.text)")
            // A field of the system stays as it is.
            let company = bench.server.services.catalog.current().module("Leads")?.field("Company")?.id.raw ?? 0
            #expect(code(await Self.patch(bench, String(company), "encryption")) == "NOT_SUPPORTED")
            let flag = await bench.send("POST", "settings/fields?module=Leads", ["fields": [Self.field("Flag", "boolean")]])
            #expect(flag.status == 403 && code(flag) == "NOT_SUPPORTED")
        }
    }

    @Test(arguments: TestServer.engines) func exportsAndMassUpdatesGoOnWorking(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bulk = BulkBench(server: server, token: try await server.token(Self.scopes))
            let bench = RecordBench(server: server, token: bulk.token)
            _ = await Self.make(bench, [Self.field("Pass", "text"), Self.field("Size", "integer")])
            let ids = try await bench.add("Leads", [["Last_Name": "A", "Company": "K", "Pass": "Lynx", "Size": 73219]])
            let export = try await bulk.startRead(["module": ["api_name": "Leads"], "fields": ["Last_Name", "Pass", "Size"]])
            await bulk.drain()
            #expect(try await bulk.lines(of: export) == ["Id,Last_Name,Pass,Size", "\(ids[0]),A,Lynx,73219"])
            let view = server.services.catalog.current().documents(.customView).first { view in
                view.parent?.raw == server.services.catalog.current().module("Leads")?.id.raw
            }
            let update = await bench.send(
                "POST", "Leads/actions/mass_update",
                ["data": [["Pass": .string(Self.secret)]], "over_write": true, "cvid": .id(view?.id ?? RecordID(raw: 0))])
            #expect(update.status < 300, "\(update.text)")
            try await Self.expectNoSecret(bench)
            await bench.drain()
            #expect(await bench.get("Leads", ids[0])["Pass"] == .string(Self.secret))
            try await Self.expectNoSecret(bench)
        }
    }

    @Test(arguments: TestServer.engines) func withoutAKeyNothingIsEncryptedAndNothingStarts(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let bare = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        let refused = try await bare.services.changeMetadata { scope -> Rejection? in
            guard let module = scope.catalog.module("Leads"), let shaper = FieldShaper(scope, module: module.id) else { return nil }
            let result = try scope.each([JSONCursor(Self.field("Pass", "text"))]) { try shaper.create($0) }
            if case .failure(let rejection)? = result.first { return rejection }
            return nil
        }
        #expect(refused?.code == .notSupported)
        await bare.close()
        let first = try await Bootstrap.start(home.location, demo: false, vault: TestKeys.vault, logger: TestDatabase.logger)
        let made = try await first.services.changeMetadata { scope in
            guard let module = scope.catalog.module("Leads"), let shaper = FieldShaper(scope, module: module.id) else { return false }
            return try scope.each([JSONCursor(Self.field("Pass", "text"))]) { try shaper.create($0) }.allSatisfy { (try? $0.get()) != nil }
        }
        #expect(made)
        await first.close()
        await #expect(throws: MissingEncryptionKeys.self) {
            _ = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        }
        await #expect(throws: MissingEncryptionKeys.self) {
            _ = try await Bootstrap.start(home.location, demo: false, vault: TestKeys.keys(TestKeys.second), logger: TestDatabase.logger)
        }
        let both = try await Bootstrap.start(
            home.location, demo: false, vault: TestKeys.keys(TestKeys.second, TestKeys.first), logger: TestDatabase.logger)
        #expect(both.services.catalog.current().missingKeys.isEmpty)
        await both.close()
        await home.remove()
    }

    @Test(arguments: TestServer.engines) func aNewKeyTakesOverOnRequest(_ engine: Database.Engine) async throws {
        let vaults = [
            TestKeys.keys(TestKeys.first), TestKeys.keys(TestKeys.second, TestKeys.first), TestKeys.keys(TestKeys.second),
        ]
        var (field, id) = ("", "")
        try await TestServer.inTurn(engine, vaults) { turn, server in
            let bench = RecordBench(server: server, token: try await server.token(Self.scopes))
            func find() async -> Int { await bench.send("GET", "Leads/search?criteria=(Pass:equals:Lynx)").status }
            if turn == 0 {
                field = await Self.make(bench, [Self.field("Pass", "text")]).first ?? ""
                id = try await bench.add("Leads", ["Last_Name": "A", "Company": "K", "Pass": "Lynx"])
            }
            #expect(await bench.get("Leads", id)["Pass"] == "Lynx")
            #expect(await find() == 200)
            guard turn == 1 else { return }
            #expect(await Self.patch(bench, field, "encryption").status == 200)
            #expect(await Self.crypt(bench, field) == ["mode": "encryption", "status": 2])
            #expect(await find() == 200)
            await bench.drain()
            #expect(await Self.crypt(bench, field) == ["mode": "encryption", "status": 1])
        }
    }

    /// What is plain again is found by all searches, whether or not it has been written since.
    @Test(arguments: TestServer.engines) func wordsFindWhatIsPlainAgain(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            let id = await Self.make(bench, [Self.field("Coat", "text", encrypted: false)])[0]
            let lead = try await bench.add("Leads", [["Last_Name": "Kim", "Company": "K", "Coat": "zebracorn blue"]])[0]
            func found(_ query: String) async -> [JSONValue?] {
                (await bench.send("GET", "Leads/search?fields=Coat&\(query)").json?["data"]?.array ?? []).map { $0["id"] }
            }
            #expect(await found("word=zebracorn") == [.string(lead)])
            for mode in ["encryption", "decryption"] {
                #expect(await Self.patch(bench, id, mode).status == 200)
                await bench.drain()
            }
            for query in ["word=zebracorn", "criteria=(Coat:equals:zebracorn%20blue)", "criteria=(Coat:starts_with:zebra)"] {
                #expect(await found(query) == [.string(lead)], "\(query)")
            }
        }
    }
}
