import CRMCore
import Foundation
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// An organisation with modules, lookups, links and records that nobody thought of. The same seed makes the same one.
struct RandomWorld {
    struct Step {
        let module: String
        let master: String
        let children: [String]
        /// The fields each child gives.
        let named: [[String]]
        let asGroup: Bool
        let strategy: String
    }

    /// A few each time, among them one that found a fault (13: a subform taken from a child that has none of its rows); more when asked
    /// for.
    static var seeds: [UInt64] {
        let asked = ProcessInfo.processInfo.environment["TRIBUTARY_MERGE_SEEDS"].flatMap(UInt64.init)
        return asked.map { Array(1...max($0, 1)) } ?? [1, 2, 3, 13]
    }

    private struct Link {
        let name: String
        let left: (field: String, module: String)
        let right: (field: String, module: String)
        let own: [String]
    }

    private let bench: RecordBench
    private var random: SeededRandom
    private var modules: [String] = []
    /// Lookups of a module, with what they may point into; `nil` is any module.
    private var lookups: [String: [(field: String, target: String?)]] = [:]
    private var texts: [String: [String]] = [:]
    private var links: [Link] = []
    /// Subforms and multi-select lookups: field, and the lookup of a row that names what is joined.
    private var rows: [String: [(field: String, theirs: String?, target: String?)]] = [:]
    private var ids: [String: [String]] = [:]

    init(seed: UInt64, _ bench: RecordBench) {
        random = SeededRandom(state: seed)
        self.bench = bench
    }

    mutating func make() async throws {
        try await addModules()
        try await addLinks()
        try await addRowFields()
        try await addRecords()
        try await join()
        try await share()
        try await invite()
    }

    // Metadata

    private mutating func addModules() async throws {
        let standard = ["Leads", "Accounts", "Contacts", "Vendors"]
        texts = ["Leads": ["City", "Phone"], "Accounts": ["Phone"], "Contacts": ["Phone"], "Vendors": ["Phone"]]
        modules = standard.filter { _ in random.chance(2) }
        if modules.isEmpty { modules = ["Contacts"] }
        for number in 0..<(2 + random.below(3)) {
            let name = "Rnd\(number)"
            var fields: [RecordBench.CustomField] = []
            for text in 0...random.below(3) {
                fields.append(.text("T\(number)_\(text)"))
                texts[name, default: []].append("T\(number)_\(text)")
            }
            let targets = modules + [name]
            for lookup in 0..<random.below(4) {
                let field = "L\(number)_\(lookup)"
                if random.chance(3) {
                    fields.append(.anyLookup(field))
                    lookups[name, default: []].append((field, nil))
                } else {
                    let target = targets[random.below(targets.count)]
                    fields.append(.lookup(field, to: target))
                    lookups[name, default: []].append((field, target))
                }
            }
            try await bench.addModule(name, fields)
            modules.append(name)
        }
        // Lookups added to modules that are there already.
        for number in 0..<(1 + random.below(3)) {
            let owner = pick(modules)
            let target = pick(modules)
            try await bench.addFields(owner, [.lookup("Late\(number)", to: target)])
            lookups[owner, default: []].append(("Late\(number)", target))
        }
    }

    private mutating func addLinks() async throws {
        for number in 0..<(1 + random.below(3)) {
            let link = Link(
                name: "Lnk\(number)", left: ("Left\(number)", pick(modules)), right: ("Right\(number)", pick(modules)),
                own: (0..<random.below(3)).map { "Own\(number)_\($0)" })
            try await bench.addModule(
                link.name, type: "linking",
                [.lookup(link.left.field, to: link.left.module, side: true), .lookup(link.right.field, to: link.right.module, side: true)]
                    + link.own.map { .text($0) })
            links.append(link)
        }
    }

    /// A multi-select lookup made through settings, and a subform.
    private mutating func addRowFields() async throws {
        let owner = pick(modules)
        let target = pick(modules.filter { $0 != owner })
        let field: JSONValue = [
            "field_label": "Many", "data_type": "multiselectlookup",
            "multiselectlookup": [
                "connected_details": ["module": ["api_name": .string(target)], "field": ["field_label": "Back"]],
                "linking_details": ["module": ["plural_label": "Many Links"]],
            ],
        ]
        let made = await bench.send("POST", "settings/fields?module=\(owner)", ["fields": [field]])
        guard made.status == 200 || made.status == 201 else { throw BenchFailure(description: made.text) }
        let facet = await bench.send("GET", "settings/fields?module=\(owner)").json?["fields"]?.array?.first { $0["api_name"] == "Many" }
        let theirs = facet?["multiselectlookup"]?["connectedlookup_apiname"]?.string
        rows[owner, default: []].append(("Many", theirs, target))
        let holder = pick(modules)
        try await bench.addSubform("Lines", to: holder)
        rows[holder, default: []].append(("Lines", nil, nil))
    }

    // Records

    private mutating func addRecords() async throws {
        for module in modules {
            let count = 6 + random.below(5)
            let name =
                ["Leads": "Last_Name", "Contacts": "Last_Name", "Accounts": "Account_Name", "Vendors": "Vendor_Name"][module] ?? "Name"
            let items = (0..<count).map { number -> JSONValue in
                var item: JSONValue = [:]
                item[name] = .string("\(module) \(number)")
                for text in texts[module] ?? [] where random.chance(2) { item[text] = .string("\(text) \(random.below(5))") }
                return item
            }
            ids[module] = try await bench.add(module, items)
        }
        for module in modules {
            for id in ids[module] ?? [] {
                var item: JSONValue = ["id": .string(id)]
                for (field, target) in lookups[module] ?? [] where random.chance(2) {
                    let into = target ?? pick(modules)
                    item[field] = ["id": .string(pick(ids[into] ?? [])), "module": ["api_name": .string(into)]]
                }
                for (field, theirs, target) in rows[module] ?? [] where random.chance(2) { item[field] = values(theirs, target) }
                let answer = await bench.send("PUT", module, ["data": [item]])
                guard answer.status == 200 else { throw BenchFailure(description: answer.text) }
                guard random.chance(3) else { continue }
                let note: JSONValue = ["Note_Content": "n", "Parent_Id": ["id": .string(id), "module": ["api_name": .string(module)]]]
                _ = try await bench.addRows("Notes", [note])
            }
        }
    }

    private mutating func values(_ theirs: String?, _ target: String?) -> JSONValue {
        guard let theirs, let target else { return .array((0...random.below(3)).map { ["Line": .string("line \($0)")] }) }
        var joined: Set<String> = []
        for _ in 0...random.below(3) { joined.insert(pick(ids[target] ?? [])) }
        return .array(joined.sorted().map { [theirs: ["id": .string($0)]] })
    }

    private mutating func join() async throws {
        for link in links {
            var pairs: Set<String> = []
            for _ in 0..<16 {
                let left = pick(ids[link.left.module] ?? [])
                let right = pick(ids[link.right.module] ?? [])
                guard pairs.insert(left + " " + right).inserted else { continue }
                var row: JSONValue = [:]
                row[link.left.field] = ["id": .string(left)]
                row[link.right.field] = ["id": .string(right)]
                for own in link.own where random.chance(2) { row[own] = .string("v\(random.below(9))") }
                _ = try await bench.addRows(link.name, [row])
            }
        }
    }

    /// Shows some records to users and roles that need not be there: a share is a row like any other.
    private mutating func share() async throws {
        for module in modules {
            for id in ids[module] ?? [] where random.chance(3) {
                let target = RecordID(raw: Int64(1 + random.below(3)))
                let permission = RecordShare.Permission.allCases[random.below(3)]
                let services = bench.server.services
                let user = bench.server.administrator.id
                let catalog = services.catalog.current()
                try await services.write(catalog, .system("shares of a test", for: user), .api) { scope in
                    guard let owner = catalog.module(module), let record = RecordID(id) else { return }
                    let share = RecordShare(.roles, target, permission, withRelated: false, by: user, at: scope.now)
                    for outcome in try RecordShares.add([(share, JSONPath())], to: record, of: owner, scope) { try outcome.get() }
                }
            }
        }
    }

    /// Invites leads and contacts to events.
    private mutating func invite() async throws {
        for (module, kind) in [("Leads", "lead"), ("Contacts", "contact")] where modules.contains(module) {
            for number in 0..<3 {
                let some = Set((0...random.below(3)).map { _ in pick(ids[module] ?? []) })
                let invited = some.sorted().map { ["participant": .string($0), "type": .string(kind)] as JSONValue }
                _ = try await bench.add(
                    "Events",
                    [
                        "Event_Title": .string("E\(number)"), "Start_DateTime": "2030-01-01T10:00:00+00:00",
                        "End_DateTime": "2030-01-01T11:00:00+00:00", "Participants": .array(invited),
                    ])
            }
        }
    }

    // Merges

    mutating func choose() -> Step? {
        let module = pick(modules)
        var left = ids[module] ?? []
        guard left.count >= 4 else { return nil }
        func take() -> String { left.remove(at: random.below(left.count)) }
        let master = take()
        let asGroup = random.chance(3)
        let children = (0...(asGroup ? 2 : random.below(2))).map { _ in take() }
        // Of contacts the superior goes with its account; neither is random here.
        var free =
            (texts[module] ?? []) + (lookups[module] ?? []).map(\.field) + (rows[module] ?? []).filter { $0.theirs == nil }.map(\.field)
        let named = children.map { _ -> [String] in
            let some = free.filter { _ in random.chance(3) }
            free.removeAll(where: some.contains)
            return some
        }
        let strategy = ["master", "first_non_empty", "most_recent", "most_frequent", "longest"][random.below(5)]
        return Step(module: module, master: master, children: children, named: named, asGroup: asGroup, strategy: strategy)
    }

    mutating func forget(_ step: Step) { ids[step.module]?.removeAll(where: step.children.contains) }

    private mutating func pick(_ from: [String]) -> String { from.isEmpty ? "" : from[random.below(from.count)] }
}

/// The same numbers for the same seed.
struct SeededRandom {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return limit == 0 ? 0 : Int((state >> 33) % UInt64(limit))
    }

    /// One time in so many.
    mutating func chance(_ of: Int) -> Bool { below(of) == 0 }
}

extension RecordBench {
    /// A subform of one text, as settings would make it.
    func addSubform(_ name: String, to module: String) async throws {
        try await server.services.changeMetadata { scope in
            guard let owner = scope.catalog.module(module) else { throw BenchFailure(description: "no module \(module)") }
            let rows = scope.ids.next()
            func field(_ name: String, _ dataType: String, of parent: RecordID, _ more: [(String, JSONValue)] = []) -> Document {
                var body: JSONValue = [
                    "api_name": .string(name), "field_label": .string(name), "data_type": .string(dataType), "custom_field": true,
                    "columns": name == "id" ? ["id"] : [.string(name.lowercased())],
                ]
                for (key, value) in more { body[key] = value }
                return Document(id: scope.ids.next(), kind: .field, parent: parent, apiName: name, body: body)
            }
            let table = JSONValue.string("m_\(name.lowercased())_rows")
            try scope.add(
                [
                    Document(
                        id: rows, kind: .module, apiName: name,
                        body: ["generated_type": "subform", "table": table, "api_name": .string(name)]),
                    field("id", "bigint", of: rows),
                    field("Parent_Id", "lookup", of: rows, [("lookup", ["module": ["api_name": .string(module)]])]),
                    field("Line", "text", of: rows, [("length", 50)]), field("Created_Time", "datetime", of: rows),
                    field("Modified_Time", "datetime", of: rows),
                    field(
                        name, "subform", of: RecordID(raw: owner.id.raw),
                        [("subform", ["module": ["api_name": .string(name)]]), ("columns", [])]),
                ])
        }
    }
}
