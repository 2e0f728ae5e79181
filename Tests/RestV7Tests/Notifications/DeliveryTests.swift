import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What endpoints are told, and when. Contract: notifications, "Callback"; merge, §9.
@Suite struct DeliveryTests {
    /// The body as the page shows it.
    @Test(arguments: TestServer.engines)
    func anEndpointIsToldOfInsertsUpdatesAndDeletes(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch([
                "events": ["Leads.all"], "token": "secret", "notify_url": .string(bench.receiver.url("/hook?key1=val 1&key2=val2")),
            ])
            let id = try await bench.add("Leads", ["Last_Name": "One", "Company": "A"])
            let calls = await bench.deliver()
            #expect(calls.count == 1)
            let body = try #require(calls.first)
            let sent = try #require(body["server_time"]?.int64)
            #expect(abs(sent - bench.server.clock.now().milliseconds) < 60_000)
            var rest = body
            rest["server_time"] = nil
            let expected: JSONValue = [
                "query_params": ["key1": "val 1", "key2": "val2"], "module": "Leads",
                "resource_uri": "http://crm.example.test/crm/v7/Leads", "ids": [.string(id)], "affected_fields": [],
                "operation": "insert", "channel_id": "1", "token": "secret",
            ]
            #expect(rest == expected)
            #expect(bench.receiver.received[0].method == "POST" && bench.receiver.received[0].path == "/hook?key1=val%201&key2=val2")

            await bench.send("PUT", "Leads/\(id)", ["data": [["Company": "B", "Phone": "5"]]])
            let update = await bench.deliver().last
            #expect(update?["operation"] == "update")
            let fields = update?["affected_fields"]?.array?.first?[id]?.array ?? []
            #expect(Set(fields.compactMap(\.string)) == ["Company", "Phone"])
            #expect(update?["affected_values"] == nil)
            await bench.send("DELETE", "Leads/\(id)")
            let delete = await bench.deliver().last
            #expect(delete.map(WatchBench.gist) == "Leads delete \(id)")
            #expect(await bench.deliver().count == 3)
            #expect(await bench.send("GET", "actions/watch/deliveries").status == 204)
        }
    }

    @Test(arguments: TestServer.engines)
    func onlyTheEventsAskedForAreTold(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let early = try await bench.add("Leads", ["Last_Name": "Early"])
            try await bench.watch(["events": ["Leads.edit", "Contacts.delete"]])
            let id = try await bench.add("Leads", ["Last_Name": "One"])
            _ = try await bench.add("Accounts", ["Account_Name": "A"])
            await bench.send("PUT", "Leads/\(early)", ["data": [["Phone": "1"]]])
            await bench.send("DELETE", "Leads/\(id)")
            // A refused change is no change.
            await bench.send("PUT", "Leads/\(early)", ["data": [["Last_Name": .null]]])
            #expect(await bench.deliver().map(WatchBench.gist) == ["Leads update \(early)"])
            await bench.send("DELETE", "actions/watch?channel_ids=1")
            await bench.send("PUT", "Leads/\(early)", ["data": [["Phone": "2"]]])
            #expect(await bench.deliver().count == 1)
        }
    }

    /// 254: `return_affected_field_values`.
    @Test(arguments: TestServer.engines)
    func valuesAreSentAlongWhenAskedFor(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch(["events": ["Contacts.all"], "return_affected_field_values": true])
            let account = try await bench.add("Accounts", ["Account_Name": "A"])
            let id = try await bench.add("Contacts", ["Last_Name": "One"])
            await bench.deliver()
            await bench.send("PUT", "Contacts/\(id)", ["data": [["Phone": "5", "Account_Name": ["id": .string(account)], "Title": .null]]])
            let calls = await bench.deliver()
            let inserted = calls.first?["affected_values"]?.array?.first
            #expect(inserted?["record_id"] == .string(id) && inserted?["values"]?["Last_Name"] == "One")
            #expect(inserted?["values"]?["Phone"] == nil)
            let updated = calls.last?["affected_values"]?.array?.first
            #expect(updated?["record_id"] == .string(id))
            #expect(updated?["values"] == ["Account_Name": ["name": "A", "id": .string(account)], "Phone": "5"])
            await bench.send("DELETE", "Contacts/\(id)")
            #expect(await bench.deliver().last?["affected_values"] == [])
        }
    }

    /// 254: `notification_condition`.
    @Test(arguments: TestServer.engines)
    func aConditionOnFieldsHoldsBackTheRest(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch([
                "events": ["Leads.all"],
                "notification_condition": [
                    [
                        "type": "field_selection", "module": ["api_name": "Leads"],
                        "field_selection": [
                            "group_operator": "or",
                            "group": [
                                ["field": ["api_name": "Phone"]],
                                [
                                    "group_operator": "and",
                                    "group": [["field": ["api_name": "Company"]], ["field": ["api_name": "Email"]]],
                                ],
                            ],
                        ],
                    ]
                ],
            ])
            let plain = try await bench.add("Leads", ["Last_Name": "One", "Company": "A"])
            let phoned = try await bench.add("Leads", ["Last_Name": "Two", "Phone": "1"])
            await bench.deliver()
            await bench.send("PUT", "Leads/\(plain)", ["data": [["Company": "B"]]])
            await bench.send("PUT", "Leads/\(plain)", ["data": [["Company": "C", "Email": "a@b.example"]]])
            await bench.send("PUT", "Leads/\(plain)", ["data": [["Phone": "2"]]])
            let gists = await bench.deliver().map(WatchBench.gist)
            #expect(gists == ["Leads insert \(phoned)", "Leads update \(plain)", "Leads update \(plain)"])
        }
    }

    /// 254: `notify_on_related_action`, on unless said otherwise.
    @Test(arguments: TestServer.engines)
    func recordsAroundAreToldOfOnceForEachChange(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", [["Account_Name": "A"], ["Account_Name": "B"]])
            try await bench.watch(["channel_id": "1", "events": ["Accounts.all"]])
            try await bench.watch(["channel_id": "2", "events": ["Accounts.all"], "notify_on_related_action": false])
            try await bench.watch(["channel_id": "3", "events": ["Accounts.create"]])
            let people = try await bench.add(
                "Contacts", (0..<5).map { ["Last_Name": .string("P\($0)"), "Account_Name": ["id": .string(accounts[0])]] })
            let first = await bench.deliver()
            #expect(first.map(WatchBench.gist) == ["Accounts update \(accounts[0])"])
            #expect(first[0]["channel_id"] == "1" && first[0]["affected_fields"] == [])
            // It leaves one account for another: both are told of.
            await bench.send("PUT", "Contacts/\(people[0])", ["data": [["Account_Name": ["id": .string(accounts[1])]]]])
            let moved = await bench.deliver().dropFirst()
            #expect(WatchBench.ids(moved) == Set(accounts))
            let before = bench.bodies.count
            await bench.send("POST", "Accounts/\(accounts[1])/Notes", ["data": [["Note_Content": "n"]]])
            await bench.send("DELETE", "Contacts/\(people[1])")
            let told = WatchBench.ids(await bench.deliver().dropFirst(before))
            #expect(told == Set(accounts))
            #expect(bench.bodies.allSatisfy { $0["channel_id"] == "1" })
        }
    }

    /// Merge, §9: an edit of the master with its changed fields, a delete for each child, nothing for rows that moved.
    @Test(arguments: TestServer.engines)
    func aMergeIsAnEditOfTheMasterAndDeletesOfTheChildren(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let ids = try await bench.add("Contacts", [["Last_Name": "M"], ["Last_Name": "C", "Phone": "5"], ["Last_Name": "D"]])
            _ = try await bench.add("Tasks", [["Subject": "T", "Who_Id": ["id": .string(ids[1])]]])
            try await bench.watch(["events": ["Contacts.all", "Tasks.all"], "notify_on_related_action": false])
            let answer = await bench.send(
                "POST", "Contacts/\(ids[0])/actions/merge", RecordBench.body([(ids[1], ["Phone"]), (ids[2], [])]))
            #expect(answer.status == 201, "\(answer.text)")
            let calls = await bench.deliver()
            #expect(Set(calls.map(WatchBench.gist)) == ["Contacts delete \(ids[1]),\(ids[2])", "Contacts update \(ids[0])"])
            let edit = calls.first { $0["operation"] == "update" }
            #expect(edit?["affected_fields"]?.array?.first?[ids[0]]?.array?.contains("Phone") == true)
        }
    }

    /// 100 ids in a call, of one module and one operation; bulk operations are told as well.
    @Test(arguments: TestServer.engines)
    func manyRecordsShareACall(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch(["events": ["Leads.all"]])
            for start in [0, 100, 200] {
                _ = try await bench.add("Leads", (start..<min(start + 100, 250)).map { ["Last_Name": .string("L\($0)")] })
            }
            #expect(await bench.deliver().map { $0["ids"]?.array?.count } == [100, 100, 50])
            let ids = WatchBench.ids(bench.bodies[...])
            #expect(ids.count == 250)
            let view = await bench.send("GET", "settings/custom_views?module=Leads").json?["custom_views"]?.array?.first {
                $0["system_name"] == "ALLVIEWS"
            }
            let mass = await bench.send("POST", "Leads/actions/mass_delete", ["cvid": try #require(view?["id"])])
            #expect(mass.status < 300, "\(mass.text)")
            await JobWorker(bench.server.services).drain()
            let deletes = await bench.deliver().dropFirst(3)
            #expect(deletes.allSatisfy { $0["operation"] == "delete" })
            #expect(WatchBench.ids(deletes) == ids)
        }
    }

    /// Each record's changes in their order, though its endpoint fails now and then and others' changes lie between.
    @Test(arguments: TestServer.engines)
    func changesOfARecordAreToldInTheirOrder(_ engine: Database.Engine) async throws {
        let failing = FailingNow()
        try await WatchBench.with(engine, { _ in failing.next() }) { bench in
            try await bench.watch(["events": ["Leads.all"], "return_affected_field_values": true])
            let ids = try await bench.add("Leads", (0..<10).map { ["Last_Name": .string("L\($0)")] })
            for round in 1...5 {
                for (index, id) in ids.enumerated() where index % round == 0 {
                    await bench.send("PUT", "Leads/\(id)", ["data": [["Phone": .string("\(round)")]]])
                    await bench.deliver()
                }
            }
            for _ in 0..<200 where await bench.send("GET", "actions/watch/deliveries").status != 204 {
                bench.server.clock.advance(seconds: 5)
                await bench.deliver()
            }
            let accepted = zip(bench.bodies, failing.answers).filter { $0.1 }.map(\.0)
            #expect(accepted.count < bench.bodies.count)
            for (index, id) in ids.enumerated() {
                let told = accepted.filter { $0["ids"]?.array?.contains(.string(id)) == true }
                #expect(told.first?["operation"] == "insert")
                let phones = told.dropFirst().compactMap { body in
                    body["affected_values"]?.array?.first { $0["record_id"] == .string(id) }?["values"]?["Phone"]?.string
                }
                #expect(phones == (1...5).filter { index % $0 == 0 }.map(String.init), "\(id)")
            }
        }
    }

    /// Later each time, then given up and shown; what came after is told all the same.
    @Test(arguments: TestServer.engines)
    func whatCannotBeToldIsTriedAgainAndThenShownAsFailed(_ engine: Database.Engine) async throws {
        let failing = FailingNow(always: true)
        try await WatchBench.with(engine, { _ in failing.next() }) { bench in
            try await bench.watch([
                "events": ["Leads.create"],
                "channel_expiry": .string(
                    Instant(milliseconds: bench.server.clock.now().milliseconds + 6 * 86_400_000).iso(offsetMinutes: 0)),
            ])
            let id = try await bench.add("Leads", ["Last_Name": "One"])
            #expect(await bench.deliver().count == 1)
            #expect(await bench.deliver().count == 1)
            let waiting = await bench.send("GET", "actions/watch/deliveries?state=waiting&channel_id=1").json?["deliveries"]?.array?.first
            #expect(waiting?["record_id"] == .string(id) && waiting?["attempts"] == 1 && waiting?["operation"] == "insert")
            #expect(waiting?["error"] == "the endpoint answered 500" && waiting?["next_attempt"]?.string != nil)
            for _ in 0..<40 {
                bench.server.clock.advance(seconds: 601)
                await bench.deliver()
            }
            #expect(bench.bodies.count == DeliveryQueue.maximumAttempts)
            let bench = try await bench.anew()
            let failed = await bench.send("GET", "actions/watch/deliveries?state=failed").json?["deliveries"]?.array ?? []
            #expect(failed.map { $0["record_id"] } == [.string(id)] && failed.first?["next_attempt"] == .null)
            failing.recover()
            let later = try await bench.add("Leads", ["Last_Name": "Two"])
            bench.server.clock.advance(seconds: 601)
            #expect(await bench.deliver().last.map(WatchBench.gist) == "Leads insert \(later)")
            #expect(await bench.send("GET", "actions/watch/deliveries?state=waiting").status == 204)
            #expect(await bench.send("GET", "actions/watch/deliveries?state=other").code == "INVALID_DATA")
        }
    }

    @Test(arguments: TestServer.engines)
    func expiredChannelsAreToldNothing(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch(["events": ["Leads.all"]])
            _ = try await bench.add("Leads", ["Last_Name": "One"])
            bench.server.clock.advance(seconds: 3_601)
            let fresh = try await bench.anew()
            _ = try await fresh.add("Leads", ["Last_Name": "Two"])
            #expect(await fresh.deliver().isEmpty)
            #expect(await fresh.send("GET", "actions/watch/deliveries").status == 204)
        }
    }

    /// One endpoint hangs; writes and the other channels go on meanwhile.
    @Test(arguments: TestServer.engines)
    func anEndpointThatHangsHoldsUpNobodyElse(_ engine: Database.Engine) async throws {
        let hanging = try LocalReceiver { _ in .hang }
        defer { hanging.close() }
        try await WatchBench.with(engine) { bench in
            for number in 1...20 {
                try await bench.watch([
                    "channel_id": .string(String(number)), "events": ["Leads.all"], "notify_url": .string(hanging.url()),
                ])
            }
            try await bench.watch(["channel_id": "99", "events": ["Leads.all"]])
            try await bench.server.withBackground {
                _ = try await bench.add("Leads", ["Last_Name": "One"])
                _ = await hanging.wait(for: 20)
                #expect(hanging.mostInFlight == 20)
                for number in 2...6 {
                    let id = try await bench.add("Leads", ["Last_Name": .string("L\(number)")])
                    let calls = await bench.receiver.wait(for: number)
                    #expect(calls.count == number && calls.last?.json?["ids"] == [.string(id)])
                }
                // Each channel is called once at a time.
                #expect(hanging.received.count == 20)
            }
        }
    }

    /// Two processes on one database: each change is told once, though both look for what is due all the time.
    @Test(.enabled(if: TestServer.engines.contains(.postgres)))
    func twoProcessesDoNotTellTheSameTwice() async throws {
        try await WatchBench.with(.postgres) { bench in
            for number in 1...4 { try await bench.watch(["channel_id": .string(String(number)), "events": ["Leads.all"]]) }
            try await bench.server.withSecondProcess { second in
                try await bench.server.withBackground {
                    for round in 0..<10 {
                        let body: JSONValue = ["data": .array((0..<20).map { ["Last_Name": .string("L\(round) \($0)")] })]
                        let server = round % 2 == 0 ? bench.server : second
                        #expect(await server.send("POST", "/crm/v7/Leads", body, token: bench.token).status == 201)
                    }
                    for _ in 0..<1000 where bench.told < 800 { try await Task.sleep(for: .milliseconds(20)) }
                }
            }
            let told = bench.bodies.flatMap { body -> [String] in
                let channel = body["channel_id"]?.string ?? ""
                return (body["ids"]?.array ?? []).map { channel + " " + ($0.string ?? "") }
            }
            #expect(told.count == 800 && Set(told).count == 800)
            #expect(bench.receiver.mostInFlight <= 4)
        }
    }

    /// What was under way when a process ended is told by the next one.
    @Test(arguments: TestServer.engines)
    func callsCutOffByTheEndOfAProcessAreMadeAgain(_ engine: Database.Engine) async throws {
        let failing = FailingNow(hangs: true)
        try await WatchBench.with(engine, { _ in failing.next() }) { bench in
            try await bench.watch(["events": ["Leads.all"]])
            try await bench.server.withBackground {
                _ = try await bench.add("Leads", ["Last_Name": "One"])
                _ = await bench.receiver.wait(for: 1)
            }
            failing.recover()
            bench.server.clock.advance(seconds: 21)
            let calls = await bench.deliver()
            #expect(calls.count == 2 && calls[0]["ids"] == calls[1]["ids"])
        }
    }
}
