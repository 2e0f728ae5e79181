// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")]

let package = Package(
    name: "tributary",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.10.0"),
    ],
    targets: [
        // System libraries: headers only.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Values and refusals: JSON in and out, paths, ids, instants, error codes. No I/O.
        .target(name: "Wire", swiftSettings: strict),
        // The only target that knows two engines exist.
        .target(name: "SQLStore", dependencies: ["Wire", "CSQLite", "CLibPQ"], swiftSettings: strict),
        // What data exists: catalog, modules, fields, field types, schema changes.
        .target(name: "Metadata", dependencies: ["Wire", "SQLStore"], resources: [.copy("Resources")], swiftSettings: strict),
        // What happens to it: rights, queries, writes, merge, changes, jobs. No HTTP.
        .target(
            name: "CRMCore",
            dependencies: ["Wire", "SQLStore", "Metadata", "CCrypto", "CZlib", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        // Contents of files in a bucket.
        .target(name: "ObjectStore", dependencies: ["Wire", "CRMCore"], swiftSettings: strict),
        // Requests to servers that callers name, notifications and call-backs; and mails.
        .target(name: "Outbound", dependencies: ["Wire", "CRMCore", "CCurl"], swiftSettings: strict),
        // From socket to typed input and back; the only target that imports the web framework.
        .target(
            name: "HTTPShell",
            dependencies: [
                "Wire", "Metadata", "CRMCore", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict),
        // One declaration per directory entry.
        .target(
            name: "RestV7", dependencies: ["Wire", "Metadata", "CRMCore", "HTTPShell"], resources: [.copy("Resources")],
            swiftSettings: strict),
        // The one binary: configuration, wiring, commands.
        .executableTarget(
            name: "tributary",
            dependencies: [
                "Wire", "SQLStore", "Metadata", "CRMCore", "HTTPShell", "RestV7", "ObjectStore", "Outbound",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Used by tests only: databases on both engines, an in-process client, fault injection.
        .target(
            name: "TributaryTestKit", dependencies: ["Wire", "SQLStore", "Metadata", "CRMCore", "HTTPShell", "RestV7"],
            swiftSettings: strict),
        .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: strict),
        .testTarget(name: "SQLStoreTests", dependencies: ["SQLStore", "Wire"], swiftSettings: strict),
        .testTarget(name: "CRMCoreTests", dependencies: ["CRMCore", "TributaryTestKit"], swiftSettings: strict),
        .testTarget(name: "ObjectStoreTests", dependencies: ["ObjectStore", "CRMCore", "TributaryTestKit"], swiftSettings: strict),
        .testTarget(name: "OutboundTests", dependencies: ["Wire", "Outbound", "CRMCore", "TributaryTestKit"], swiftSettings: strict),
        .testTarget(name: "RestV7Tests", dependencies: ["RestV7", "Outbound", "TributaryTestKit"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
