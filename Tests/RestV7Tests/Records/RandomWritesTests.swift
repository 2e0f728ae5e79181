import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Whatever valid values are written, the same are read back, on both engines: inserts, updates and emptying, over fields of every
/// type an organisation can make. Contract: `metadata/types.md`, rules per type.
@Suite struct RandomWritesTests {
    /// The same numbers in every run, so that both engines meet the same values.
    private struct Dice: RandomNumberGenerator {
        private var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) ^ (state << 31)
        }
    }

    private static let definitions: [JSONValue] = [
        ["field_label": "R text", "data_type": "text", "length": 80],
        ["field_label": "R area", "data_type": "textarea", "textarea": ["type": "large"]],
        ["field_label": "R mail", "data_type": "email"], ["field_label": "R phone", "data_type": "phone"],
        ["field_label": "R site", "data_type": "website"],
        ["field_label": "R pick", "data_type": "picklist", "pick_list_values": [["display_value": "Eins"], ["display_value": "Zwei"]]],
        [
            "field_label": "R many", "data_type": "multiselectpicklist",
            "pick_list_values": [["display_value": "A"], ["display_value": "B"], ["display_value": "C;D"]],
        ],
        ["field_label": "R date", "data_type": "date"], ["field_label": "R time", "data_type": "datetime"],
        ["field_label": "R int", "data_type": "integer", "length": 9], ["field_label": "R big", "data_type": "bigint"],
        ["field_label": "R double", "data_type": "double", "decimal_place": 4], ["field_label": "R percent", "data_type": "percent"],
        ["field_label": "R money", "data_type": "currency", "currency": ["rounding_option": "normal"]],
        ["field_label": "R flag", "data_type": "boolean"],
        [
            "field_label": "R lookup", "data_type": "lookup",
            "lookup": ["module": ["api_name": "Accounts"], "display_label": "Leads at random"],
        ], ["field_label": "R user", "data_type": "userlookup"],
    ]

    private static let letters = Array("aZ09 äßÇñ日本é'\"\\%_;,<>&\t{}[]$#😀ﬁ")

    private static func text(_ dice: inout Dice, upTo longest: Int) -> String {
        let text = String((0..<Int.random(in: 1...longest, using: &dice)).map { _ in letters.randomElement(using: &dice) ?? "a" })
        let trimmed = text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        return "x" + trimmed.replacing("\t", with: "") + "x"
    }

    /// A value to send, and the one to read back.
    private static func value(_ name: String, _ dice: inout Dice, _ accounts: [String], _ user: String) -> (
        sent: JSONValue, read: JSONValue
    ) {
        func same(_ value: JSONValue) -> (JSONValue, JSONValue) { (value, value) }
        if name != "R_flag", Int.random(in: 0..<8, using: &dice) == 0 { return (.null, name == "R_many" ? [] : .null) }
        switch name {
        case "R_text": return same(.string(text(&dice, upTo: 40)))
        case "R_area": return same(.string(text(&dice, upTo: 300) + "\n" + text(&dice, upTo: 300)))
        case "R_mail": return same(.string("p\(Int.random(in: 0..<9999, using: &dice))@example.test"))
        case "R_phone": return same(.string("+\(Int.random(in: 1000...999_999_999, using: &dice))"))
        case "R_site": return same(.string("https://s\(Int.random(in: 0..<9999, using: &dice)).example.test/a?b=c"))
        case "R_pick": return same(Bool.random(using: &dice) ? "Eins" : "Zwei")
        case "R_many":
            let chosen = ["A", "B", "C;D"].filter { _ in Bool.random(using: &dice) }
            return same(.array((chosen.isEmpty ? ["A"] : chosen).map(JSONValue.string)))
        case "R_date":
            let day = CalendarDate(daysSinceEpoch: Int.random(in: -20_000...40_000, using: &dice))
            return same(.string(day?.iso ?? ""))
        case "R_time":
            let seconds = Int64.random(in: 0...4_000_000_000, using: &dice)
            let offset = Int.random(in: -48...56, using: &dice) * 15
            return same(.string(Instant(milliseconds: seconds * 1000).iso(offsetMinutes: offset)))
        case "R_int": return same(.integer(Int64.random(in: -999_999_999...999_999_999, using: &dice)))
        case "R_big": return same(.string(String(Int64.random(in: -999_999_999_999_999_999...999_999_999_999_999_999, using: &dice))))
        case "R_double": return same(.real(Double(Int.random(in: -99_999_999...99_999_999, using: &dice)) / 10_000))
        case "R_percent": return same(.real(Double(Int.random(in: 0...9999, using: &dice)) / 100))
        case "R_money":
            let cents = Int.random(in: -99_999_999...99_999_999, using: &dice)
            return (.real(Double(cents) / 100), .real(Double(cents) / 100))
        case "R_flag": return same(.bool(Bool.random(using: &dice)))
        case "R_lookup":
            let id = accounts.randomElement(using: &dice) ?? ""
            return (["id": .string(id)], .string(id))
        default: return (["id": .string(user)], .string(user))
        }
    }

    /// Times by their moment, numbers by their value, lookups by their id.
    private static func comparable(_ value: JSONValue, _ name: String) -> JSONValue {
        switch name {
        case "R_time": value.string.flatMap { Instant(iso: $0) }.map { .integer($0.milliseconds) } ?? .null
        case "R_double", "R_percent", "R_money": value.double.map(JSONValue.real) ?? .null
        case "R_lookup", "R_user": value["id"] ?? value
        case "R_many" where value.isNull: []
        default: value
        }
    }

    @Test(arguments: TestServer.engines)
    func whatIsWrittenIsRead(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            for start in stride(from: 0, to: Self.definitions.count, by: 5) {
                let some = Array(Self.definitions[start..<min(start + 5, Self.definitions.count)])
                let made = await bench.send("POST", "settings/fields?module=Leads", ["fields": .array(some)])
                #expect(made.status == 201, "\(made.text)")
            }
            let names = Self.definitions.compactMap { $0["field_label"]?.string?.replacing(" ", with: "_") }
            let accounts = try await bench.add("Accounts", (0..<5).map { ["Account_Name": .string("A\($0)")] })
            let user = String(bench.server.administrator.id.raw)
            var dice = Dice(20_261_124)
            var expected: [[String: JSONValue]] = []
            var items: [JSONValue] = []
            for index in 0..<60 {
                var item: JSONValue = ["Last_Name": .string("L\(index)"), "Company": "C"]
                var reads = Dictionary(uniqueKeysWithValues: names.map { ($0, $0 == "R_flag" ? false : JSONValue.null) })
                for name in names where Bool.random(using: &dice) {
                    let (sent, read) = Self.value(name, &dice, accounts, user)
                    item[name] = sent
                    reads[name] = read
                }
                items.append(item)
                expected.append(reads)
            }
            let ids = try await bench.add("Leads", items)
            try await Self.expect(expected, names, bench, ids, "inserted")
            for round in 0..<3 {
                var changes: [JSONValue] = []
                for (index, id) in ids.enumerated() where Bool.random(using: &dice) {
                    var item: JSONValue = ["id": .string(id)]
                    for name in names where Int.random(in: 0..<3, using: &dice) == 0 {
                        let (sent, read) = Self.value(name, &dice, accounts, user)
                        item[name] = sent
                        expected[index][name] = read
                    }
                    changes.append(item)
                }
                let answer = await bench.send("PUT", "Leads", ["data": .array(changes)])
                #expect(answer.status == 200, "\(answer.text)")
                try await Self.expect(expected, names, bench, ids, "changed \(round)")
            }
        }
    }

    private static func expect(
        _ expected: [[String: JSONValue]], _ names: [String], _ bench: RecordBench, _ ids: [String], _ when: String
    ) async throws {
        let answer = await bench.send("GET", "Leads?ids=\(ids.joined(separator: ","))&fields=\(names.joined(separator: ","))")
        let records = Dictionary(
            (answer.json?["data"]?.array ?? []).map { ($0["id"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        #expect(records.count == ids.count, "\(answer.text.prefix(300))")
        for (id, values) in zip(ids, expected) {
            for name in names {
                let read = comparable(records[id]?[name] ?? .null, name)
                let wanted = comparable(values[name] ?? .null, name)
                #expect(read == wanted, "\(when): \(name) of \(id)")
            }
        }
    }
}
