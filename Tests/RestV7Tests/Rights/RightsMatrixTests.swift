import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Every kind of user on every path into records: what is hidden is hidden on all of them, and no write touches it.
/// The rules are those of `docs/rights.md`; the contract leaves them open but for share, 211 to 214.
@Suite struct RightsMatrixTests {
    @Test(arguments: TestServer.engines) func whatIsHiddenIsHiddenOnEveryPath(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let family = try await cast.family()
            for path in RightsPath.reads {
                let whole = await path.send(family, server, cast.administrator)
                #expect(path.shows(family, whole), "\(path) for the administrator: \(whole.text)")
                for person in cast.people {
                    let answer = await path.send(family, server, person.token)
                    #expect(answer.status < 500, "\(path) for the \(person.name): \(answer.text)")
                    if path.allows(person) {
                        #expect(path.shows(family, answer), "\(path) for the \(person.name): \(answer.status) \(answer.text)")
                    } else {
                        #expect(!path.shows(family, answer), "\(path) for the \(person.name): \(answer.status) \(answer.text)")
                        #expect(!answer.text.contains(RightsCast.secret), "\(path) for the \(person.name): \(answer.text)")
                    }
                }
            }
        }
    }

    @Test(arguments: TestServer.engines) func noWriteTouchesWhatIsHiddenOrOnlyShown(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let family = try await cast.family()
            let before = await cast.state(of: family)
            for person in cast.people where person.level != .full || person.byShare {
                let other =
                    person.kept
                    ? "12" : try await server.add("Accounts", ["Account_Name": .string("Own \(person.name)")], token: person.token)
                for path in RightsPath.writes(other: other, user: person.id) where !path.allows(person) {
                    let answer = await path.send(family, server, person.token)
                    #expect(answer.status < 500 && !path.shows(family, answer), "\(path) by the \(person.name): \(answer.text)")
                    #expect(!answer.text.contains(RightsCast.secret), "\(path) by the \(person.name): \(answer.text)")
                    // Who sees a record learns that it may not be touched; to the others it is not there.
                    let sees = if case .granted = path.audience { person.level != nil } else { false }
                    #expect(
                        answer.text.contains("\"NO_PERMISSION\"") == (sees || person.kept)
                            || (person.kept && answer.text.contains("INVALID_DATA")), "\(path) by the \(person.name): \(answer.text)")
                }
            }
            #expect(await cast.state(of: family) == before)
            #expect(try await ConsistencyCheck.run(server.services) == [])
        }
    }

    /// The rights that are there are enough. Each path on a family of its own, for most change it for good.
    @Test(arguments: TestServer.engines) func whoeverMayChangeRecordsCan(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            for name in ["superior", "writer"] {
                let person = cast[name]
                let names = RightsPath.writes(other: "0", user: person.id).filter { $0.allows(person) }.map(\.name)
                for name in names {
                    let family = try await cast.family()
                    let other = try await server.add("Accounts", ["Account_Name": "Own"], token: person.token)
                    // One duplicate is all there may be when a record is looked for by its name.
                    guard let path = RightsPath.writes(other: other, user: person.id).first(where: { $0.name == name }) else { continue }
                    let answer = await path.send(family, server, person.token)
                    #expect(path.shows(family, answer), "\(path) by the \(person.name): \(answer.text)")
                }
            }
        }
    }

    @Test(arguments: TestServer.engines) func peersSeeEachOtherWhereTheirRoleShares(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let (stranger, reader, peer) = (cast["stranger"], cast["reader"], cast["peer"])
            let shared = try await server.add("Leads", ["Last_Name": "Pemba"], token: stranger.token)
            let kept = try await server.add("Leads", ["Last_Name": "Mafia"], token: peer.token)
            #expect(await server.record("Leads", shared, token: reader.token)?["Last_Name"] == "Pemba")
            #expect(await server.send("PUT", "/crm/v7/Leads/\(shared)", ["data": [["City": "C"]]], token: reader.token).status == 200)
            #expect(await server.record("Leads", kept, token: cast.owner.token) == nil)
            #expect(await server.record("Leads", kept, token: reader.token) == nil)
            #expect(await server.record("Leads", shared, token: peer.token) == nil)
            #expect(await server.record("Leads", kept, token: cast["superior"].token) != nil)
        }
    }

    @Test(arguments: TestServer.engines) func everybodysRightsFollowTheModulesSharing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let stranger = cast["stranger"].token
            let lead = try await server.add("Leads", ["Last_Name": "Pemba"], token: cast.owner.token)
            func change() async -> String {
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": "C"]]], token: stranger).text
            }
            func delete() async -> String { await server.send("DELETE", "/crm/v7/Leads/\(lead)", token: stranger).text }
            for (type, sees, changes, deletes) in [
                ("private", false, false, false), ("public_read_only", true, false, false), ("public_read_write", true, true, false),
                ("public", true, true, true),
            ] {
                try await RightsCast.close(["Leads"], server, cast.administrator, type)
                let shown = await server.record("Leads", lead, token: stranger)
                #expect((shown != nil) == sees, "\(type)")
                if let shown {
                    #expect(shown["$editable"] == .bool(changes), "\(type)")
                    let word = deletes ? "full_access" : changes ? "read_write" : "read_only"
                    #expect(shown["$sharing_permission"] == .string(word), "\(type)")
                    let listed = await server.send(
                        "GET", "/crm/v7/Leads?fields=Last_Name,$editable,$sharing_permission", token: stranger
                    ).json?.first("data")
                    #expect(listed?["$editable"] == .bool(changes) && listed?["$sharing_permission"] == .string(word), "\(type)")
                }
                #expect(await change().contains("SUCCESS") == changes, "\(type)")
                #expect(await delete().contains("SUCCESS") == deletes, "\(type)")
            }
        }
    }

    /// A duplicate nobody may see is one all the same, and its holder is not told.
    @Test(arguments: TestServer.engines) func hiddenDuplicatesAreDuplicatesWithoutAName(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let stranger = cast["stranger"].token
            await cast.organisation.makeFields(
                "Leads", [["field_label": "Badge", "data_type": "text", "length": 20, "unique": ["case_sensitive": false]]],
                cast.administrator)
            let lead = try await server.add(
                "Leads", ["Last_Name": "Pemba", "Badge": "B1", "Email": "pemba@x.example"], token: cast.owner.token)
            let added = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "N", "Badge": "b1"]]], token: stranger)
            #expect(added.json?.codes("data") == ["DUPLICATE_DATA"] && !added.text.contains(lead), "\(added.text)")
            let again = await server.send(
                "POST", "/crm/v7/Leads/upsert",
                ["data": [["Last_Name": "N", "Badge": "b1"], ["Last_Name": "N", "Email": "pemba@x.example"]]],
                token: stranger)
            #expect(again.json?.codes("data") == ["DUPLICATE_DATA", "DUPLICATE_DATA"] && !again.text.contains(lead), "\(again.text)")
            let told = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "N", "Badge": "b1"]]], token: cast.owner.token)
            #expect(told.text.contains(lead))
            #expect(await server.record("Leads", lead, token: cast.administrator)?["Last_Name"] == "Pemba")
        }
    }

    /// A mass action on a view works on what its caller may touch.
    @Test(arguments: TestServer.engines) func massActionsOnViewsKeepToTheirCallersRecords(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let stranger = cast["stranger"].token
            let hidden = try await server.add("Leads", ["Last_Name": "Pemba", "City": "Old"], token: cast.owner.token)
            let own = try await server.add("Leads", ["Last_Name": "Own", "City": "Old"], token: stranger)
            let views = await server.send("GET", "/crm/v7/settings/custom_views?module=Leads", token: cast.administrator)
            let all = views.json?["custom_views"]?.array?.first { $0["system_name"]?.string?.hasPrefix("ALL") ?? false }?["id"] ?? .null
            let asked = await server.send(
                "POST", "/crm/v7/Leads/actions/mass_update", ["data": [["City": "New"]], "cvid": all], token: stranger)
            #expect(asked.status == 200, "\(asked.text)")
            await server.drain()
            #expect(await server.record("Leads", hidden, token: cast.administrator)?["City"] == "Old")
            #expect(await server.record("Leads", own, token: cast.administrator)?["City"] == "New")
            await server.send("POST", "/crm/v7/Leads/actions/mass_delete", ["cvid": all], token: stranger)
            await server.drain()
            #expect(await server.record("Leads", hidden, token: cast.administrator) != nil)
            #expect(await server.record("Leads", own, token: cast.administrator) == nil)
        }
    }

    @Test(arguments: TestServer.engines) func whoIsInactiveIsRefusedEverywhere(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let family = try await cast.family()
            try await server.services.changeMetadata { scope in
                guard let user = scope.catalog.documents(.user).first(where: { $0.id == cast.owner.id }) else { return }
                var body = user.body
                body["status"] = "inactive"
                try scope.replace(user.id, body: body)
            }
            for path in RightsPath.reads + RightsPath.writes(other: "12", user: cast.owner.id) {
                let answer = await path.send(family, server, cast.owner.token)
                #expect(answer.status == 403 && answer.json?["code"] == "INACTIVE_USER", "\(path): \(answer.text)")
            }
        }
    }

    /// Tools have rights of their own.
    @Test(arguments: TestServer.engines) func toolsAskForTheirOwnRights(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let family = try await cast.family()
            let standard = cast.organisation.standard
            let tools = [
                ("Merge", "merge into"), ("Mass_Update", "mass update"), ("Change_Owner", "change of owner by update"),
                ("Share", "unshare"),
                ("Tags", "tag"),
            ]
            try await server.services.changeMetadata { scope in
                guard let profile = scope.catalog.documents(.profile).first(where: { $0.id == standard }) else { return }
                var body = profile.body
                let taken = tools.map { JSONValue.string("Crm_Implied_\($0.0)_Accounts") }
                body["permissions"] = .array((body["permissions"]?.array ?? []).filter { !taken.contains($0) })
                try scope.replace(profile.id, body: body)
            }
            let superior = cast["superior"]
            let other = try await server.add("Accounts", ["Account_Name": "Own"], token: superior.token)
            for (right, name) in tools {
                let path = try #require(RightsPath.writes(other: other, user: superior.id).first { $0.name == name })
                let answer = await path.send(family, server, superior.token)
                #expect(
                    answer.text.contains("\"NO_PERMISSION\"") && answer.text.contains("Crm_Implied_\(right)_Accounts"),
                    "\(name): \(answer.text)")
            }
        }
    }

    /// Contract: territories, U34 (`permission_type`): a territory's people see its records and those of all below.
    @Test(arguments: TestServer.engines) func territoriesGrantWhatTheySay(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let top = try #require(server.services.catalog.current().territories.top).id
            let (stranger, peer) = (cast["stranger"], cast["peer"])
            let north = try await server.services.changeMetadata { scope in
                let world = try scope.add(
                    .territory, "World",
                    [
                        "name": "World", "reporting_to": ["id": .id(top)], "permission_type": "read_only", "users": [.id(stranger.id)],
                        "manager": ["id": .id(peer.id)],
                    ])
                return try scope.add(
                    .territory, "North",
                    ["name": "North", "reporting_to": ["id": .id(world)], "permission_type": "read_write_delete", "users": []])
            }
            let lead = try await server.add("Leads", ["Last_Name": "Pemba"], token: cast.owner.token)
            #expect(await server.record("Leads", lead, token: stranger.token) == nil)
            let assigned = await server.send(
                "POST", "/crm/v7/Leads/\(lead)/actions/assign_territories", ["data": [["Territories": [["id": .id(north)]]]]],
                token: cast.administrator)
            #expect(assigned.status == 200, "\(assigned.text)")
            #expect(await server.record("Leads", lead, token: stranger.token)?["$sharing_permission"] == "read_only")
            #expect(await server.record("Leads", lead, token: peer.token)?["$sharing_permission"] == "full_access")
            #expect(await server.record("Leads", lead, token: cast["subordinate"].token) == nil)
            func put(_ person: RightsCast.Person) async -> TestServer.Answer {
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": "C"]]], token: person.token)
            }
            #expect(await put(stranger).json?.codes("data") == ["NO_PERMISSION"])
            #expect(await put(peer).json?.codes("data") == ["SUCCESS"])
            for path in ["Leads/\(lead)/actions/convert", "Leads/\(lead)/actions/assign_territories"] {
                let body: JSONValue = ["data": [["Territories": [["id": .id(top)]]]]]
                let refused = await server.send("POST", "/crm/v7/\(path)", body, token: stranger.token)
                #expect(refused.text.contains("NO_PERMISSION"), "\(path): \(refused.text)")
                let unknown = await server.send("POST", "/crm/v7/\(path)", body, token: cast["subordinate"].token)
                #expect(unknown.text.contains("INVALID_DATA"), "\(path): \(unknown.text)")
            }
        }
    }
}
