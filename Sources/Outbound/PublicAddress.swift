import Glibc

/// Tells addresses of the open internet from those of this machine and the networks around it (IANA's special-purpose registries).
/// A caller who names one of the latter would have us knock where he cannot.
enum PublicAddress {
    /// Any family but the two of IP is nobody's business.
    static func allows(_ address: UnsafeRawPointer, family: Int32) -> Bool {
        switch family {
        case AF_INET: allows(v4: bytes(of: address.loadUnaligned(as: sockaddr_in.self).sin_addr))
        case AF_INET6: allows(v6: bytes(of: address.loadUnaligned(as: sockaddr_in6.self).sin6_addr))
        default: false
        }
    }

    private static func bytes<T>(of address: T) -> [UInt8] { withUnsafeBytes(of: address) { Array($0) } }

    static func allows(v4 b: [UInt8]) -> Bool {
        guard b.count == 4 else { return false }
        switch (b[0], b[1], b[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224...255, _, _): return false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (198, 18...19, _): return false
        case (192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113), (192, 88, 99): return false
        default: return true
        }
    }

    static func allows(v6 b: [UInt8]) -> Bool {
        guard b.count == 16 else { return false }
        let zeros = b.prefix { $0 == 0 }.count
        // An IPv4 address inside: mapped (::ffff:a.b.c.d), translated (64:ff9b::a.b.c.d), 6to4 (2002:a.b:c.d::).
        if zeros >= 10, b[10] == 0xFF, b[11] == 0xFF { return allows(v4: Array(b[12...])) }
        if Array(b[..<12]) == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] { return allows(v4: Array(b[12...])) }
        if b[0] == 0x20, b[1] == 0x02 { return allows(v4: Array(b[2..<6])) }
        // Of the rest only 2000::/3 is the open internet, without 2001::/23 (protocols, Teredo) and the examples of 2001:db8::/32.
        guard b[0] & 0xE0 == 0x20 else { return false }
        if b[0] == 0x20, b[1] == 0x01 { return b[2] >= 0x02 && !(b[2] == 0x0D && b[3] == 0xB8) }
        return !(b[0] == 0x3F && b[1] == 0xFF)
    }
}
