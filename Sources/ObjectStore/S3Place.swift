import Foundation

/// Which bucket of which service holds contents: `s3://bucket/prefix`, and the variables every S3 tool reads.
package struct S3Place: Sendable {
    let bucket: String
    /// Empty, or ending in a slash.
    let prefix: String
    let endpoint: URL
    let credentials: RequestSignature.Credentials

    package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        case address(String)
        case endpoint(String)
        case noCredentials

        package var description: String {
            switch self {
            case .address(let text): "\(text) is no address of a bucket such as s3://bucket/folder"
            case .endpoint(let text): "\(text) is no address of a service such as https://s3.example.com"
            case .noCredentials: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set"
            }
        }
    }

    /// The address names the bucket; endpoint, region and keys come from the environment, which keeps them out of process lists.
    package init(_ address: String, environment: [String: String]) throws(Problem) {
        let parts = address.dropFirst(5).split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard address.hasPrefix("s3://"), let bucket = parts.first, (3...63).contains(bucket.count), parts.allSatisfy(Self.isPlain) else {
            throw .address(address)
        }
        func value(_ names: String...) -> String? { names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } }
        guard let accessKey = value("AWS_ACCESS_KEY_ID"), let secretKey = value("AWS_SECRET_ACCESS_KEY") else { throw .noCredentials }
        let region = value("AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1"
        let service = value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") ?? "https://s3.\(region).amazonaws.com"
        guard let endpoint = URL(string: service), ["http", "https"].contains(endpoint.scheme), endpoint.host?.isEmpty == false,
            endpoint.query == nil
        else {
            throw .endpoint(service)
        }
        self.bucket = bucket
        self.endpoint = endpoint
        prefix = parts.dropFirst().map { $0 + "/" }.joined()
        credentials = .init(accessKey: accessKey, secretKey: secretKey, sessionToken: value("AWS_SESSION_TOKEN"), region: region)
    }

    /// Names that need no encoding, so that what is signed is what is sent.
    private static func isPlain(_ part: String) -> Bool {
        part != "." && part != ".."
            && part.utf8.allSatisfy { byte in
                let character = Character(UnicodeScalar(byte))
                return byte < 128 && (character.isLetter || character.isNumber || "-._".contains(character))
            }
    }

    /// `host` or `host:port`, as the Host header has it.
    var host: String { (endpoint.host ?? "") + (endpoint.port.map { ":\($0)" } ?? "") }
}
