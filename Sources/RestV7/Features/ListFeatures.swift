import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the organisation can use, with limits. Contract: features, 181.
enum ListFeatures: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__features", entry: "181", scope: .fixed(["ZohoCRM.features.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let names: Set<String>?
        let module: Module?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            let names = request.query("api_names").flatMap { $0.isEmpty ? nil : $0 }
            self.names = names.map { Set($0.split(separator: ",").map { String($0.filter { $0 != " " }) }) }
            module = try FeatureAnswer.module(request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = Feature.all(context.catalog).filter { feature in
            (input.names?.contains(feature.name) ?? true) && FeatureAnswer.concerns(feature, input.module)
        }
        return input.page.reply("__features", found.map { FeatureAnswer.json($0, of: nil) })
    }
}

/// One feature with what it is made of. Contract: features, 181.
enum GetFeature: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__features/{feature}", entry: "181", scope: .fixed(["ZohoCRM.features.READ"]))

    struct Input: EndpointInput {
        let name: String
        let module: Module?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            name = request.path["feature"] ?? ""
            module = try FeatureAnswer.module(request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        for feature in Feature.all(context.catalog) {
            if feature.name == input.name, FeatureAnswer.concerns(feature, input.module) {
                return .json(["__features": [FeatureAnswer.json(feature, of: nil)]])
            }
            if let part = feature.components.first(where: { $0.name == input.name }), FeatureAnswer.concerns(part, input.module) {
                return .json(["__features": [FeatureAnswer.json(part, of: feature)]])
            }
        }
        return .nothing
    }
}

/// How many may sign in, and how many do. Contract: features, 182.
enum GetUserLicences: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__features/user_licenses", entry: "182", scope: .fixed(["ZohoCRM.features.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let (total, used) = Feature.licences(context.catalog)
        func count(_ number: Int) -> JSONValue { ["total": .integer(number)] }
        return .json([
            "__features": [
                [
                    "api_name": "user_licenses", "parent_feature": .null, "module_supported": false, "feature_label": "UserLicenses",
                    "components": .null,
                    "details": ["available_count": count(max(total - used, 0)), "used_count": count(used), "limits": count(total)],
                ]
            ]
        ])
    }
}

/// A feature as an object of an answer.
enum FeatureAnswer {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module? {
        guard let name = request.query("module"), !name.isEmpty else { return nil }
        guard let module = context.catalog.module(name) else { throw Rejection(.invalidModule, .parameter("module")) }
        return module
    }

    static func concerns(_ feature: Feature, _ module: Module?) -> Bool {
        guard let module else { return true }
        return feature.modules?.contains(module.id) ?? false
    }

    static func json(_ feature: Feature, of parent: Feature?) -> JSONValue {
        var answer = short(feature)
        answer["parent_feature"] = parent.map(short) ?? .null
        answer["components"] = .array(feature.components.map(short))
        return answer
    }

    private static func short(_ feature: Feature) -> JSONValue {
        let limits: JSONValue = feature.limit.map { ["edition_limit": .integer($0), "total": .integer($0)] } ?? .null
        return [
            "api_name": .string(feature.name), "module_supported": .bool(feature.modules != nil), "feature_label": .string(feature.label),
            "details": ["limits": limits],
        ]
    }
}

let featureEndpoints: [any Endpoint.Type] = [ListFeatures.self, GetFeature.self, GetUserLicences.self]
