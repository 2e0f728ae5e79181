import CRMCore
import HTTPShell
import Wire

/// The `callback` of a bulk job: `{"url","method":"post"}`.
enum CallbackBody {
    static func read(_ body: JSONCursor) throws(Rejection) -> Callback? {
        guard let callback = body.optional("callback"), !callback.value.isNull else { return nil }
        _ = try callback.object()
        let url = try callback.required("url")
        let text = try url.string()
        guard OutgoingURL(text) != nil else { throw Rejection(.invalidCallbackURL, .apiName("url"), .jsonPath(url.path)) }
        let method = try callback.required("method")
        guard try method.string().lowercased() == "post" else {
            throw Rejection(
                .invalidCallbackMethod, .apiName("method"), .jsonPath(method.path), .other("supported_callback_methods", "post"))
        }
        return Callback(url: text)
    }
}

/// Modules that bulk jobs know. Contract: bulk-read and bulk-write, section notes and pages.
enum BulkModules {
    static let read: Set<String> = write.union(["Events", "Calls"])
    static let write: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Solutions", "Products", "Vendors", "Price_Books",
        "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices",
    ]
}

extension ParsedRequest {
    /// Bulk jobs are the ones that ask for a media type (249, errors).
    func requireJSONType() throws(Rejection) {
        guard let type = header("content-type"), type.lowercased().contains("json") else { throw Rejection(.mediaTypeNotSupported) }
    }
}
