/// What the two engines spell differently, named by meaning. Nothing outside a dialect asks which engine it is.
package enum DialectTerm: Sendable {
    /// The text without letter case: one meaning on both engines (`TextFolding`), in parentheses, usable in an index.
    case folded(SQL)
    /// The folded text contains the folded operand.
    case containsFolded(SQL, String)
    /// The folded text starts with the folded operand; false, not null, when the text is null. An index on `folded` serves it, also
    /// one of the rows that have a text.
    case startsFolded(SQL, String)
    /// The folded text ends with the folded operand. No index serves it.
    case endsFolded(SQL, String)
    /// The digits of a text, without what stands between them.
    case digits(SQL)
    /// The integer is one of these. One bind however many.
    case memberIDs(SQL, [Int64])
    /// The column as a test that no index shall lead: for conditions that most rows meet, where SQLite knows no better.
    case filterOnly(SQL)
    /// The text is exactly one of these. One bind however many.
    case memberTexts(SQL, [String])
    /// A FROM item with one integer column; it needs an alias behind it.
    case idTable([Int64], column: ColumnName)
    /// A FROM item with an integer and a text column, one row for each pair; it needs an alias behind it. One bind however many.
    case textTable([(Int64, String)], key: ColumnName, text: ColumnName)
    /// The text holds a JSON array of strings that has this element. False, not null, when the text is null.
    case arrayContains(SQL, String)
    /// After a SELECT: keeps the rows read from being changed by others until the end of the transaction.
    case lockRows
    /// As `lockRows`, but lets others hold the rows with `keepRows`: for rows that will be changed and not deleted.
    case lockRowsForChange
    /// After a SELECT: keeps the rows read from vanishing until the end of the transaction. They may still be changed, and
    /// any number of transactions may hold them so.
    case keepRows
    /// As `lockRows`, but leaves out rows that another transaction has locked.
    case skipLocked
    /// An ORDER BY item. Nulls come last ascending and first descending; text goes by its folded form, then by its bytes.
    case orderKey(SQL, descending: Bool, type: ColumnType = .text)
    /// The text of a JSON object of these members; integers, reals and texts, no blobs.
    case jsonObject([(String, SQL)])
    /// An aggregate: the text of a JSON array of such objects, in the order of the rows of a sorted subquery; `[]` when there are none.
    case jsonArray([(String, SQL)])
    /// The larger of two values; null only when both are.
    case greatest(SQL, SQL)
    /// An integer, real or text as text, the same digits on both engines.
    case textOf(SQL)
    /// A statement: makes a gram index, a table of `rowid` and `grams`, which takes texts of grams parted by blanks.
    case gramTable(TableName)
    /// A statement: makes a new gram index answer fast.
    case gramTuning(TableName)
    /// The row of the gram index of that name, which FROM must name without an alias, passes the test.
    case holdsGrams(TableName, GramTest)
    /// A FROM item, which needs an alias behind it: the columns of all tables of this database, as `table_name`, `column_name`,
    /// `position`, `type_name` in the engine's words, and `numbered`, 1 for keys that number themselves.
    case schemaColumns
    /// In CREATE TABLE, after a column name: a key that numbers itself.
    case identityKey
    /// In CREATE TABLE and ALTER TABLE: the name of a type.
    case type(ColumnType)
    /// After the closing parenthesis of CREATE TABLE.
    case strict
}
