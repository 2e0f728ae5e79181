import CRMCore
import Testing

/// API names made from labels (`metadata/types.md`, "POST /settings/fields"; `modules.md`, section note).
@Suite struct MadeNameTests {
    @Test(arguments: [
        ("Region", "Region"), ("Lease No.", "Lease_No"), ("  Two  words ", "Two_words"), ("3rd party", "C_3rd_party"), ("Größe", "Gr_e"),
        ("日本", "Custom"),
        ("a__b", "a_b"), ("end_", "end"),
    ])
    func aLabelBecomesAName(_ label: String, _ name: String) {
        #expect(MadeName.derived(from: label) == name)
        #expect(MadeName.isValid(name))
    }

    @Test func aTakenNameGetsTheLowestFreeNumber() {
        let taken: Set<String> = ["Region", "Region1"]
        #expect(MadeName.derived(from: "Region", isTaken: taken.contains) == "Region2")
        let long = String(repeating: "a", count: 60)
        let first = MadeName.derived(from: long)
        #expect(first.count == 50)
        #expect(MadeName.derived(from: long) { $0 == first }.count == 50)
    }

    @Test(arguments: ["", "1a", "_a", "a_", "a__b", "a b", "ä", String(repeating: "a", count: 51)])
    func namesThatBreakARuleAreRefused(_ name: String) { #expect(!MadeName.isValid(name)) }

    @Test func labelsAreLettersDigitsAndBlanks() {
        #expect(MadeName.isPlainLabel("Größe 2"))
        #expect(!MadeName.isPlainLabel("   "))
        #expect(!MadeName.isPlainLabel("a#b"))
    }
}
