import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Contract: users, 114 to 118, 122 and 123; records, 131; features, 181 and 182.
@Suite struct UsersTests {
    private static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.ALL,ZohoCRM.features.READ,ZohoSearch.securesearch.READ"

    /// A server and its administrator's token.
    struct Office {
        let server: TestServer
        let token: String
        let org: Organisation
        let role: RecordID

        init(_ server: TestServer) async throws {
            self.server = server
            token = try await server.token(UsersTests.scopes)
            org = try Organisation(server)
            role = server.services.catalog.current().documents(.role)[0].id
        }

        var newcomer: JSONValue {
            ["first_name": "Lee", "last_name": "Kim", "email": "lee@acme.example", "role": .id(role), "profile": ["id": .id(org.standard)]]
        }

        func send(_ method: String, _ path: String, _ json: JSONValue? = nil, token other: String? = nil) async -> TestServer.Answer {
            await server.send(method, "/crm/v7/users" + path, json, token: other ?? token)
        }

        func add(_ body: JSONValue) async -> TestServer.Answer { await send("POST", "", ["users": [body]]) }
        func put(_ id: String, _ body: JSONValue, token: String? = nil) async -> TestServer.Answer {
            await send("PUT", "/\(id)", ["users": [body]], token: token)
        }
        func made(_ email: String = "lee@acme.example", _ more: [(String, JSONValue)] = []) async -> String {
            var body = newcomer
            body["email"] = .string(email)
            for (key, value) in more { body[key] = value }
            let answer = await add(body)
            return first(answer)["details"]?["id"]?.string ?? "refused: \(answer.text)"
        }
        func first(_ answer: TestServer.Answer, _ key: String = "users") -> JSONValue { answer.json?[key]?.array?.first ?? .null }
        func one(_ id: String) async -> JSONValue { first(await send("GET", "/\(id)")) }
        func token(of id: String, _ scopes: String = UsersTests.scopes) async throws -> String {
            try await server.shell.tokens.issueAccess(
                clientID: "test", user: UserID(raw: Int64(id) ?? 0), scopes: try #require(ScopeSet(scopes)), lifeSeconds: 3600)
        }
    }

    /// 115: a user is made with what is asked of it, and may work at once.
    @Test(arguments: TestServer.engines)
    func aNewUserMayWorkAtOnce(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            var body = office.newcomer
            for (key, value) in [
                ("phone", "5550100"), ("time_zone", "Asia/Tokyo"), ("country_locale", "de_DE"),
                ("Reporting_To", .id(RecordID(raw: server.administrator.id.raw))), ("status", "deleted"), ("zuid", "1"), ("nonsense", 5),
            ]
                as [(String, JSONValue)]
            { body[key] = value }
            let answer = await office.add(body)
            let id = office.first(answer)["details"]?["id"]?.string ?? ""
            #expect(answer.status == 201 && office.first(answer) == .success("User added", details: ["id": .string(id)]), "\(answer.text)")
            let shown = await office.one(id)
            #expect(shown["full_name"] == "Lee Kim" && shown["status"] == "active" && shown["confirm"] == false)
            #expect(shown["role"]?["name"] == "CEO" && shown["profile"] == ["name": "Standard", "id": .id(office.org.standard)])
            #expect(shown["Reporting_To"]?["name"] == "Ada Admin" && shown["created_by"]?["name"] == "Ada Admin")
            #expect(shown["phone"] == "5550100" && shown["time_zone"] == "Asia/Tokyo" && shown["offset"] == 32_400_000)
            #expect(shown["locale"] == "de_DE" && shown["language"] == "en_US" && shown["nonsense"] == nil)
            #expect(shown["Modified_Time"]?.string.flatMap(Instant.init(iso:)) != nil && shown["type__s"] == "Regular User")
            // With the first password the user is confirmed; records may be theirs from the start.
            _ = try await server.administration.perform(.password(email: "lee@acme.example", password: "correct horse battery"))
            #expect(await office.one(id)["confirm"] == true)
            let lead = await office.org.insert("Leads", [["Last_Name": "L", "Owner": ["id": .string(id)]]], office.token)
            #expect(await office.org.record("Leads", lead[0], office.token)?["Owner"]?["name"] == "Lee Kim")
            let mine = await office.send("GET", "?type=CurrentUser", token: try await office.token(of: id))
            #expect(office.first(mine)["email"] == "lee@acme.example")
        }
    }

    /// 115, errors.
    @Test(arguments: TestServer.engines)
    func badUsersAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let cases: [(String, JSONValue?, String, String)] = [
                ("last_name", nil, "MANDATORY_NOT_FOUND", "last_name"), ("email", nil, "MANDATORY_NOT_FOUND", "email"),
                ("role", nil, "MANDATORY_NOT_FOUND", "role"), ("profile", .null, "MANDATORY_NOT_FOUND", "profile"),
                ("email", "nobody", "INVALID_DATA", "email"), ("email", "ADMIN@tributary.test", "DUPLICATE_DATA", "email"),
                ("role", "12", "INVALID_DATA", "role"), ("role", ["id": "12"], "INVALID_DATA", "role.id"),
                ("profile", ["id": "12"], "INVALID_DATA", "profile.id"), ("Reporting_To", ["id": "12"], "INVALID_DATA", "Reporting_To.id"),
                ("time_zone", "Mars/Base", "INVALID_DATA", "time_zone"), ("language", "english", "INVALID_DATA", "language"),
                ("number_separator", "Dot", "INVALID_DATA", "number_separator"),
                ("decimal_separator", "Comma", "INVALID_DATA", "decimal_separator"),
                ("first_name", .string(String(repeating: "x", count: 81)), "INVALID_DATA", "first_name"),
                ("website", "no address", "INVALID_DATA", "website"), ("dob", "soon", "INVALID_DATA", "dob"),
                ("date_format", "hh:mm", "INVALID_DATA", "date_format"), ("phone", 5, "INVALID_DATA", "phone"),
            ]
            for (key, value, code, path) in cases {
                var body = office.newcomer
                body[key] = value
                let answer = await office.add(body)
                let item = office.first(answer)
                #expect(
                    answer.status == 400 && item["code"]?.string == code && item["details"]?["json_path"]?.string == "$.users[0].\(path)",
                    "\(key): \(answer.text)")
            }
            #expect(server.services.catalog.current().users.count == 1)
            #expect(await office.send("POST", "", ["users": [office.newcomer, office.newcomer]]).status == 400)
            #expect(await office.send("POST", "", [:]).json?["code"] == "MANDATORY_NOT_FOUND")
            let rep = await office.made("rep@acme.example")
            let token = try await office.token(of: rep)
            let refused = await office.send("POST", "", ["users": [office.newcomer]], token: token)
            #expect(refused.status == 403 && refused.json?["code"] == "FORBIDDEN")
            let reader = try await server.token("ZohoCRM.users.READ")
            #expect(await office.send("POST", "", ["users": [office.newcomer]], token: reader).json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }

    /// 116: what may be changed by whom.
    @Test(arguments: TestServer.engines)
    func usersAreChangedWithinBounds(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let ada = String(server.administrator.id.raw)
            let lee = await office.made()
            let kim = await office.made("kim@acme.example", [("Reporting_To", ["id": .string(lee)])])
            let changed = await office.send("PUT", "", ["users": [["id": .string(lee), "phone": "5550100", "email": "lee2@acme.example"]]])
            #expect(
                changed.status == 200 && office.first(changed) == .success("User updated", details: ["id": .string(lee)]), "\(changed.text)"
            )
            #expect(await office.one(lee)["email"] == "lee2@acme.example")
            func refusal(_ id: String, _ body: JSONValue, token: String? = nil) async -> (Int, String?) {
                let answer = await office.put(id, body, token: token)
                return (answer.status, office.first(answer)["code"]?.string ?? answer.json?["code"]?.string)
            }
            #expect(await refusal(lee, ["time_zone": "Asia/Tokyo"]) == (415, "INVALID_DATA"))
            #expect(await refusal(lee, ["name_format__s": "First Name,Last Name,Salutation"]) == (400, "NOT_ALLOWED"))
            #expect(await refusal(ada, ["name_format__s": "First Name"]) == (415, "INVALID_DATA"))
            #expect(await refusal(lee, ["signature": "<p><script>x"]) == (415, "INVALID_DATA"))
            #expect(await refusal(lee, ["email": "kim@acme.example"]) == (400, "DUPLICATE_DATA"))
            #expect(await refusal(ada, ["email": "new@acme.example"]) == (400, "EMAIL_UPDATE_NOT_ALLOWED"))
            #expect(await refusal(lee, ["Reporting_To": ["id": .string(kim)]]) == (400, "INVALID_DATA"))
            #expect(await refusal(lee, ["last_name": .null]) == (400, "MANDATORY_NOT_FOUND"))
            #expect(await refusal(lee, ["status": "active"]) == (400, "ID_ALREADY_ACTIVE"))
            #expect(await refusal(lee, ["status": "closed"]) == (400, "INVALID_DATA"))
            #expect(await refusal(ada, ["status": "inactive"]) == (400, "INVALID_REQUEST"))
            #expect(await refusal(ada, ["profile": .id(office.org.standard)]) == (400, "NOT_ALLOWED"))
            #expect(await refusal("12", ["phone": "1"]) == (400, "INVALID_DATA"))
            let missing = await office.send("PUT", "", ["users": [["phone": "1"]]])
            #expect(office.first(missing)["code"] == "MANDATORY_NOT_FOUND")
            #expect(await office.put(ada, ["time_zone": "Europe/Oslo", "sort_order_preference__s": "Last Name,First Name"]).status == 200)
            #expect(await office.one(ada)["time_zone"] == "Europe/Oslo")

            // One without the right changes what is personal, of oneself.
            let token = try await office.token(of: lee)
            #expect(await office.put(lee, ["mobile": "123", "time_zone": "Asia/Tokyo"], token: token).status == 200)
            #expect(await refusal(kim, ["mobile": "123"], token: token) == (403, "AUTHORIZATION_FAILED"))
            #expect(await refusal(lee, ["profile": .id(office.org.administrator)], token: token) == (403, "AUTHORIZATION_FAILED"))
            #expect(await refusal(lee, ["status": "inactive"], token: token) == (403, "AUTHORIZATION_FAILED"))
            #expect(await office.one(lee)["profile"]?["name"] == "Standard")
        }
    }

    /// 116: who is switched off is out at once, and can only be switched on again.
    @Test(arguments: TestServer.engines)
    func deactivationEndsEveryToken(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let lee = await office.made()
            let token = try await office.token(of: lee)
            #expect(await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token).status == 204)
            #expect(await office.put(lee, ["status": "inactive"]).status == 200)
            let out = await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token)
            #expect(out.status == 403 && out.json?["code"] == "INACTIVE_USER")
            #expect(office.first(await office.put(lee, ["status": "inactive"]))["code"] == "ID_ALREADY_DEACTIVATED")
            #expect(office.first(await office.put(lee, ["phone": "1"]))["code"] == "NOT_ALLOWED")
            let owned = await server.send(
                "POST", "/crm/v7/Leads", ["data": [["Last_Name": "L", "Owner": ["id": .string(lee)]]]], token: office.token)
            #expect(owned.status == 400, "\(owned.text)")
            #expect(await office.put(lee, ["status": "active", "phone": "1"]).status == 200)
            #expect(await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token).status == 204)
        }
    }

    /// 117: a deleted user stays as a name, and nothing works for it any more.
    @Test(arguments: TestServer.engines)
    func aDeletedUserIsOutForGood(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let lee = await office.made()
            let kim = await office.made("kim@acme.example", [("Reporting_To", ["id": .string(lee)])])
            let lead = await office.org.insert("Leads", [["Last_Name": "L", "Owner": ["id": .string(lee)]]], office.token)[0]
            let token = try await office.token(of: lee)
            #expect(await office.send("DELETE", "/\(kim)", token: token).status == 403)
            #expect(await office.send("GET", "?type=CurrentUser", token: token).status == 200)
            let gone = await office.send("DELETE", "/\(lee)")
            #expect(gone.status == 200 && office.first(gone) == .success("User deleted"), "\(gone.text)")
            #expect(await office.send("GET", "?type=CurrentUser", token: token).json?["code"] == "INVALID_TOKEN")
            #expect(office.first(await office.send("DELETE", "/\(lee)"))["code"] == "ID_ALREADY_DELETED")
            #expect(await office.send("DELETE", "/12").json?["code"] == "INVALID_DATA")
            #expect(office.first(await office.send("DELETE", "/\(server.administrator.id.raw)"))["code"] == "INVALID_REQUEST")
            #expect(office.first(await office.put(lee, ["phone": "1"]))["code"] == "CANNOT_UPDATE_DELETED_USER")
            #expect(await office.one(lee)["status"] == "deleted")
            #expect(await office.one(kim)["Reporting_To"]?.isNull == true)
            #expect(await office.org.record("Leads", lead, office.token)?["Owner"]?["name"] == "Lee Kim")
            // The address is free again.
            #expect(await office.made() != lee)
            let deleted = await office.send("GET", "?type=DeletedUsers")
            #expect(deleted.json?["users"]?.array?.map { $0["id"]?.string } == [lee])
        }
    }

    /// 114 and 118: the kinds of users, listed and counted alike.
    @Test(arguments: TestServer.engines)
    func kindsOfUsersAreListedAndCounted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let lee = await office.made()
            let kim = await office.made("kim@acme.example", [("profile", .id(office.org.administrator))])
            _ = await office.put(lee, ["status": "inactive"])
            let gone = await office.made("gone@acme.example")
            _ = await office.send("DELETE", "/\(gone)")
            _ = try await server.administration.perform(.password(email: "kim@acme.example", password: "correct horse battery"))
            for (kind, count) in [
                ("AllUsers", 3), ("ActiveUsers", 2), ("DeactiveUsers", 1), ("ConfirmedUsers", 2), ("NotConfirmedUsers", 1),
                ("DeletedUsers", 1), ("ActiveConfirmedUsers", 2), ("AdminUsers", 2), ("ActiveConfirmedAdmins", 2), ("CurrentUser", 1),
            ] {
                let listed = await office.send("GET", "?type=\(kind)")
                #expect(listed.json?["info"]?["count"]?.int64 == Int64(count), "\(kind): \(listed.text)")
                #expect(await office.send("GET", "/actions/count?type=\(kind)").json == ["count": .integer(count)])
            }
            #expect(await office.send("GET", "/actions/count").json == ["count": 3])
            #expect(await office.send("GET", "?type=Nobody").json?["code"] == "INVALID_DATA")
            #expect(await office.send("GET", "?ids=\(kim)").json?["users"]?.array?.count == 1)
            #expect(await office.send("GET", "?per_page=2&page=2").json?["info"]?["more_records"] == false)
            // A page writes the path with a capital.
            #expect(await server.send("GET", "/crm/v7/Users/\(kim)", token: office.token).status == 200)
            let licences = await server.send("GET", "/crm/v7/__features/user_licenses", token: office.token)
            #expect(
                licences.json?["__features"]?.array?.first?["details"] == [
                    "available_count": ["total": 9998], "used_count": ["total": 2], "limits": ["total": 10000],
                ], "\(licences.text)")
        }
    }

    /// 115 and 116: as many as the licence names may work.
    @Test(arguments: TestServer.engines)
    func licencesLimitActiveUsers(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let lee = await office.made()
            try await server.services.changeMetadata { scope in
                let org = try #require(scope.catalog.documents(.org).first)
                var body = org.body
                body["license_details"] = ["users_license_purchased": 2]
                try scope.replace(org.id, body: body)
            }
            var kim = office.newcomer
            kim["email"] = "kim@acme.example"
            #expect(office.first(await office.add(kim))["code"] == "LICENSE_LIMIT_EXCEEDED")
            _ = await office.put(lee, ["status": "inactive"])
            #expect(await office.add(kim).status == 201)
            #expect(office.first(await office.put(lee, ["status": "active"]))["code"] == "LICENSE_LIMIT_EXCEEDED")
        }
    }

    /// 131, Users module: criteria, addresses, numbers and words.
    @Test(arguments: TestServer.engines)
    func usersAreSearched(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            let lee = await office.made("lee@acme.example", [("city", "Oslo"), ("phone", "555-0100")])
            let kim = await office.made("kim@acme.example", [("first_name", "Jo"), ("Reporting_To", ["id": .string(lee)])])
            func find(_ query: String) async -> [String] {
                let answer = await office.send("GET", "/search?" + query)
                return (answer.json?["data"]?.array ?? []).compactMap { $0["id"]?.string }
            }
            #expect(await find("criteria=(city:equals:osl)") == [lee])
            #expect(await find("criteria=((last_name:starts_with:ki)and(first_name:not_equal:Lee))") == [kim])
            #expect(await find("criteria=(profile:equals:\(office.org.standard))") == [lee, kim])
            #expect(await find("criteria=(Reporting_To:equals:\(lee))") == [kim])
            #expect(await find("criteria=(created_time:greater_than:2001-01-01T00:00:00Z)") == [lee, kim])
            #expect(await find("email=KIM@acme.example") == [kim])
            #expect(await find("phone=0100") == [lee])
            #expect(await find("word=jo%20kim") == [kim])
            _ = await office.put(lee, ["status": "inactive"])
            #expect(await find("word=kim&type=ActiveUsers") == [kim])
            let some = await office.send("GET", "/search?word=kim&fields=last_name&per_page=1")
            #expect(
                some.json?["data"] == [["last_name": "Kim", "id": .string(lee)]] && some.json?["info"]?["more_records"] == true,
                "\(some.text)")
            #expect(await office.send("GET", "/search?word=zz").status == 204)
            #expect(await office.send("GET", "/search").json?["code"] == "EXPECTED_PARAM_MISSING")
            #expect(await office.send("GET", "/search?word=a").json?["code"] == "INVALID_DATA")
            #expect(await office.send("GET", "/search?criteria=(nope:equals:x)").json?["code"] == "INVALID_QUERY")
        }
    }

    /// 181: what there is, with its limits, by name and by module.
    @Test(arguments: TestServer.engines)
    func featuresAreListed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let office = try await Office(server)
            func names(_ query: String) async -> [String] {
                let answer = await server.send("GET", "/crm/v7/__features" + query, token: office.token)
                return (answer.json?["__features"]?.array ?? []).compactMap { $0["api_name"]?.string }
            }
            let all = await names("")
            #expect(all.contains("territory_management") && all.contains("global_picklists"))
            #expect(await names("?api_names=profiles,tags") == ["profiles", "tags"])
            let tasks = await names("?module=Tasks")
            #expect(tasks.contains("tags") && !tasks.contains("territory_management") && !tasks.contains("profiles"))
            #expect(await names("/lead_territories") == ["lead_territories"])
            let one = await server.send("GET", "/crm/v7/__features/profiles", token: office.token)
            #expect(
                one.json?["__features"]?.array?.first == [
                    "api_name": "profiles", "module_supported": false, "feature_label": "Profiles",
                    "details": ["limits": ["edition_limit": 25, "total": 25]], "parent_feature": .null, "components": [],
                ], "\(one.text)")
            #expect(await server.send("GET", "/crm/v7/__features/data_enrichment", token: office.token).status == 204)
            #expect(await server.send("GET", "/crm/v7/__features?module=Nope", token: office.token).json?["code"] == "INVALID_MODULE")
            #expect(await server.send("GET", "/crm/v7/__features", token: try await server.token("ZohoCRM.users.ALL")).status == 401)
            _ = try await server.administration.perform(.territories(on: false))
            let left = await names("")
            #expect(!left.isEmpty && !left.contains("territory_management"))
        }
    }
}
