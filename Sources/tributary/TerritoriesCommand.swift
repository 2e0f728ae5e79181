import ArgumentParser
import CRMCore
import Wire

/// Turns territories on or off.
struct TerritoriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "territories",
        abstract: "Turn territories on or off. While they are off, records keep the territories they have.")

    enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

    @Argument(help: "on or off") var state: Switch
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await AdminConnection.perform(.territories(on: state == .on), place)
        print(output.json ? answer.text : "territories are \(state.rawValue)")
    }
}
