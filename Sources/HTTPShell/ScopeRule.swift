import CRMCore
import Metadata
import Wire

/// What a token must carry to call an endpoint. Contract: common, §12.
package enum ScopeRule: Sendable {
    /// No token at all.
    case anyone
    /// One of these operations, or ALL, on the module of the path: `ZohoCRM.modules.OP` or `ZohoCRM.modules.{module}.OP`.
    case modules([String])
    /// The same in another area that goes by module, such as `ZohoCRM.share`.
    case area(String, [String])
    /// Any one of these full scopes. A grant on a wider area, such as `ZohoCRM.settings.ALL`, need not be listed.
    case fixed([String])
    case all([ScopeRule])
    case any([ScopeRule])
}

extension ScopeRule: CustomStringConvertible {
    /// In the contract's notation (common, §12), as the list of APIs and the coverage page print it. Empty when anyone may.
    package var description: String {
        switch self {
        case .anyone: ""
        case .modules(let operations): operations.map { "ZohoCRM.modules.{module}.\($0)" }.joined(separator: " or ")
        case .area(let area, let operations): operations.map { "\(area).{module}.\($0)" }.joined(separator: " or ")
        case .fixed(let scopes): scopes.joined(separator: " or ")
        case .all(let rules): rules.map(\.description).joined(separator: " and ")
        case .any(let rules): rules.map(\.description).joined(separator: " or ")
        }
    }
}

/// A scope rule with its texts taken apart, made once per endpoint.
enum ScopeCheck: Sendable {
    case anyone
    case modules([String])
    case area(String, [String])
    case fixed([Scope])
    case all([ScopeCheck])
    case any([ScopeCheck])

    init(_ rule: ScopeRule) {
        switch rule {
        case .anyone: self = .anyone
        case .modules(let operations): self = .modules(operations.map { $0.lowercased() })
        case .area(let area, let operations): self = .area(area.lowercased(), operations.map { $0.lowercased() })
        case .fixed(let texts): self = .fixed(texts.map(Self.scope))
        case .all(let rules): self = .all(rules.map(ScopeCheck.init))
        case .any(let rules): self = .any(rules.map(ScopeCheck.init))
        }
    }

    /// A declaration that names no scope is a mistake, found by the first start.
    private static func scope(_ text: String) -> Scope {
        guard let scope = Scope(text) else { preconditionFailure("not a scope: \(text)") }
        return scope
    }

    var needsToken: Bool {
        switch self {
        case .anyone: false
        case .modules, .area, .fixed: true
        case .all(let checks): checks.contains(where: \.needsToken)
        case .any(let checks): checks.allSatisfy(\.needsToken)
        }
    }

    /// `pathModule` is the module name as the path spells it; `module` what the catalog knows under it.
    func permits(_ scopes: ScopeSet, pathModule: String?, _ module: Module?) -> Bool {
        switch self {
        case .anyone: true
        case .modules(let operations):
            scopes.covers(operations, module: module?.apiName ?? pathModule, custom: module?.isCustomMade ?? false)
        case .area(let area, let operations): scopes.covers(operations, area: area, module: module?.apiName ?? pathModule)
        case .fixed(let wanted): wanted.contains(where: scopes.covers)
        case .all(let checks): checks.allSatisfy { $0.permits(scopes, pathModule: pathModule, module) }
        case .any(let checks): checks.contains { $0.permits(scopes, pathModule: pathModule, module) }
        }
    }
}

extension Module {
    /// Made by the organisation, so that `ZohoCRM.modules.custom` speaks of it.
    var isCustomMade: Bool { generatedType == "custom" || generatedType == "linking" }
}
