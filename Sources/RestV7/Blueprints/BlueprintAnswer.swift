import CRMCore
import HTTPShell
import Metadata
import Wire

/// A record's process as the page of 233 shows it.
struct BlueprintAnswer {
    let view: BlueprintView
    let module: Module
    let context: RequestContext

    private var state: BlueprintState { view.state }

    var json: JSONValue {
        ["process_info": processInfo, "transitions": .array(view.transitions.map(transition))]
    }

    private var processInfo: JSONValue {
        let field = state.field
        let option = (field.body["pick_list_values"]?.array ?? []).first { $0["display_value"]?.string == state.value }
        return [
            "field_id": .string(String(field.id.raw)), "escalation": .null, "is_continuous": .bool(state.blueprint.isContinuous),
            "api_name": .string(field.apiName), "continuous": .bool(state.blueprint.isContinuous), "field_label": .string(field.label),
            "name": .string(state.blueprint.name), "column_name": .string(field.apiName.uppercased()), "field_value": .string(state.value),
            "id": .id(state.blueprint.id), "field_name": .string(field.label),
            "current_picklist": [
                "colour_code": option?["colour_code"] ?? .null, "id": option?["id"] ?? .null, "value": .string(state.value),
            ],
        ]
    }

    private func transition(_ transition: Transition) -> JSONValue {
        let isMatched = view.matching.contains(transition.id)
        let due = transition.delay.map { $0.after(state.since) }
        return [
            "next_transitions": .array(state.blueprint.transitions(from: transition.to).map(next)), "data": data(transition),
            "next_field_value": .string(transition.to), "name": .string(transition.name), "criteria_matched": .bool(isMatched),
            "criteria_message": isMatched ? .null : transition.criteriaMessage.map(JSONValue.string) ?? .null,
            "id": .id(transition.id), "type": .string(transition.kind.rawValue), "fields": .array(inputs(transition)),
            "percent_partial_save": .real(state.percent(of: transition, module)), "execution_time": context.shown(due),
            "sequence": .integer(sequence(transition)), "color_code": transition.color.map(JSONValue.string) ?? .null,
            "parent_transition": .null,
        ]
    }

    private func sequence(_ transition: Transition) -> Int {
        (state.blueprint.transitions.firstIndex { $0.id == transition.id } ?? 0) + 1
    }

    private func next(_ transition: Transition) -> JSONValue {
        [
            "name": .string(transition.name), "id": .id(transition.id), "type": .string(transition.kind.rawValue),
            "criteria_matched": .bool(view.matching.contains(transition.id)),
        ]
    }

    /// What the record holds in the fields of the transition.
    private func data(_ transition: Transition) -> JSONValue {
        var data: JSONValue = [:]
        for input in transition.fields {
            guard let field = module.field(input.field), let value = view.values[field.apiName] else { continue }
            data[field.apiName] = value
        }
        return data
    }

    /// Fields hidden from the caller are not there, as everywhere.
    private func inputs(_ transition: Transition) -> [JSONValue] {
        var inputs: [JSONValue] = []
        for input in transition.fields {
            guard let field = module.field(input.field) else { continue }
            var answer = MetadataAnswers(catalog: context.catalog).field(field, of: module)
            answer["layouts"] = layout
            answer["column_name"] = .string(field.apiName.uppercased())
            answer["validation_rule"] = input.message.map(JSONValue.string) ?? .null
            inputs.append(completed(answer, "fields", mandatory: input.isMandatory, sequence: inputs.count + 1))
        }
        if let mandatory = transition.note {
            inputs.append(completed(other("Notes"), "notes", mandatory: mandatory, sequence: inputs.count + 1))
        }
        if let mandatory = transition.attachments {
            inputs.append(completed(other("Attachments"), "attachments", mandatory: mandatory, sequence: inputs.count + 1))
        }
        for list in transition.checkLists {
            let ticked = state.ticked(list, of: transition)
            var answer = other("CheckLists")
            answer["title"] = .string(list.title)
            answer["items"] = .array(list.items.map { .object([.init($0, .bool(ticked.contains($0)))]) })
            inputs.append(completed(answer, "checklists", mandatory: list.isMandatory, sequence: inputs.count + 1))
        }
        return inputs
    }

    private func completed(_ answer: JSONValue, _ type: String, mandatory: Bool, sequence: Int) -> JSONValue {
        var answer = answer
        answer["_type"] = .string(type)
        answer["mandatory"] = .bool(mandatory)
        answer["transition_sequence"] = .integer(sequence)
        answer["content"] = .null
        answer["personality_name"] = type == "fields" ? JSONValue.null : answer["api_name"] ?? .null
        return answer
    }

    /// What is no field of the record.
    private func other(_ name: String) -> JSONValue {
        ["api_name": .string(name), "display_label": .string(name), "field_label": .string(name), "custom_field": false]
    }

    private var layout: JSONValue {
        let layout = context.catalog.documents(.layout).first { $0.id == state.blueprint.layout }
        return ["name": layout?.body["name"] ?? .null, "id": .id(state.blueprint.layout)]
    }
}
