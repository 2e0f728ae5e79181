import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Migration 36 on a database from before it: pairs linked twice keep their oldest row, and no second comes after.
@Suite struct LinkPairMigrationTests {
    @Test(arguments: TestServer.engines)
    func repeatsGoAndTheIndexComes(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let start = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        let catalog = start.services.catalog.current()
        let links = catalog.modules.compactMap { module -> (Module, TableName)? in
            guard let (_, right) = module.linkPair, let index = TableName(checked: "p_\(right.id.raw)") else { return nil }
            return (module, index)
        }
        let (module, _) = try #require(links.first { $0.0.apiName == "Leads_X_Products" })
        let table = try #require(module.table)
        let ids = try await start.services.database.run(.write) { tx -> [Int64] in
            for (_, index) in links { try tx.execute("DROP INDEX \(index)") }
            for (id, product) in [(1, 7), (2, 7), (3, 8), (4, 7)] as [(Int64, Int64)] {
                try tx.execute("INSERT INTO \(table) (id, parent, product) VALUES (\(.integer(id)), 5, \(.integer(product)))")
            }
            try LinkPairs.migrate(tx)
            return try tx.rows("SELECT id FROM \(table) ORDER BY id") { $0.integer(0) ?? 0 }
        }
        #expect(ids == [1, 3])
        await #expect(throws: SQLFailure.self) {
            try await start.services.database.run(.write) { tx in
                _ = try tx.execute("INSERT INTO \(table) (id, parent, product) VALUES (9, 5, 8)")
            }
        }
        await start.close()
        await home.remove()
    }
}
