import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: export-audit-log, 37 to 39.
@Suite struct AuditExportTests {
    private static let path = "/crm/v7/settings/audit_log_export"
    private static let scopes = TestServer.recordScopes + ",ZohoFiles.files.READ"

    private static func body(_ criteria: JSONValue) -> JSONValue { ["audit_log_export": [["criteria": criteria]]] }
    private static func leaf(_ name: String, _ comparator: String, _ value: JSONValue) -> JSONValue {
        ["field": ["api_name": .string(name)], "comparator": .string(comparator), "value": value]
    }

    /// Exports, and returns the file's text with the job as it is shown afterwards.
    private static func export(_ bench: RecordBench, _ body: JSONValue?, _ job: AuditExportJob = AuditExportJob()) async throws -> (
        answer: TestServer.Answer, job: JSONValue
    ) {
        let started = await bench.server.send("POST", path, body, token: bench.token)
        #expect(started.status == 200, "\(started.text)")
        let result = started.json?["audit_log_export"]?.array?.first
        #expect(result?["code"] == "SCHEDULED" && result?["status"] == "success")
        let id = result?["details"]?["id"]?.string ?? ""
        await JobWorker(bench.server.services, handlers: [job]).drain()
        let shown = await bench.server.send("GET", "\(path)/\(id)", token: bench.token).json?["audit_log_export"]?.array?.first ?? .null
        let link = shown["download_links"]?.array?.first?.string ?? ""
        return (await bench.server.send("GET", String(link.dropFirst("http://crm.example.test".count)), token: bench.token), shown)
    }

    private static func lines(_ text: String) -> [String] { text.split(separator: "\r\n").map(String.init) }

    private static func fill(_ bench: RecordBench) async throws -> [String] {
        let leads = try await bench.add("Leads", [["Last_Name": "Kim", "Company": "One, Two"], ["Last_Name": "Lee"]])
        _ = try await bench.add("Contacts", ["Last_Name": "Moe"])
        await bench.send("PUT", "Leads/\(leads[0])", ["data": [["Phone": "5"]]])
        await bench.send("DELETE", "Leads/\(leads[1])")
        return leads
    }

    /// 37, "whole body may be absent = everything"; 38; 39.
    @Test(arguments: TestServer.engines) func everythingIsExported(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = RecordBench(server: server, token: try await server.token(Self.scopes))
            #expect(await server.send("GET", Self.path, token: bench.token).status == 204)
            let leads = try await Self.fill(bench)
            let (file, job) = try await Self.export(bench, nil)
            #expect(job["status"] == "finished" && job["criteria"] == .null && job["created_by"]?["name"]?.string?.isEmpty == false)
            #expect(job["job_start_time"]?.string != nil && job["job_end_time"]?.string != nil && job["expiry_date"]?.string != nil)
            #expect(job["download_links"]?.array?.first?.string?.hasSuffix("/AuditLog.csv") == true)
            #expect(file.status == 200 && file.header("content-type") == "text/csv")
            let lines = Self.lines(file.text)
            #expect(lines[0] == "Audited Time,Done By,User Id,Action,Module,Record Id,Record Name,Source,Changes")
            #expect(lines.count == 6, "\(file.text)")
            #expect(lines[1].contains(",added,Leads,\(leads[0]),Kim,crm_api,"))
            #expect(lines[4].contains(",updated,Leads,\(leads[0]),") && lines[4].hasSuffix("Phone:  -> 5"))
            #expect(lines[5].contains(",deleted,Leads,\(leads[1]),Lee,"))
            // Expired links are not shown, and lead nowhere.
            let link = job["download_links"]?.array?.first?.string?.dropFirst("http://crm.example.test".count) ?? ""
            server.clock.advance(seconds: 7 * 86_400 + 60)
            let later = try await server.token(Self.scopes)
            let over = await server.send("GET", Self.path, token: later).json?["audit_log_export"]?.array?.first
            #expect(over?["download_links"] == [] && over?["status"] == "finished")
            #expect(await server.send("GET", String(link), token: later).status == 404)
        }
    }

    @Test(arguments: TestServer.engines) func filtersHoldTogether(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = RecordBench(server: server, token: try await server.token(Self.scopes))
            _ = try await Self.fill(bench)
            let module = server.services.catalog.current().module("Leads")?.id.raw ?? 0
            let user: JSONValue = ["id": .string(String(server.administrator.id.raw)), "name": .string(server.administrator.fullName)]
            let leads = Self.leaf("module", "in", [["api_name": "Leads", "id": .string(String(module))]])
            let now = server.clock.now()
            let span: JSONValue = [
                .string(Instant(milliseconds: now.milliseconds - 3_600_000).iso(offsetMinutes: 0)),
                .string(Instant(milliseconds: now.milliseconds + 3_600_000).iso(offsetMinutes: 330)),
            ]
            let past: JSONValue = ["2020-01-01T00:00:00+05:30", "2020-02-01T00:00:00+05:30"]
            func and(_ one: JSONValue, _ other: JSONValue) -> JSONValue { ["group_operator": "and", "group": [one, other]] }
            let cases: [(JSONValue, Int)] = [
                (Self.leaf("action", "equal", "added"), 3), (Self.leaf("action", "in", ["updated", "deleted"]), 2), (leads, 4),
                (Self.leaf("module", "equal", ["api_name": "Contacts"]), 1), (Self.leaf("done_by", "in", [user]), 5),
                (Self.leaf("audited_time", "between", span), 5), (Self.leaf("audited_time", "between", past), 0),
                (and(leads, Self.leaf("action", "equal", "added")), 2),
                (
                    and(
                        leads,
                        and(
                            Self.leaf("done_by", "equal", user),
                            and(Self.leaf("audited_time", "between", span), Self.leaf("action", "equal", "deleted")))), 1
                ),
            ]
            for (criteria, count) in cases {
                let (file, job) = try await Self.export(bench, Self.body(criteria))
                #expect(Self.lines(file.text).count == count + 1, "\(criteria.text): \(file.text)")
                #expect(job["criteria"] == criteria)
            }
        }
    }

    /// Limits: ≤100000 entries → CSV, more → ZIP of CSVs, at most 1000000 entries. Here with smaller numbers.
    @Test(arguments: TestServer.engines) func manyEntriesBecomeAZip(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = RecordBench(server: server, token: try await server.token(Self.scopes))
            _ = try await bench.add("Leads", (1...12).map { ["Last_Name": .string("Lead \($0)")] as JSONValue })
            let (file, job) = try await Self.export(bench, nil, AuditExportJob(perFile: 5, most: 11))
            #expect(job["download_links"]?.array?.first?.string?.hasSuffix("/AuditLog.zip") == true)
            #expect(file.status == 200 && file.header("content-type") == "application/zip")
            let bytes = file.body
            let zip = try await ZipReader(size: Int64(bytes.count)) { offset, count in
                Array(bytes[Int(offset)..<min(Int(offset) + count, bytes.count)])
            }
            #expect(zip.files.map(\.name) == ["AuditLog_001.csv", "AuditLog_002.csv", "AuditLog_003.csv"])
            var counts: [Int] = []
            for entry in zip.files {
                var text: [UInt8] = []
                try await zip.unpack(entry, limit: 1 << 20) { piece in
                    text += piece
                    return true
                }
                counts.append(Self.lines(String(decoding: text, as: UTF8.self)).count - 1)
            }
            #expect(counts == [5, 5, 1])
        }
    }

    @Test(arguments: TestServer.engines) func badCriteriaAreRefusedAndScheduleNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let leaf = Self.leaf("action", "equal", "added")
            let item: JSONValue = ["criteria": leaf]
            let path = "$.audit_log_export[0].criteria"
            let cases: [(JSONValue, String, String)] = [
                (["audit_log_export": [item, item]], "LIMIT_EXCEEDED", "$.audit_log_export"),
                (["audit_log_export": ["criteria": leaf]], "INVALID_DATA", "$.audit_log_export"),
                (["audit_log_export": [[:]]], "MANDATORY_NOT_FOUND", path),
                (Self.body(["group_operator": "or", "group": [leaf, leaf]]), "INVALID_DATA", path + ".group_operator"),
                (Self.body(["group_operator": "and", "group": [leaf, leaf, leaf]]), "LIMIT_EXCEEDED", path + ".group"),
                (Self.body(["group_operator": "and"]), "DEPENDENT_FIELD_MISSING", path + ".group"),
                (Self.body(["group": [leaf]]), "DEPENDENT_FIELD_MISSING", path + ".group_operator"),
                (Self.body(["field": ["api_name": "action"], "value": "added"]), "DEPENDENT_FIELD_MISSING", path + ".comparator"),
                (Self.body(["comparator": "equal", "value": "added"]), "DEPENDENT_FIELD_MISSING", path + ".field"),
                (Self.body(["field": [:], "comparator": "equal", "value": "added"]), "MANDATORY_NOT_FOUND", path + ".field.api_name"),
                (Self.body(Self.leaf("colour", "equal", "red")), "NOT_SUPPORTED", path + ".field.api_name"),
                (Self.body(Self.leaf("action", "between", "added")), "INVALID_DATA", path + ".comparator"),
                (Self.body(Self.leaf("action", "equal", "merged")), "NOT_SUPPORTED", path + ".value"),
                (Self.body(Self.leaf("action", "in", "added")), "DEPENDENT_MISMATCH", path + ".value"),
                (Self.body(Self.leaf("action", "equal", 5)), "DEPENDENT_MISMATCH", path + ".value"),
                (Self.body(Self.leaf("done_by", "in", [["name": "x"]])), "MANDATORY_NOT_FOUND", path + ".value[0].id"),
                (Self.body(Self.leaf("done_by", "equal", ["id": "1"])), "INVALID_DATA", path + ".value.id"),
                (Self.body(Self.leaf("module", "equal", ["id": "1"])), "MANDATORY_NOT_FOUND", path + ".value.api_name"),
                (Self.body(Self.leaf("module", "equal", ["api_name": "Nowhere"])), "INVALID_DATA", path + ".value.api_name"),
                (Self.body(Self.leaf("audited_time", "between", ["2024-01-01T00:00:00Z"])), "DEPENDENT_MISMATCH", path + ".value"),
                (Self.body(Self.leaf("audited_time", "between", ["x", "y"])), "DEPENDENT_MISMATCH", path + ".value[0]"),
                (
                    Self.body(Self.leaf("audited_time", "between", ["2024-01-01T00:00:00Z", "2024-12-01T00:00:00Z"])), "INVALID_DATA",
                    path + ".value"
                ),
            ]
            for (body, code, place) in cases {
                let answer = await server.send("POST", Self.path, body, token: token)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(body.text): \(answer.text)")
                #expect(answer.json?["details"]?["json_path"]?.string?.hasPrefix(place) == true, "\(body.text): \(answer.text)")
            }
            let empty = await server.send("POST", Self.path, Self.body([:]), token: token)
            #expect(empty.json?["code"] == "EXPECTED_FIELD_MISSING")
            let disagreeing = await server.send(
                "POST", Self.path, Self.body(Self.leaf("module", "equal", ["api_name": "Leads", "id": "1"])), token: token)
            #expect(disagreeing.json?["code"] == "AMBIGUITY_DURING_PROCESSING")
            #expect(await server.send("GET", Self.path, token: token).status == 204)
            #expect(await server.send("POST", Self.path).status == 401)
            let narrow = try await server.token("ZohoCRM.settings.audit_logs.READ")
            #expect(await server.send("POST", Self.path, token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("GET", "/v2/crm/1/auditlog/1/AuditLog.csv", token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("GET", Self.path + "/1", token: token).status == 204)
        }
    }

    /// 37: ALREADY_SCHEDULED.
    @Test(arguments: TestServer.engines) func oneExportAtATime(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            #expect(await server.send("POST", Self.path, token: token).status == 200)
            let second = await server.send("POST", Self.path, token: token)
            #expect(second.status == 400 && second.json?["code"] == "ALREADY_SCHEDULED")
            let list = await server.send("GET", Self.path, token: token).json?["audit_log_export"]?.array ?? []
            #expect(list.map { $0["status"] } == ["scheduled"] && list.first?["download_links"] == [])
        }
    }

    /// Section notes: others see only their own and their subordinates' entries.
    @Test(arguments: TestServer.engines) func peopleExportTheirOwnDoings(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let admin = RecordBench(server: server, token: try await server.token(Self.scopes))
            _ = try await admin.add("Leads", ["Last_Name": "Kim"])
            let organisation = try Organisation(server)
            let role = try #require(server.services.catalog.current().documents(.role).last?.id)
            let other = try await organisation.user(
                "other@tributary.test", profile: organisation.standard, role: role, scopes: Self.scopes)
            let bench = RecordBench(server: server, token: other.token)
            _ = try await bench.add("Leads", ["Last_Name": "Lee"])
            let (file, job) = try await Self.export(bench, nil)
            let lines = Self.lines(file.text)
            #expect(lines.count == 2 && lines[1].contains(",Lee,"), "\(file.text)")
            #expect(job["created_by"]?["id"]?.string == other.id.description)
            // Nobody downloads what another one asked for, administrators excepted.
            let (mine, own) = try await Self.export(admin, nil)
            // The two leads, and the user who was made.
            #expect(Self.lines(mine.text).count == 4 && mine.text.contains(",Users,\(other.id),"), "\(mine.text)")
            let link = own["download_links"]?.array?.first?.string?.dropFirst("http://crm.example.test".count) ?? ""
            #expect(await server.send("GET", String(link), token: other.token).status == 404)
            #expect(await server.send("GET", Self.path, token: other.token).json?["audit_log_export"]?.array?.count == 1)
            #expect(await server.send("GET", Self.path, token: admin.token).json?["audit_log_export"]?.array?.count == 2)
        }
    }
}
