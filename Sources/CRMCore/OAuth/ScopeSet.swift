/// One permission a token may carry, such as `ZohoCRM.modules.leads.READ`.
package struct Scope: Sendable, Hashable {
    /// As it was asked for.
    package let text: String
    /// Everything before the operation, in the one spelling that is compared: `zohocrm.modules.leads`.
    package let area: String
    package let operation: String

    /// Nil unless the text is two or more names joined by dots.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let valid = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isNameByte) }
        guard (2...8).contains(parts.count), valid, text.utf8.count <= 200 else { return nil }
        self.text = text
        operation = parts[parts.count - 1].lowercased()
        var areas = parts.dropLast().map { $0.lowercased() }
        if areas.count == 3, areas[0] == "zohocrm", Self.areasByModule.contains(areas[1]) { areas[2] = Self.moduleName(areas[2]) }
        area = areas.joined(separator: ".")
    }

    /// False for a `ZohoCRM` scope of an area the API does not have; scopes of other services are not ours to judge.
    package var isKnown: Bool {
        let parts = area.split(separator: ".")
        return parts[0] != "zohocrm" || (parts.count > 1 && Self.areas.contains(String(parts[1])))
    }

    /// Areas whose scopes may name a module.
    private static let areasByModule: Set<String> = ["mass_convert", "mass_delete", "mass_update", "modules", "send_mail", "share"]

    private static let areas: Set<String> = [
        "apis", "bulk", "change_owner", "composite_requests", "coql", "features", "files", "functions", "mass_convert", "mass_delete",
        "mass_update", "modules", "notifications", "org", "send_mail", "settings", "share", "signals", "templates", "users", "zia",
    ]

    /// Upstream writes `salesorders`, `services` and `potentials` for Sales_Orders, Services__s and Deals.
    package static func moduleName(_ apiName: some StringProtocol) -> String {
        let lower = apiName.lowercased()
        let name = (lower.hasSuffix("__s") ? String(lower.dropLast(3)) : lower).filter { $0 != "_" }
        return name == "potentials" ? "deals" : name
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// What a token permits, taken apart once so that a check is a few dictionary look-ups. Contract: common, §12.
package struct ScopeSet: Sendable, Equatable {
    package let scopes: [Scope]
    private let operations: [String: Set<String>]

    package init(_ scopes: [Scope]) {
        self.scopes = scopes
        operations = scopes.reduce(into: [:]) { $0[$1.area, default: []].insert($1.operation) }
    }

    /// Scopes separated by commas or blanks; nil when there is none or one is malformed.
    package init?(_ text: String) {
        let words = text.split { $0 == "," || $0.isWhitespace }
        let scopes = words.compactMap { Scope(String($0)) }
        guard !scopes.isEmpty, scopes.count == words.count, scopes.count <= 200 else { return nil }
        self.init(scopes)
    }

    package static let none = ScopeSet([])

    /// The scopes as they are stored and as a token answer names them.
    package var text: String { scopes.map(\.text).joined(separator: " ") }

    package func covers(_ scope: Scope) -> Bool { covers(area: scope.area, scope.operation) }

    /// Whether one of the operations is granted on a module. Without a module any module will do: the endpoint that
    /// learns the module from a body asks again.
    package func covers(_ operations: [String], module apiName: String?, custom: Bool) -> Bool {
        operations.contains { name in
            let operation = name.lowercased()
            guard let apiName else { return coversAnyModule(operation) }
            return covers(area: "zohocrm.modules." + Scope.moduleName(apiName), operation)
                || (custom && covers(area: "zohocrm.modules.custom", operation))
        }
    }

    /// Whether one of the operations is granted on a module within an area such as `zohocrm.share`, given in lower case.
    package func covers(_ operations: [String], area: String, module apiName: String?) -> Bool {
        operations.contains { covers(area: apiName.map { "\(area).\(Scope.moduleName($0))" } ?? area, $0) }
    }

    /// A grant on an area holds for everything below it: `ZohoCRM.settings.ALL` for every settings scope.
    private func covers(area: String, _ operation: String) -> Bool {
        var area = Substring(area)
        while true {
            if let granted = operations[String(area)], Self.grants(granted, operation) { return true }
            guard let dot = area.lastIndex(of: "."), area[..<dot].contains(".") else { return false }
            area = area[..<dot]
        }
    }

    private func coversAnyModule(_ operation: String) -> Bool {
        operations.contains { area, granted in
            (area == "zohocrm.modules" || area.hasPrefix("zohocrm.modules.")) && Self.grants(granted, operation)
        }
    }

    private static func grants(_ granted: Set<String>, _ operation: String) -> Bool {
        granted.contains("all") || granted.contains(operation)
            || (granted.contains("write") && (operation == "create" || operation == "update"))
    }
}
