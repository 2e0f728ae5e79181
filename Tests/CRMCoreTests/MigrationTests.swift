import SQLStore
import Testing
import TributaryTestKit

@testable import CRMCore

@Suite struct MigrationTests {
    @Test(arguments: TestServer.engines)
    func aProgramRefusesTheTablesOfALaterOne(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let start = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        try await start.services.database.run(.write) { tx in
            _ = try tx.execute("INSERT INTO sys_migration (number, purpose) VALUES (999999, 'to come')")
        }
        await start.close()
        let refusal = await #expect(throws: NewerDatabase.self) {
            _ = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        }
        #expect(refusal?.migrations == [999_999])
        await home.remove()
    }

    @Test func numbersAreUsedOnce() {
        let numbers = Migrations.all.map(\.number)
        #expect(Set(numbers).count == numbers.count)
    }
}
