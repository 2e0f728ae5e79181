import Testing

@testable import CRMCore

/// Texts of mails that somebody wrote to keep a server busy, and what comes of them.
@Suite struct MailTextTests {
    @Test func tagsThatNeverEndAreText() {
        let text = String(repeating: "<", count: 300_000)
        #expect(PlainText.of(text) == text)
        #expect(PlainText.of("a<b>c</b><br>d < e") == "ac\nd < e")
    }

    @Test func onePassFindsAllPlacesToUnsubscribe() {
        let text = (0..<20_000).map { "${Unsubscribe_Link.n\($0)}" }.joined() + "${Unsubscribe_Link}${Unsubscribe_Linked}${Unsubscribe_Link.x"
        let names = UnsubscribePlaces.names(in: text)
        #expect(names.count == 20_001 && names.first == "n0" && names.last == "")
    }

    @Test func marksOfThirtyTwoBitsAreNotTakenForSixteen() {
        #expect(Charset.mark([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0])?.charset == .utf32little)
        #expect(Charset.mark([0, 0, 0xFE, 0xFF, 0, 0, 0, 0x61])?.charset == .utf32big)
        #expect(Charset.mark([0xFF, 0xFE, 0x61, 0])?.charset == .utf16little)
    }
}
