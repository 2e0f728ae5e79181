import Metadata
import SQLStore
import Wire

/// What a caller gives for a transition: values, a note, files, ticks. Contract: blueprint, 234.
struct TransitionInput {
    enum Attachment {
        case files([(token: String, path: JSONPath)])
        case link(String)
    }

    private(set) var values: [JSONValue.Member] = []
    private(set) var note: JSONCursor?
    private(set) var attachments: [Attachment] = []
    /// By the title of the check list.
    private(set) var ticks: [String: [String: Bool]] = [:]
    /// What it adds to what was given before.
    private(set) var fields: Set<Int64> = []

    private let transition: Transition
    private let module: Module

    /// Known keys that are no part of the transition are refused rather than lost; unknown ones are ignored, as everywhere.
    init(_ data: JSONCursor?, _ transition: Transition, _ module: Module) throws(Rejection) {
        self.transition = transition
        self.module = module
        for member in try data?.object() ?? [] where !member.value.isNull {
            let input = JSONCursor(member.value, at: (data?.path ?? JSONPath()).appending(member.name))
            switch member.name {
            case "Notes": try readNote(input)
            case "Attachments": try readAttachments(input)
            case "CheckLists": try readCheckLists(input)
            case "widget": throw .invalid(at: input.path, message: "there are no widgets")
            default: try readField(input)
            }
        }
    }

    private func foreign(_ input: JSONCursor) -> Rejection {
        .invalid(at: input.path, message: "the transition does not take this")
    }

    private mutating func readField(_ input: JSONCursor) throws(Rejection) {
        guard let field = module.field(input.name), field.apiName != "id" else { return }
        guard transition.fields.contains(where: { $0.field == field.id }) else { throw foreign(input) }
        if input.value.string?.isBlank == true { return }
        values.append(.init(field.apiName, input.value))
        fields.insert(field.id.raw)
    }

    private mutating func readNote(_ input: JSONCursor) throws(Rejection) {
        guard transition.note != nil else { throw foreign(input) }
        if !(try input.string()).isBlank { note = input }
    }

    private mutating func readAttachments(_ input: JSONCursor) throws(Rejection) {
        guard transition.attachments != nil else { throw foreign(input) }
        for element in try input.elements(1...10) {
            if let link = element.optional("$link_url"), !link.value.isNull {
                attachments.append(.link(try Self.address(link)))
                continue
            }
            let given = try element.required("$file_id")
            let tokens = given.value.string == nil ? try given.elements(1...10) : [given]
            var files: [(String, JSONPath)] = []
            for token in tokens { files.append((try token.string(max: 255, min: 1), token.path)) }
            attachments.append(.files(files))
        }
    }

    /// Only addresses a browser opens without running anything; the page's own sample names none of the schemes.
    private static func address(_ given: JSONCursor) throws(Rejection) -> String {
        let text = try given.string(max: 2000, min: 1)
        let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && !$0.properties.isWhitespace }
        let schemes = ["http://", "https://", "ftp://"]
        if isPlain, let scheme = schemes.first(where: { text.lowercased().hasPrefix($0) }), text.utf8.count > scheme.utf8.count {
            return text
        }
        guard isPlain, !text.contains(":") else { throw .invalid(at: given.path) }
        return "http://" + text
    }

    /// `{"title","items":[{"item": true}]}`, or the items alone.
    private mutating func readCheckLists(_ input: JSONCursor) throws(Rejection) {
        guard !transition.checkLists.isEmpty else { throw foreign(input) }
        for element in try input.elements() {
            guard let title = element.optional("title"), let items = element.optional("items") else {
                try tick(element, in: transition.checkLists)
                continue
            }
            let name = try title.string()
            guard let list = transition.checkLists.first(where: { $0.title == name }) else { throw .invalid(at: title.path) }
            for item in try items.elements() { try tick(item, in: [list]) }
        }
    }

    private mutating func tick(_ item: JSONCursor, in lists: [Transition.CheckList]) throws(Rejection) {
        for member in try item.object() {
            let path = item.path.appending(member.name)
            guard let list = lists.first(where: { $0.items.contains(member.name) }) else { throw .invalid(at: path) }
            ticks[list.title, default: [:]][member.name] = try JSONCursor(member.value, at: path).bool()
        }
    }

    var isEmpty: Bool { values.isEmpty && note == nil && attachments.isEmpty && ticks.isEmpty }

    /// What was given before and now together.
    func added(to saved: SavedInputs) -> SavedInputs {
        var saved = saved
        saved.fields.formUnion(fields)
        if note != nil { saved.hasNote = true }
        if !attachments.isEmpty { saved.hasAttachments = true }
        for (title, items) in ticks {
            for (item, isTicked) in items {
                if isTicked { saved.ticked[title, default: []].insert(item) } else { saved.ticked[title]?.remove(item) }
            }
        }
        return saved
    }
}
