import Metadata
import SQLStore
import Wire

/// The sums of inventory documents (`metadata/conversions.md`, "Line maths"). Pure: rows in, sums out.
enum LineMaths {
    /// As many decimals as the fields of sums keep.
    private static let places = 9

    /// A discount given as text such as `12.5%`; `nil` when it is none.
    static func percentage(_ value: JSONValue?) -> Double? {
        guard let text = value?.string, text.last == "%" else { return nil }
        return Double(text.dropLast().filter { $0 != " " }).flatMap { $0.isFinite ? $0 : nil }
    }

    static func share(_ percentage: Double, of amount: Double) -> Double { (amount * percentage / 100).rounded(to: places) }

    /// Total, discount, tax and net total of one line.
    static func complete(_ line: inout Record) {
        let total = ((line["List_Price"].real ?? 0) * (line["Quantity"].real ?? 0)).rounded(to: places)
        let discounted = (total - (line["Discount"].real ?? 0)).rounded(to: places)
        let (taxes, tax) = taxed(line["Line_Tax"], on: discounted)
        if line["Discount"].isNull { line["Discount"] = .real(0) }
        line["Total"] = .real(total)
        line["Total_After_Discount"] = .real(discounted)
        line["Line_Tax"] = taxes
        line["Tax"] = .real(tax)
        line["Net_Total"] = .real((discounted + tax).rounded(to: places))
    }

    /// Sub total, tax and grand total of a document. Without `lines` its sub total stands; `discount` is in percent of it.
    static func complete(_ document: inout Record, lines: [Record]?, discount: Double? = nil) {
        if let lines { document["Sub_Total"] = .real(lines.reduce(0) { $0 + ($1["Net_Total"].real ?? 0) }.rounded(to: places)) }
        let total = document["Sub_Total"].real ?? 0
        if let discount { document["Discount"] = .real(share(discount, of: total)) }
        let discounted = total - (document["Discount"].real ?? 0)
        let (taxes, tax) = taxed(document["$line_tax"], on: discounted)
        if document["Sub_Total"].isNull { document["Sub_Total"] = .real(0) }
        for name in ["Discount", "Adjustment"] where document[name].isNull { document[name] = .real(0) }
        document["$line_tax"] = taxes
        document["Tax"] = .real(tax)
        document["Grand_Total"] = .real((discounted + tax + (document["Adjustment"].real ?? 0)).rounded(to: places))
    }

    /// The taxes with their amounts, and what they come to.
    private static func taxed(_ stored: SQLValue, on amount: Double) -> (SQLValue, Double) {
        guard let text = stored.text, let taxes = (try? JSONValue.parse(text))?.array else { return (.text("[]"), 0) }
        var sum = 0.0
        let valued = taxes.map { tax -> JSONValue in
            let value = share(percentage(of: tax) ?? 0, of: amount)
            sum += value
            var tax = tax
            tax["value"] = .real(value)
            return tax
        }
        return (.text(JSONValue.array(valued).text), sum.rounded(to: places))
    }

    static func percentage(of tax: JSONValue) -> Double? {
        let given = tax["percentage"]
        return given?.double ?? given?.string.flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil }
    }
}

extension Module {
    /// Whether rows of this subform are lines of products with prices.
    var holdsLines: Bool { isSubform && ["Product_Name", "List_Price", "Quantity", "Net_Total"].allSatisfy { field($0) != nil } }

    /// Whether records of this module add lines up.
    var addsLinesUp: Bool { ["Sub_Total", "Grand_Total"].allSatisfy { field($0) != nil } }
}
