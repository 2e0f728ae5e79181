import Synchronization
import Wire

/// Makes ids that rise with time and are unique across processes.
package protocol IDSource: Sendable {
    func next() -> RecordID
}

/// 41 bits of milliseconds since 2020, 10 of process number, 12 of sequence: 18 or 19 digits, as the API's ids have.
package final class TimedIDs: IDSource {
    /// 2020-01-01T00:00:00Z.
    private static let epoch: Int64 = 1_577_836_800_000
    private let process: Int64
    private let clock: @Sendable () -> Instant
    private let last = Mutex<(millisecond: Int64, sequence: Int64)>((0, 0))

    package init(process: Int64, clock: @escaping @Sendable () -> Instant) {
        self.process = process & 0x3FF
        self.clock = clock
    }

    /// When the clock steps back the last millisecond is held; when a millisecond's 4,096 ids are used up the next one is borrowed.
    package func next() -> RecordID {
        let now = clock().milliseconds - Self.epoch
        return last.withLock { last in
            if now > last.millisecond {
                last = (now, 0)
            } else if last.sequence < 0xFFF {
                last.sequence += 1
            } else {
                last = (last.millisecond + 1, 0)
            }
            return RecordID(raw: last.millisecond << 22 | process << 12 | last.sequence)
        }
    }
}
