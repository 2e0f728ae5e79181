import CRMCore
import Testing
import Wire

/// Which scopes cover which. Contract: common, §12; merge, "Scope and permission".
@Suite struct OAuthScopeTests {
    @Test(arguments: [
        ("ZohoCRM.modules.ALL", "READ", "Leads", false, true),
        ("ZohoCRM.modules.READ", "READ", "Leads", false, true),
        ("ZohoCRM.modules.READ", "CREATE", "Leads", false, false),
        ("ZohoCRM.modules.WRITE", "CREATE", "Leads", false, true),
        ("ZohoCRM.modules.WRITE", "UPDATE", "Leads", false, true),
        ("ZohoCRM.modules.WRITE", "DELETE", "Leads", false, false),
        ("ZohoCRM.modules.potentials.ALL", "READ", "Deals", false, true),
        ("ZohoCRM.modules.deals.ALL", "READ", "Potentials", false, true),
        ("ZohoCRM.modules.salesorders.ALL", "READ", "Sales_Orders", false, true),
        ("ZohoCRM.modules.services.ALL", "READ", "Services__s", false, true),
        ("ZohoCRM.modules.custom.ALL", "READ", "Cars", true, true),
        ("ZohoCRM.modules.custom.ALL", "READ", "Leads", false, false),
        ("ZohoCRM.ALL", "READ", "Leads", false, false),
    ])
    func moduleScopes(_ granted: String, _ operation: String, _ module: String, _ custom: Bool, _ expected: Bool) throws {
        let scopes = try #require(ScopeSet(granted))
        #expect(scopes.covers([operation], module: module, custom: custom) == expected)
    }

    @Test(arguments: [
        ("ZohoCRM.settings.ALL", "ZohoCRM.settings.layouts.UPDATE", true),
        ("ZohoCRM.settings.ALL", "ZohoCRM.org.READ", false),
        ("ZohoCRM.settings.ALL", "ZohoCRM.users.READ", false),
        ("ZohoCRM.settings.ALL", "ZohoCRM.bulk.READ", false),
        ("ZohoCRM.modules.ALL", "ZohoCRM.modules.leads.DELETE", true),
        ("ZohoCRM.users.ALL", "ZohoCRM.users.READ", true),
        ("zohocrm.COQL.read", "ZohoCRM.coql.READ", true),
    ])
    func fixedScopes(_ granted: String, _ wanted: String, _ expected: Bool) throws {
        let scopes = try #require(ScopeSet(granted))
        let scope = try #require(Scope(wanted))
        #expect(scopes.covers(scope) == expected)
    }

    /// An unknown module asks whether any would do.
    @Test func withoutAModuleAnyWillDo() throws {
        let leads = try #require(ScopeSet("ZohoCRM.modules.leads.READ"))
        let settings = try #require(ScopeSet("ZohoCRM.settings.ALL"))
        #expect(leads.covers(["READ"], module: nil, custom: false))
        #expect(!settings.covers(["READ"], module: nil, custom: false))
    }

    @Test func listsAreReadAndKept() throws {
        #expect(ScopeSet("ZohoCRM.modules.ALL, ZohoCRM.org.READ")?.text == "ZohoCRM.modules.ALL ZohoCRM.org.READ")
        for bad in ["", " ", "x", "a..b", ".a", "ZohoCRM.modules.ALL,<b>", "a.b;c.d", String(repeating: "a", count: 300) + ".b"] {
            #expect(ScopeSet(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        ("ZohoCRM.modules.ALL", true), ("ZohoCRM.Zia.enrich.CREATE", true), ("ZohoSearch.securesearch.READ", true),
        ("ZohoCRM.nonsense.ALL", false), ("ZohoCRM.ALL", false),
    ])
    func scopesTheAPIHas(_ text: String, _ known: Bool) throws {
        #expect(try #require(Scope(text)).isKnown == known)
    }

    @Test(arguments: [
        ("https://app.example.test/cb", true), ("http://localhost:9999/cb?x=1", true), ("myapp://cb", true), ("", false), ("/cb", false),
        ("https://", false), ("javascript://x", false), ("https://a/#f", false), ("https://a b", false), ("https://a\r\nX: y", false),
        ("data://x", false), ("://x", false),
    ])
    func redirectsThatMayBeRegistered(_ uri: String, _ accepted: Bool) {
        #expect(ClientStore.acceptsRedirect(uri) == accepted)
    }

    @Test func passwordsAreHashedWithSalt() async throws {
        let first = try #require(await PasswordHash.make("secret ü"))
        let second = try #require(await PasswordHash.make("secret ü"))
        #expect(first != second)
        #expect(await first.matches("secret ü"))
        #expect(await !first.matches("secret u"))
        #expect(await !PasswordHash.nobody.matches(""))
        #expect(await !PasswordHash(stored: "scrypt$x").matches("x"))
    }

    @Test func tokensLookLikeTheOriginals() {
        let token = Secrets.token()
        #expect(token.wholeMatch(of: /1000\.[0-9a-f]{32}\.[0-9a-f]{32}/) != nil)
        #expect(Secrets.hex([0, 15, 255]) == "000fff")
        #expect(Secrets.bytes(hex: "000fff") == [0, 15, 255])
        #expect(Secrets.bytes(hex: "0g") == nil)
        #expect(Secrets.fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
