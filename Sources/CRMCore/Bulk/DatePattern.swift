import Wire

/// A pattern of letters by which dates and times are written in a file, such as `MM/dd/yyyy HH:mm:ss`.
package struct DatePattern: Sendable {
    private enum Piece: Sendable, Equatable {
        case year(Int)
        case month, day, hour, halfHour, minute, second, millisecond, marker, zone
        case monthName, longMonthName
        case literal(Unicode.Scalar)
    }

    package static let date = "MM/dd/yyyy", instant = "MM/dd/yyyy HH:mm:ss"
    private static let longMonths = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ]
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    private let pieces: [Piece]

    /// `nil` when it uses other letters, or leaves out a part of the day.
    package init?(_ pattern: String) {
        var pieces: [Piece] = []
        var rest = Array(pattern.unicodeScalars)[...]
        while let letter = rest.first {
            if letter == "'" {
                rest = rest.dropFirst()
                pieces += rest.prefix { $0 != "'" }.map(Piece.literal)
                rest = rest.drop { $0 != "'" }.dropFirst()
                continue
            }
            let count = rest.prefix { $0 == letter }.count
            rest = rest.dropFirst(count)
            guard let piece = Self.piece(letter, count) else { return nil }
            pieces += Array(repeating: piece, count: { if case .literal = piece { count } else { 1 } }())
        }
        let hasMonth = !pieces.allSatisfy { ![.month, .monthName, .longMonthName].contains($0) }
        guard hasMonth, pieces.contains(.day), pieces.contains(.year(4)) || pieces.contains(.year(2)) else { return nil }
        self.pieces = pieces
    }

    private static func piece(_ letter: Unicode.Scalar, _ count: Int) -> Piece? {
        switch (letter, count) {
        case ("y", 4), ("y", 2): .year(count)
        case ("M", 1), ("M", 2): .month
        case ("M", 3): .monthName
        case ("M", 4): .longMonthName
        case ("d", 1), ("d", 2): .day
        case ("H", 1), ("H", 2): .hour
        case ("h", 1), ("h", 2): .halfHour
        case ("m", 1), ("m", 2): .minute
        case ("s", 1), ("s", 2): .second
        case ("S", 3): .millisecond
        case ("a", 1): .marker
        case ("X", 1...3), ("Z", 1): .zone
        case ("T", 1): .literal(letter)
        default: letter.properties.isAlphabetic ? nil : .literal(letter)
        }
    }

    /// What a text says.
    fileprivate struct Parts {
        var year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0
        var isAfternoon: Bool?
        var offset: Int?
    }

    package func date(_ text: String) -> CalendarDate? { CalendarDate(text) ?? parts(text).flatMap(Self.day) }

    /// ISO texts are taken whatever the pattern says. A text without an offset is a time on the zone's clocks.
    package func instant(_ text: String, _ zone: TimeZoneRule) -> Instant? {
        if let instant = Instant(iso: text) { return instant }
        guard let parts = parts(text), let day = Self.day(parts) else { return nil }
        var hour = parts.hour
        if let isAfternoon = parts.isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard (0...23).contains(hour), (0...59).contains(parts.minute), (0...59).contains(parts.second) else { return nil }
        let local = Int64(day.daysSinceEpoch * 86_400 + hour * 3_600 + parts.minute * 60 + parts.second) * 1_000
        func moved(_ minutes: Int) -> Instant { Instant(milliseconds: local - Int64(minutes) * 60_000) }
        if let offset = parts.offset { return moved(offset) }
        let near = moved(zone.offsetMinutes(at: Instant(milliseconds: local)))
        return moved(zone.offsetMinutes(at: near))
    }

    private static func day(_ parts: Parts) -> CalendarDate? {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        let year = String(parts.year)
        return CalendarDate("\(String(repeating: "0", count: max(0, 4 - year.count)))\(year)-\(two(parts.month))-\(two(parts.day))")
    }

    private func parts(_ text: String) -> Parts? {
        var parts = Parts()
        var rest = Array(text.unicodeScalars)[...]
        func number(_ most: Int, exactly: Bool = false) -> Int? {
            let digits = rest.prefix(most).prefix { $0.isASCII && ("0"..."9").contains($0) }
            guard !digits.isEmpty, !exactly || digits.count == most else { return nil }
            rest = rest.dropFirst(digits.count)
            return digits.reduce(0) { $0 * 10 + Int($1.value - 48) }
        }
        for piece in pieces {
            switch piece {
            case .literal(let scalar):
                guard rest.first == scalar else { return nil }
                rest = rest.dropFirst()
            case .year(let count):
                guard let year = number(count, exactly: true) else { return nil }
                parts.year = count == 2 ? 2000 + year : year
            case .monthName:
                let name = String(String.UnicodeScalarView(rest.prefix(3))).lowercased()
                guard let index = Self.months.firstIndex(of: name) else { return nil }
                parts.month = index + 1
                rest = rest.dropFirst(3)
            case .longMonthName:
                let name = String(String.UnicodeScalarView(rest.prefix { $0.properties.isAlphabetic })).lowercased()
                guard let index = Self.longMonths.firstIndex(of: name) else { return nil }
                parts.month = index + 1
                rest = rest.dropFirst(name.unicodeScalars.count)
            case .month, .day, .hour, .halfHour, .minute, .second:
                guard let value = number(2) else { return nil }
                parts.set(value, piece == .month, piece == .day, piece == .minute, piece == .second)
            case .millisecond: guard number(3) != nil else { return nil }
            case .marker:
                let mark = String(String.UnicodeScalarView(rest.prefix(2))).lowercased()
                guard mark == "am" || mark == "pm" else { return nil }
                parts.isAfternoon = mark == "pm"
                rest = rest.dropFirst(2)
            case .zone:
                guard let instant = Instant(iso: "1970-01-02T00:00:00" + String(String.UnicodeScalarView(rest))) else { return nil }
                parts.offset = Int((86_400_000 - instant.milliseconds) / 60_000)
                rest = []
            }
        }
        return rest.isEmpty ? parts : nil
    }
}

extension DatePattern.Parts {
    fileprivate mutating func set(_ value: Int, _ isMonth: Bool, _ isDay: Bool, _ isMinute: Bool, _ isSecond: Bool) {
        if isMonth {
            month = value
        } else if isDay {
            day = value
        } else if isMinute {
            minute = value
        } else if isSecond {
            second = value
        } else {
            hour = value
        }
    }
}
