import CCrypto
import Dispatch

/// A password as it is stored: `scrypt$cost$block$parallel$salt$key`, the numbers with it so that they can be raised later.
package struct PasswordHash: Sendable, Equatable {
    package let text: String

    /// 16 MiB and about a fifth of a second: one of the equal choices of OWASP's password storage guide, the one with little memory.
    private static let cost: UInt64 = 1 << 14, block: UInt64 = 8, parallel: UInt64 = 5

    /// One at a time, off the cooperative threads: a flood of sign-ins must not take every core.
    private static let queue = DispatchQueue(label: "tributary.passwords")

    package init(stored text: String) { self.text = text }

    package static func make(_ password: String) async -> PasswordHash? {
        await onQueue {
            let salt = Secrets.randomBytes(16)
            guard let key = derive(password, salt, cost, block, parallel) else { return nil }
            return PasswordHash(stored: "scrypt$\(cost)$\(block)$\(parallel)$\(Secrets.hex(salt))$\(Secrets.hex(key))")
        }
    }

    /// A hash that no password fits, so that unknown names take as long as known ones.
    package static let nobody = PasswordHash(
        stored: "scrypt$\(cost)$\(block)$\(parallel)$\(String(repeating: "00", count: 16))$\(String(repeating: "00", count: 32))")

    package func matches(_ password: String) async -> Bool {
        let parts = text.split(separator: "$").map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let cost = UInt64(parts[1]), let block = UInt64(parts[2]),
            let parallel = UInt64(parts[3]), let salt = Secrets.bytes(hex: parts[4])
        else { return false }
        return await Self.onQueue {
            guard let key = Self.derive(password, salt, cost, block, parallel) else { return false }
            return Secrets.equal(Secrets.hex(key), parts[5])
        }
    }

    private static func onQueue<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
    }

    private static func derive(_ password: String, _ salt: [UInt8], _ cost: UInt64, _ block: UInt64, _ parallel: UInt64) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: 32)
        let text = Array(password.utf8).map { CChar(bitPattern: $0) }
        let memory: UInt64 = 64 << 20  // refuses stored numbers that would take more than 64 MiB
        let done = EVP_PBE_scrypt(text, text.count, salt, salt.count, cost, block, parallel, memory, &key, key.count)
        return done == 1 ? key : nil
    }
}
