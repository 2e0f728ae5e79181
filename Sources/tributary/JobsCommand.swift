import ArgumentParser
import CRMCore
import Glibc
import Wire

/// How far long jobs have come.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Show the jobs that wait and run, with how far they have come.")

    @Flag(help: "Show them again every second until none runs or is due.")
    var watch = false
    @Flag(help: "Show the jobs that are over, too: the newest 200.")
    var all = false
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var shown = 0
        while true {
            let answer = try await AdminConnection.perform(.jobs(all: all), place)
            if output.json {
                print(answer.text)
            } else {
                let lines = Self.lines(answer)
                // On a terminal the new lines take the place of the old ones.
                if shown > 0, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[\(shown)A\u{1B}[J", terminator: "") }
                for line in lines { print(line) }
                shown = lines.count
            }
            fflush(nil)
            let open = (answer["jobs"]?.array ?? []).contains { $0["is_open"]?.bool == true }
            guard watch, open else { return }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private static func lines(_ answer: JSONValue) -> [String] {
        let jobs = answer["jobs"]?.array ?? []
        return jobs.isEmpty ? ["no jobs"] : jobs.map(JobLine.text) + (answer["more"]?.bool == true ? ["…"] : [])
    }
}

/// A job on one line: a bar, counts, and how long it may still take.
enum JobLine {
    private static let width = 24

    static func text(_ job: JSONValue) -> String {
        let done = job["done"]?.int64 ?? 0
        let failed = job["failed"]?.int64 ?? 0
        let total = job["total"]?.int64
        var parts = [
            job["id"]?.string ?? "", pad(job["kind"]?.string ?? "", 18), pad(job["state"]?.string ?? "", 7), bar(job["percent"]?.int64),
        ]
        // Some jobs are one step, and count nothing.
        if total != nil || done + failed > 0 { parts.append("\(done + failed)/\(total.map(String.init) ?? "?")") }
        if failed > 0 { parts.append("\(failed) failed") }
        if let seconds = job["seconds_left"]?.int64 { parts.append("about \(span(seconds)) left") }
        if job["state"]?.string == "waiting", let due = job["due"]?.string { parts.append("due \(due)") }
        if let error = job["error"]?.string { parts.append("(\(error.prefix(120)))") }
        return parts.joined(separator: "  ")
    }

    private static func bar(_ percent: Int64?) -> String {
        guard let percent else { return "[" + String(repeating: "·", count: width) + "]   ? " }
        let full = Int(percent) * width / 100
        let number = String(percent)
        return "[" + String(repeating: "#", count: full) + String(repeating: "·", count: width - full) + "] "
            + String(repeating: " ", count: max(0, 3 - number.count)) + number + "%"
    }

    private static func span(_ seconds: Int64) -> String {
        seconds < 60 ? "\(seconds) s" : seconds < 3600 ? "\(seconds / 60) min" : "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }

    private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}
