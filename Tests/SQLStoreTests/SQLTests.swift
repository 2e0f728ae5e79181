import Testing
import Wire

@testable import SQLStore

/// What SQL literals turn into; no database.
@Suite struct SQLTests {
    @Test func aValueInterpolatedIsAValueBound() {
        let sql: SQL =
            """
            SELECT \("name" as ColumnName, of: "t1") FROM \("m_leads" as TableName) \
            WHERE id = \(RecordID(raw: 7)) AND x = \(SQLValue.text("' OR 1"))
            """
        let lite = RenderedSQL(sql, SQLiteDialect())
        #expect(lite.text == #"SELECT "t1"."name" FROM "m_leads" WHERE id = ? AND x = ?"#)
        #expect(lite.binds == [7, "' OR 1"])
        let postgres = RenderedSQL(sql, PostgresDialect())
        #expect(postgres.text == #"SELECT "t1"."name" FROM "m_leads" WHERE id = $1 AND x = $2"#)
        #expect(postgres.binds == lite.binds)
    }

    @Test func partsAreJoinedAndAdded() {
        var sql: SQL = .joined(["a = \(SQLValue.integer(1))", "b = \(SQLValue.null)"], by: " AND ")
        sql += " OR \(SQL.joined([] as [SQL], by: ", "))c"
        #expect(RenderedSQL(sql + .empty, PostgresDialect()).text == "a = $1 AND b = $2 OR c")
    }

    @Test func checkedNamesAreSafeNames() {
        #expect(TableName(checked: "m_leads_2")?.raw == "m_leads_2")
        for name in ["", "Leads", "a b", "a\"b", "ä", String(repeating: "a", count: 61)] {
            #expect(TableName(checked: name) == nil)
            #expect(ColumnName(checked: name) == nil)
        }
    }

    @Test func aQuoteInANameOrKeyIsDoubled() {
        #expect(RenderedSQL("\(#"a"b"# as ColumnName)", SQLiteDialect()).text == #""a""b""#)
        #expect(RenderedSQL(SQL(.jsonObject([("it's", "1")])), SQLiteDialect()).text == "json_object('it''s', 1)")
    }

    @Test(arguments: [
        ("ab", "ab", "ac"), ("a\u{D7FF}", "a\u{D7FF}", "a\u{E000}"), ("a\u{10FFFF}", "a\u{10FFFF}", "b"), ("", "", nil),
        ("\u{10FFFF}", "\u{10FFFF}", nil),
    ])
    func aPrefixIsARange(prefix: String, lowest: String, above: String?) {
        let range = PrefixRange(prefix)
        #expect(range.lowest == lowest)
        #expect(range.above == above)
    }

    @Test func insertsOfManyRowsUseFewStatements() {
        let dialect = PostgresDialect()
        #expect(
            dialect.inserts(into: "t", ["a", "b"], rows: 3).map(\.text) == [
                #"INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, $4)"#, #"INSERT INTO "t" ("a", "b") VALUES ($1, $2)"#,
            ])
        #expect(dialect.inserts(into: "t", ["a"], rows: 203).map(\.rows) == [64, 64, 64, 8, 2, 1])
        let wide = [ColumnName](repeating: "a", count: 1600)
        #expect(dialect.inserts(into: "t", wide, rows: 100).map(\.rows) == [32, 32, 32, 4])
        #expect(SQLiteDialect().inserts(into: "t", ["a"], rows: 203).map(\.rows) == [203])
    }

    @Test func failuresAreClassifiedByCode() {
        let postgres = PostgresDialect()
        let expected: [(String, SQLFailure)] = [
            ("23505", .unique(constraint: "u")), ("42703", .missingColumn), ("42P01", .missingTable), ("40001", .serialization),
            ("40P01", .serialization), ("55P03", .busy), ("57014", .cancelled), ("57P01", .connectionLost), ("08006", .connectionLost),
        ]
        for (code, failure) in expected {
            #expect(postgres.classify(DriverFailure(code: code, message: "", constraint: "u")) == failure)
        }
        #expect(SQLiteDialect().classify(DriverFailure(code: "5", message: "")) == .busy)
        #expect(SQLiteDialect().classify(DriverFailure(code: "9", message: "")) == .cancelled)
    }
}
