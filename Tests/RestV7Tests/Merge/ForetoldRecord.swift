import Testing
import TributaryTestKit
import Wire

extension RecordBench {
    /// The record a dry run shows is the one that is there afterwards, with the rows that hang on it, but for the moment of the change and
    /// how it is shown.
    func expect(_ shown: JSONValue, toBe module: String, _ id: String, _ note: String) async {
        let record = await get(module, id)
        for member in record.members ?? [] where !["Modified_Time", "$in_merge"].contains(member.name) {
            let told = shown[member.name]
            // A name may have changed with the record it belongs to; the id has not.
            if let id = member.value["id"] {
                #expect(told?["id"] == id, "\(note), \(member.name): \(told ?? .null) \(member.value)")
            } else {
                #expect(told == member.value, "\(note), \(member.name): \(told ?? .null) \(member.value)")
            }
        }
    }
}
