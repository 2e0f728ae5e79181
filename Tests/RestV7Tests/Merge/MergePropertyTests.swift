import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Random modules, lookups, links and records, merged at random: nothing is lost, the dry run tells the truth, undo gives the
/// database back. Contract: merge, §6 general rule, §10.
@Suite struct MergePropertyTests {
    @Test(arguments: TestServer.engines)
    func randomMergesLoseNothing(_ engine: Database.Engine) async throws {
        for seed in [1, 2, 3] as [UInt64] {
            try await RecordBench.with(engine) { bench in
                var graph = try await RandomGraph(seed: seed, bench)
                try await graph.grow()
                var stack: [(module: String, master: String, answer: TestServer.Answer, before: RecordDump)] = []
                for _ in 0..<7 {
                    guard let step = graph.choose() else { continue }
                    let before = try await bench.dump()
                    let dry = await bench.merge(step.module, step.master, step.children, query: "?dry_run=true").details
                    #expect(try await bench.dump() == before, "seed \(seed): a dry run wrote something")
                    let answer = await bench.merge(step.module, step.master, step.children)
                    #expect(answer.status == 201, "seed \(seed): \(answer.text)")
                    let after = try await bench.dump()
                    let told = answer.details
                    #expect(
                        dry["moved"] == told["moved"] && dry["collisions"] == told["collisions"] && dry["warnings"] == told["warnings"],
                        "seed \(seed): \(dry) \(told)")
                    await bench.expect(dry["record"] ?? .null, toBe: step.module, step.master, "seed \(seed)")
                    try await MergeProof(
                        before: before, after: after, module: step.module, master: step.master, children: step.children.map(\.0),
                        told: told,
                        "seed \(seed)"
                    ).hold(bench)
                    #expect(try await ConsistencyCheck.run(bench.server.services) == [], "seed \(seed)")
                    graph.remove(step)
                    stack.append((step.module, step.master, answer, before))
                }
                for step in stack.reversed() {
                    let undone = await bench.undo(step.module, step.master, step.answer)
                    #expect(
                        undone.status == 200 && undone.json?["unmerge"]?.array?.first?["details"]?["kept_rows"] == [],
                        "seed \(seed): \(undone.text)")
                    #expect(try await bench.dump().differences(from: step.before) == [], "seed \(seed)")
                }
                #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            }
        }
    }
}

extension TestServer.Answer {
    /// The details of the one result of a merge.
    fileprivate var details: JSONValue { json?["merge"]?.array?.first?["details"] ?? .null }
}

/// Records in standard and custom modules, with every kind of lookup between them.
private struct RandomGraph {
    struct Step {
        let module: String
        let master: String
        let children: [(String, [String])]
    }

    private var random: SeededRandom
    private let bench: RecordBench
    private var ids: [String: [String]] = [:]
    private var fields: [String: [String]] = [:]
    private let mergeable = ["Accounts", "Contacts", "Vendors", "Leads", "Alpha", "Beta"]

    init(seed: UInt64, _ bench: RecordBench) async throws {
        random = SeededRandom(state: seed)
        self.bench = bench
    }

    mutating func grow() async throws {
        try await addModules()
        let standard: [(String, String, Int)] = [
            ("Accounts", "Account_Name", 8), ("Contacts", "Last_Name", 10), ("Vendors", "Vendor_Name", 6), ("Leads", "Last_Name", 8),
            ("Alpha", "Name", 8),
            ("Beta", "Name", 8), ("Products", "Product_Name", 4), ("Campaigns", "Campaign_Name", 3), ("Deals", "Deal_Name", 5),
            ("Tasks", "Subject", 6),
        ]
        for (module, name, count) in standard {
            let items = (0..<count).map { index -> JSONValue in
                var item: JSONValue = [:]
                item[name] = .string("\(module) \(index)")
                if module == "Deals" { item["Stage"] = "Qualification" }
                if random.chance(2), module != "Tasks" {
                    item["Tag"] = .array((0..<random.below(4)).map { _ in ["name": .string("tag\(random.below(6))")] })
                }
                return item
            }
            ids[module] = try await bench.add(module, items)
        }
        try await point()
        try await link()
    }

    /// Two modules with lookups of their own, at each other and at standard ones, and a linking module between them.
    private mutating func addModules() async throws {
        try await bench.addModule(
            "Alpha", [.text("Note_A"), .lookup("Up_A", to: "Alpha"), .lookup("Acct_A", to: "Accounts"), .anyLookup("Any_A")])
        try await bench.addModule(
            "Beta", [.text("Note_B"), .lookup("Up_B", to: "Alpha"), .lookup("Lead_B", to: "Leads"), .anyLookup("Any_B")])
        try await bench.addModule(
            "Alpha_X_Beta", type: "linking",
            [.lookup("Left_L", to: "Alpha", side: true), .lookup("Right_L", to: "Beta", side: true), .text("Extra")])
        try await bench.addFields("Contacts", [.lookup("Alpha_C", to: "Alpha"), .lookup("Second_C", to: "Contacts")])
        fields = [
            "Accounts": ["Parent_Account", "Phone", "Account_Name"], "Contacts": ["Vendor_Name", "Second_C", "Alpha_C", "Phone"],
            "Vendors": ["Phone", "Tag"],
            "Leads": ["Phone", "Last_Name", "Tag"], "Alpha": ["Up_A", "Acct_A", "Any_A", "Note_A"],
            "Beta": ["Up_B", "Lead_B", "Any_B", "Note_B"],
        ]
    }

    /// Sets lookups at random, through the API.
    private mutating func point() async throws {
        let lookups: [(String, String, String)] = [
            ("Accounts", "Parent_Account", "Accounts"), ("Contacts", "Account_Name", "Accounts"), ("Contacts", "Reporting_To", "Contacts"),
            ("Contacts", "Vendor_Name", "Vendors"), ("Contacts", "Alpha_C", "Alpha"), ("Contacts", "Second_C", "Contacts"),
            ("Deals", "Account_Name", "Accounts"),
            ("Deals", "Contact_Name", "Contacts"), ("Alpha", "Up_A", "Alpha"), ("Alpha", "Acct_A", "Accounts"), ("Beta", "Up_B", "Alpha"),
            ("Beta", "Lead_B", "Leads"),
            ("Tasks", "Who_Id", "Contacts"),
        ]
        for module in ids.keys.sorted() {
            var items: [JSONValue] = []
            for id in ids[module] ?? [] {
                var item: JSONValue = ["id": .string(id)]
                for (owner, field, target) in lookups where owner == module && random.chance(2) {
                    item[field] = ["id": .string(pick(target))]
                }
                for field in ["Any_A", "Any_B"] where fields[module]?.contains(field) == true && random.chance(2) {
                    let target = mergeable[random.below(mergeable.count)]
                    item[field] = ["id": .string(pick(target)), "module": ["api_name": .string(target)]]
                }
                if module == "Tasks" {
                    let target = ["Accounts", "Leads", "Alpha", "Vendors"][random.below(4)]
                    item["What_Id"] = ["id": .string(pick(target))]
                    item["$se_module"] = .string(target)
                }
                if fields[module]?.contains("Phone") == true, random.chance(2) { item["Phone"] = .string("+44 \(random.below(1000))") }
                items.append(item)
            }
            let answer = await bench.send("PUT", module, ["data": .array(items)])
            guard answer.status == 200 else { throw BenchFailure(description: answer.text) }
            for id in ids[module] ?? [] where module != "Tasks" && random.chance(2) {
                let note: JSONValue = ["Note_Content": "n", "Parent_Id": ["id": .string(id), "module": ["api_name": .string(module)]]]
                _ = try await bench.addRows("Notes", [note])
            }
        }
    }

    private mutating func link() async throws {
        var alphaBeta: Set<String> = []
        var products: Set<String> = []
        var members: Set<String> = []
        for _ in 0..<24 {
            let (left, right) = (pick("Alpha"), pick("Beta"))
            if alphaBeta.insert(left + right).inserted {
                _ = try await bench.addRows(
                    "Alpha_X_Beta",
                    [
                        [
                            "Left_L": ["id": .string(left)], "Right_L": ["id": .string(right)],
                            "Extra": random.chance(2) ? .null : .string("x\(random.below(9))"),
                        ]
                    ])
            }
            let (lead, product) = (pick("Leads"), pick("Products"))
            if products.insert(lead + product).inserted {
                _ = try await bench.addRows("Leads_X_Products", [["Parent": ["id": .string(lead)], "Product": ["id": .string(product)]]])
            }
            let module = random.chance(2) ? "Leads" : "Contacts"
            let member = pick(module)
            let campaign = pick("Campaigns")
            if members.insert(member + campaign).inserted {
                _ = try await bench.addRows(
                    "Campaign_Members",
                    [
                        [
                            "Campaign": ["id": .string(campaign)],
                            "Member": ["id": .string(member), "module": ["api_name": .string(module)]],
                            "Member_Status": random.chance(2) ? .null : "Sent",
                        ]
                    ])
            }
        }
    }

    private mutating func pick(_ module: String) -> String {
        let all = ids[module] ?? []
        return all[random.below(all.count)]
    }

    mutating func choose() -> Step? {
        let module = mergeable[random.below(mergeable.count)]
        var left = ids[module] ?? []
        guard left.count >= 3 else { return nil }
        func take() -> String { left.remove(at: random.below(left.count)) }
        let master = take()
        let given = (fields[module] ?? []).filter { _ in random.chance(2) }
        var children = [(take(), given)]
        if random.chance(2) { children.append((take(), [])) }
        return Step(module: module, master: master, children: children)
    }

    mutating func remove(_ step: Step) {
        ids[step.module]?.removeAll { id in step.children.contains { $0.0 == id } }
    }
}
