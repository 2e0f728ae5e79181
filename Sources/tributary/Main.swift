import ArgumentParser

/// The program: a server and the commands an administrator needs beside it.
@main
struct TributaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "A CRM server that speaks the Zoho CRM v7 REST API.",
        subcommands: [
            ServeCommand.self, ClientCommand.self, GrantCommand.self, TokenCommand.self, UserCommand.self, MergeCommand.self,
            UnmergeCommand.self,
            TerritoriesCommand.self, JobsCommand.self, CompactCommand.self, RestoreCommand.self, EncryptionKeyCommand.self,
            CoverageCommand.self,
        ])
}

/// Why a command failed, in words for the person at the terminal. The exit code is 1; wrong usage gives 64.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
