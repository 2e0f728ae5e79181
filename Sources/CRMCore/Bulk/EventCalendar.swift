import Metadata
import SQLStore
import Wire

/// Meetings as a calendar file (RFC 5545).
enum EventCalendar {
    /// What a calendar entry is made of.
    static let fields = [
        "Event_Title", "Start_DateTime", "End_DateTime", "All_day", "Venue", "Description", "Created_Time", "Modified_Time",
    ]

    static let head = lines(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tributary//Bulk read//EN", "CALSCALE:GREGORIAN"])
    static let foot = lines(["END:VCALENDAR"])

    /// The columns of the plan are `fields`, in their order.
    static func rows(_ plan: ExportPlan, _ context: RenderContext, _ tx: Transaction) throws -> ExportRows {
        var rows = ExportRows()
        try tx.forEach(plan.sql) { row in
            guard rows.count < plan.limit else {
                rows.more = true
                return
            }
            let id = row.integer(0) ?? 0
            rows.bytes += entry(id, row, context)
            rows.last = RecordID(raw: id)
            rows.count += 1
        }
        return rows
    }

    private static func entry(_ id: Int64, _ row: borrowing Row, _ context: RenderContext) -> [UInt8] {
        let allDay = row.integer(4) == 1
        var entry = ["BEGIN:VEVENT", "UID:\(id)@tributary"]
        func moment(_ name: String, _ milliseconds: Int64?, _ entry: inout [String]) {
            guard let instant = milliseconds.map(Instant.init(milliseconds:)) else { return }
            if allDay {
                let day = instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)).prefix(10).filter { $0 != "-" }
                entry.append("\(name);VALUE=DATE:\(day)")
            } else {
                entry.append("\(name):\(utc(instant))")
            }
        }
        if let changed = row.integer(8) ?? row.integer(7) { entry.append("DTSTAMP:\(utc(Instant(milliseconds: changed)))") }
        moment("DTSTART", row.integer(2), &entry)
        moment("DTEND", row.integer(3), &entry)
        for (name, column) in [("SUMMARY", 1), ("LOCATION", 5), ("DESCRIPTION", 6)] {
            if let text = row.text(column), !text.isEmpty { entry.append("\(name):\(escaped(text))") }
        }
        entry.append("END:VEVENT")
        return lines(entry)
    }

    private static func utc(_ instant: Instant) -> String {
        instant.iso(offsetMinutes: 0).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", ";", ",": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\r": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A line has 75 bytes at most; what is longer goes on in the next one, behind a blank (RFC 5545, 3.1).
    static func lines(_ texts: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in texts {
            var length = 0
            for scalar in text.unicodeScalars {
                let piece = Array(String(scalar).utf8)
                if length + piece.count > 75 {
                    bytes += [0x0D, 0x0A, 0x20]
                    length = 1
                }
                bytes += piece
                length += piece.count
            }
            bytes += [0x0D, 0x0A]
        }
        return bytes
    }
}
