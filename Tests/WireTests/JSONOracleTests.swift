import Foundation
import Testing

@testable import Wire

/// Compares with Foundation's reader. Bounded by time, so that a slow machine does less rather than waits.
@Suite struct JSONOracleTests {
    private static let budget: Duration = .milliseconds(300)

    private static func foundation(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    @Test func whatWeWriteIsReadTheSameByFoundationAndByUs() throws {
        var random = FixedRandom(seed: 1)
        let start = ContinuousClock.now
        var rounds = 0
        while ContinuousClock.now - start < Self.budget {
            let value = random.json()
            let bytes = value.encoded()
            #expect(try JSONValue.parse(bytes) == value)
            let agrees = Self.foundation(bytes).map { Self.same(value, $0) }
            #expect(agrees == true, "\(value.text)")
            rounds += 1
        }
        #expect(rounds > 10)
    }

    @Test func damagedTextsNeverCrashAndAreTakenOnlyIfFoundationTakesThem() {
        var random = FixedRandom(seed: 2)
        let start = ContinuousClock.now
        var taken = 0
        while ContinuousClock.now - start < Self.budget {
            let whole = random.json().encoded()
            for _ in 0..<10 {
                var bytes = whole
                random.damage(&bytes)
                guard let value = try? JSONValue.parse(bytes) else { continue }
                taken += 1
                let text = String(decoding: bytes, as: UTF8.self)
                #expect((try? JSONValue.parse(value.encoded())) == value, "not stable: \(text)")
                let agrees = Self.foundation(bytes).map { Self.same(value, $0) } ?? Self.hasExtremeNumber(value)
                #expect(agrees, "\(text)")
            }
        }
        #expect(taken > 10)
    }

    @Test func randomBytesNeverCrash() {
        var random = FixedRandom(seed: 3)
        let start = ContinuousClock.now
        while ContinuousClock.now - start < Self.budget {
            var bytes: [UInt8] = []
            for _ in 0..<20 {
                random.damage(&bytes)
                bytes.append(UInt8(random.below(256)))
            }
            _ = try? JSONValue.parse(bytes)
        }
    }

    /// Foundation refuses numbers out of a double's range.
    private static func hasExtremeNumber(_ value: JSONValue) -> Bool {
        switch value {
        case .number: value.double == nil || value.double.map { $0 == 0 || $0.isSubnormal } ?? false
        case .array(let elements): elements.contains { hasExtremeNumber($0) }
        case .object(let members): members.contains { hasExtremeNumber($0.value) }
        case .null, .bool, .string: false
        }
    }

    /// Whether Foundation's objects say the same.
    private static func same(_ value: JSONValue, _ other: Any) -> Bool {
        switch value {
        case .null: return other is NSNull
        case .bool(let flag): return (other as? NSNumber)?.boolValue == flag
        case .number:
            guard let number = other as? NSNumber, let double = value.double else { return false }
            // Foundation reads exponents through decimals, and is off in the last digits; ours are tested by themselves.
            return abs(number.doubleValue - double) <= abs(double) * 1e-12
        case .string(let text): return (other as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        case .array(let elements):
            guard let others = other as? [Any], others.count == elements.count else { return false }
            return zip(elements, others).allSatisfy { same($0, $1) }
        case .object(let members):
            guard let others = other as? [String: Any] else { return false }
            return members.allSatisfy { member in others[member.name].map { same(member.value, $0) } ?? false }
        }
    }
}
