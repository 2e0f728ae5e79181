import ArgumentParser
import CRMCore
import Wire

/// Registered programs.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Manage the programs that may ask for tokens.", subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a program. Prints its id and its secret; the secret is not shown again.")

        @Option(help: "What people read on the consent page.")
        var name: String
        @Option(parsing: .singleValue, help: "An address that codes may be sent to; repeat for several. None for a self-client.")
        var redirectURI: [String] = []
        @OptionGroup var place: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await AdminConnection.perform(.createClient(name: name, redirectURIs: redirectURI), place)
            output.show(answer, as: [("client id", "client_id"), ("client secret", "client_secret")])
        }
    }
}

extension ClientCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the registered programs.")

        @OptionGroup var place: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await AdminConnection.perform(.listClients, place)
            if output.json { return print(answer.text) }
            for client in answer["clients"]?.array ?? [] {
                let addresses = (client["redirect_uris"]?.array ?? []).compactMap(\.string).joined(separator: " ")
                print(
                    [client["client_id"], client["created"], client["name"]].map { $0?.string ?? "" }.joined(separator: "  ") + "  "
                        + addresses)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a program. All its tokens end at once.")

        @Argument(help: "The client's id.")
        var client: String
        @OptionGroup var place: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await AdminConnection.perform(.deleteClient(clientID: client), place)
            output.show(answer, as: [("deleted", "client_id"), ("name", "name")])
        }
    }
}

/// A self-client's code.
struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Make a code that a client exchanges for tokens, without a browser.")

    @Option(help: "The client's id.")
    var client: String
    @Option(help: "Scopes, separated by commas.")
    var scope: String
    @Option(help: "E-mail address of the user to act as (default: the organisation's first).")
    var user: String?
    @Option(help: "How long the code lives, 3 to 10 minutes.")
    var minutes = 10
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (3...10).contains(minutes) else { throw ValidationError("--minutes takes 3 to 10") }
    }

    func run() async throws {
        let answer = try await AdminConnection.perform(.grant(clientID: client, scope: scope, user: user, minutes: minutes), place)
        output.show(answer, plain: "code")
    }
}

/// An access token for scripts.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "token", abstract: "Print an access token.")

    @Option(help: "Scopes, separated by commas.")
    var scope: String
    @Option(help: "E-mail address of the user to act as (default: the organisation's first).")
    var user: String?
    @Option(help: "How long the token lives, 1 to 1440 minutes.")
    var minutes = 60
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1440).contains(minutes) else { throw ValidationError("--minutes takes 1 to 1440") }
    }

    func run() async throws {
        let answer = try await AdminConnection.perform(.token(scope: scope, user: user, minutes: minutes), place)
        output.show(answer, plain: "access_token")
    }
}

/// The people who sign in.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Manage the people who sign in.", subcommands: [Password.self])

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user a new password: one that is made up and printed, or the first line of standard input.")

        @Argument(help: "The user's e-mail address.")
        var email: String
        @Flag(help: "Read the password from standard input.")
        var stdin = false
        @OptionGroup var place: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let password = stdin ? readLine() : nil
            if stdin, password == nil { throw CommandFailure("no password on standard input") }
            let answer = try await AdminConnection.perform(.password(email: email, password: password), place)
            output.show(answer, as: [("user", "user"), ("password", "password")])
        }
    }
}

/// How a command prints its answer.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// Labelled lines, for people.
    func show(_ answer: JSONValue, as lines: [(label: String, key: String)]) {
        if json { return print(answer.text) }
        for line in lines {
            if let value = answer[line.key]?.string { print("\(line.label): \(value)") }
        }
    }

    /// One value alone, for `$(…)` in scripts.
    func show(_ answer: JSONValue, plain key: String) {
        print(json ? answer.text : answer[key]?.string ?? "")
    }
}
