import Testing
import Wire

@testable import CRMCore

@Suite struct TagTests {
    /// `endpoints/tags.md`, section notes.
    @Test(arguments: ["a,b", "<b", "b>", "party 🎉", "", "   ", String(repeating: "x", count: 26)])
    func aTagNameThatMayNotBeIsRefused(_ name: String) {
        #expect(throws: Rejection.self) { try Tag.name(JSONCursor(.string(name))) }
    }

    @Test(arguments: ["Hot", "été & co", "№ 1 ©", String(repeating: "x", count: 25)])
    func aPlainTagNameIsTaken(_ name: String) throws {
        #expect(try Tag.name(JSONCursor(.string(name))) == name)
    }

    @Test func onlyColoursOfThePaletteAreTaken() throws {
        #expect(try Tag.color(JSONCursor("#57b1fd")) == "#57B1FD")
        #expect(try Tag.color(JSONCursor(.null)) == nil)
        #expect(throws: Rejection.self) { try Tag.color(JSONCursor("#000000")) }
    }
}
