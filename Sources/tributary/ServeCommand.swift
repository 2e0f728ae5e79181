import ArgumentParser
import CRMCore
import Foundation
import HTTPShell
import Logging
import Metadata
import Outbound
import RestV7
import SQLStore
import ServiceLifecycle
import UnixSignals

/// Runs the server until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    enum LogFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run the server.")

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes any free one.")
    var port = 8080
    @OptionGroup var place: DatabaseOptions
    @Option(
        help: """
            Where uploaded files lie: a folder, or a bucket as s3://name/folder with AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and \
            AWS_SECRET_ACCESS_KEY set (default: files in the data folder; in the database on PostgreSQL).
            """)
    var files: String?
    @Option(
        help: """
            How many days after a merge it can be undone, 1 to 36500, or forever. Then its journal is taken away. Also read from \
            TRIBUTARY_UNDO_DAYS (default: 30).
            """)
    var undoDays: String?
    @Flag(help: "Fill an empty database with a demo organisation, and print how to sign in to it.")
    var demo = false
    @Option(name: .customLong("public-url"), help: "The origin under which clients reach the server, such as https://crm.example.com.")
    var publicURL: String?
    @Flag(
        help: """
            Send notifications and call-backs also to this machine and to private networks, which callers may then make the server reach \
            (also: TRIBUTARY_ALLOW_PRIVATE_CALLBACKS=1).
            """)
    var allowPrivateCallbacks = false
    @Option(
        help: """
            A file with the certificates, in PEM, that servers of notifications and call-backs are checked against, in place of the system's \
            (also: TRIBUTARY_CA_FILE).
            """)
    var caFile: String?
    @OptionGroup var encryption: EncryptionOptions
    @OptionGroup var mail: MailOptions
    @OptionGroup var limits: LimitOptions
    @Option(help: "Forget jobs that are over after so many days.")
    var keepJobs = JobSweep.usualDays
    @Option(help: "How log lines look: text or json.")
    var logFormat = LogFormat.text
    @Option(help: "trace, debug, info, notice, warning, error or critical. Each request is a line at info.", transform: Self.level)
    var logLevel = Logger.Level.info

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535") }
        guard UndoPeriod(undoText) != nil else { throw ValidationError("--undo-days takes 1 to 36500, or forever") }
        guard (1...3650).contains(keepJobs) else { throw ValidationError("--keep-jobs takes 1 to 3650 days") }
        if let file = authorities, !FileManager.default.isReadableFile(atPath: file) {
            throw ValidationError("--ca-file: \(file) cannot be read")
        }
        if let publicURL, !Self.isOrigin(publicURL) {
            throw ValidationError("--public-url takes an origin such as https://crm.example.com, without a path")
        }
    }

    private var authorities: String? {
        caFile ?? ProcessInfo.processInfo.environment["TRIBUTARY_CA_FILE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private var undoText: String { undoDays ?? ProcessInfo.processInfo.environment["TRIBUTARY_UNDO_DAYS"] ?? "30" }

    func run() async throws {
        let logger = makeLogger()
        let demo = demo
        let location = place.location
        let filePlace = try FilePlace.named(files)
        let sender = CurlSender(
            allowsPrivate: allowPrivateCallbacks || Self.isSet("TRIBUTARY_ALLOW_PRIVATE_CALLBACKS"), authorities: authorities)
        let mailer = try mail.sender()
        let vault = try encryption.vault()
        let start = try await place.whenFree(orServed: true) {
            try await Bootstrap.start(
                location, files: filePlace, outgoing: sender, mailer: mailer, undo: UndoPeriod(undoText) ?? .standard, demo: demo,
                vault: vault, logger: logger)
        }
        do {
            try await serve(start, logger)
        } catch {
            await start.close()
            throw error
        }
        await start.close()
    }

    private static func isSet(_ variable: String) -> Bool {
        ["1", "true", "yes"].contains(ProcessInfo.processInfo.environment[variable]?.lowercased())
    }

    private func serve(_ start: Bootstrap.Result, _ logger: Logger) async throws {
        let services = start.services
        var options = Shell.Options()
        options.publicURL = publicURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        options.fallbackURL = "http://\(Self.bracketed(host)):\(port)"
        options.limits = try limits.limits(users: services.catalog.current().users.filter(\.active).count)
        let shell = Shell(services: services, endpoints: allEndpoints, options: options)
        let administration = Administration(services, tokens: shell.tokens)
        let origin = options.publicURL
        let host = host
        let demo = demo
        let server = HTTPServer(shell, host: host, port: port, logger: logger) { port in
            do {
                let welcome = try await Welcome.prepare(start, demo: demo, administration)
                print(welcome.text(origin: origin ?? "http://\(Self.bracketed(host)):\(port)"))
                fflush(nil)
            } catch {
                logger.error("no welcome could be made", metadata: ["error": .string(String(describing: error))])
            }
        }
        try await run(server, start, shell, administration, logger)
    }

    /// Started in this order and stopped in the reverse one: the server takes no more requests before anything else ends.
    private func run(
        _ server: HTTPServer, _ start: Bootstrap.Result, _ shell: Shell, _ administration: Administration, _ logger: Logger
    ) async throws {
        var units: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .background("work") { [keepJobs] in await start.runInBackground(keepingJobsDays: keepJobs) },
            .background("limits") { await shell.followLimits() },
            .background("revocations") { await shell.tokens.followRevocations() },
        ]
        if let folder = place.folder {
            do {
                units.append(.init(service: try AdminChannel(folder: folder, administration: administration, logger: logger)))
            } catch {
                // A folder on a file system without sockets still serves requests.
                logger.warning("commands cannot reach this server", metadata: ["error": .string(String(describing: error))])
            }
        }
        units.append(.init(service: ServerService(server: server)))
        var configuration = ServiceGroupConfiguration(services: units, logger: Self.quiet(logger))
        configuration.gracefulShutdownSignals = [.sigterm, .sigint]
        // A request that takes longer than this is not going to end.
        configuration.maximumGracefulShutdownDuration = .seconds(30)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let failure as ListenFailure {
            throw CommandFailure("\(host):\(port): \(failure) (--port names another)")
        }
    }

    private func makeLogger() -> Logger {
        let format = logFormat
        LoggingSystem.bootstrap { label in
            switch format {
            case .json: JSONLogHandler(label: label)
            case .text: StreamLogHandler.standardError(label: label)
            }
        }
        var logger = Logger(label: "tributary")
        logger.logLevel = logLevel
        return logger
    }

    /// The service group tells of every start and stop.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    private static func level(_ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: name) else { throw ValidationError("no log level is called \(name)") }
        return level
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let url = URL(string: text), let scheme = url.scheme, url.host?.isEmpty == false else { return false }
        return ["http", "https"].contains(scheme) && ["", "/"].contains(url.path) && url.query == nil && url.fragment == nil
            && url.user == nil
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
