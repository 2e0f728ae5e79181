import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import RestV7

/// How files write characters, numbers and defaults. Contract: bulk-write, section notes and 246.
@Suite struct BulkFormatTests {
    /// 246, `character_encoding`: used when given, found out when not.
    @Test(arguments: TestServer.engines) func filesOfManyEncodingsAreRead(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let cases: [(encoding: String?, bytes: [UInt8], name: String, shown: String)] = [
                (nil, [0x4D, 0xFC, 0x6C, 0x6C, 0x80], "Müll€", "windows-1252"), (nil, Array("Łódź".utf8), "Łódź", "UTF-8"),
                ("ISO-8859-2", [0xA3, 0xF3, 0x64, 0xBC], "Łódź", "ISO-8859-2"), ("cp1251", [0xCC, 0xE8, 0xF0], "Мир", "windows-1251"),
                ("shift_jis", [0x93, 0xFA, 0x96, 0x7B], "日本", "Shift_JIS"), ("GB2312", [0xD6, 0xD0, 0xB9, 0xFA], "中国", "GB2312"),
                ("big5", [0xA4, 0xA4, 0xB0, 0xEA], "中國", "Big5"), ("EUC-KR", [0xC7, 0xD1, 0xB1, 0xB9], "한국", "EUC-KR"),
            ]
            for (encoding, bytes, name, shown) in cases {
                let zip = try BulkBench.zip([("a.csv", Array("Company,Last_Name\nC,".utf8) + bytes + [0x0A])])
                let file = try #require(await bench.upload(zip).json?["details"]?["file_id"])
                var body: JSONValue = [
                    "operation": "insert", "resource": [["type": "data", "module": ["api_name": "Leads"], "file_id": file]],
                ]
                if let encoding { body["character_encoding"] = .string(encoding) }
                let id = try await bench.startWrite(body)
                await bench.drain()
                #expect(await bench.writeJob(id)["character_encoding"]?.string == shown)
                let line = try #require(try await bench.results(id).first).lines[1]
                let made = await bench.records.get("Leads", line.split(separator: ",").last.map(String.init) ?? "")
                #expect(made["Last_Name"]?.string == name)
            }
        }
    }

    /// A file in UTF-16 without a mark is known by its zeros; a multi-byte character may be cut between two pieces.
    @Test func piecesOfATextAreJoined() throws {
        #expect(Charset.guess(Array("Last".utf8).flatMap { [$0, 0] }, isCut: true) == .utf16little)
        #expect(Charset.guess(Array("Last".utf8).flatMap { [0, $0] }, isCut: true) == .utf16big)
        #expect(Charset.guess([0x61, 0xC3], isCut: true) == .utf8 && Charset.guess([0x61, 0xC3], isCut: false) == .windows1252)
        var transcoder = Transcoder(.shiftJIS)
        let bytes: [UInt8] = [0x61, 0x93, 0xFA, 0x96, 0x7B, 0x62]
        let text = bytes.flatMap { transcoder.feed([$0]) } + transcoder.finish()
        #expect(String(decoding: text, as: UTF8.self) == "a日本b")
        var broken = Transcoder(.shiftJIS)
        #expect(String(validating: broken.feed([0x61, 0x93, 0x0A, 0x62]) + broken.finish(), as: UTF8.self) == nil)
        var cut = Transcoder(.shiftJIS)
        #expect(String(validating: cut.feed([0x61, 0x93]) + cut.finish(), as: UTF8.self) == nil)
        #expect(Charset(named: "EBCDIC") == nil && Charset(named: "Latin-1") == .latin1 && Charset(named: "UTF_8") == .utf8)
    }

    @Test(arguments: [
        ("#,##0.00", "1,234,567.5", "1234567.5"), ("#,##0.00", "12,34,567", "1234567"), ("#,##0.00", "1,5", nil),
        ("#,##0.00", "1234,567", nil),
        ("#.##0,00", "1.234,56", "1234.56"), ("#.##0,00", "-1.234", "-1234"), ("#.##0,00", "1.2", nil), ("#.##0,00", "1,2,3", nil),
        ("0,00", "3,5", "3.5"), ("0,00", "1.234,5", nil), ("# ##0,00", "1\u{202F}234\u{A0}567,8", "1234567.8"),
        ("#'##0.0", "1’234.5", "1234.5"),
        ("#,###", "1,234", "1234"), ("##,##,##0.00", "12,34,567.8", "1234567.8"), ("#,##0.00", "", nil), ("#.##0,00", ",", ".0"),
        ("#.##0,00", "12-3", nil), ("#.##0,00", "x", nil),
    ])
    func numbersAreReadAsThePatternSays(_ pattern: String, _ text: String, _ plain: String?) {
        if text.isEmpty { return }
        #expect(NumberPattern(pattern)?.plain(text) == plain)
    }

    @Test(arguments: ["", "abc", "#;##0", ",00", "#.##0.00,0x", "0'00", "#,#.#,#", "0.0.0", "#,##0,0", "#.0.000", "#,##,##"])
    func otherPatternsAreNone(
        _ pattern: String
    ) {
        #expect(NumberPattern(pattern) == nil)
    }

    /// 246, `format`, for numbers as for dates (decision 2).
    @Test(arguments: TestServer.engines) func numbersAreWrittenInManyWays(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let csv = "Last_Name;Company;Annual_Revenue;No_of_Employees\na;c;1.234.567,89;1.200\nb;c;12,5;3,5\nd;c;1.5;1\n"
            let id = try await bench.write(
                "insert", "Leads", csv,
                [
                    "field_mappings": [
                        ["api_name": "Last_Name", "index": 0], ["api_name": "Company", "index": 1],
                        ["api_name": "Annual_Revenue", "index": 2, "format": "#.##0,00"],
                        ["api_name": "No_of_Employees", "index": 3, "format": "#.##0", "default_value": ["value": "1.000"]],
                    ]
                ])
            await bench.drain()
            let lines = try #require(try await bench.results(id).first).lines
            let first = await bench.records.get("Leads", String(lines[1].split(separator: ",").last ?? ""))
            #expect(first["Annual_Revenue"] == 1_234_567.89 && first["No_of_Employees"] == 1_200)
            #expect(lines[2].hasSuffix("INVALID_DATA-No_of_Employees") && lines[3].hasSuffix("INVALID_DATA-Annual_Revenue"))
            let plain = try await bench.write("insert", "Leads", "Last_Name;Company;Annual_Revenue\na;c;1,200.5\nb;c;1,5\n")
            await bench.drain()
            #expect(await bench.counts(plain) == [1, 0, 1, 2])
            #expect(try await bench.results(plain)[0].lines[2].hasSuffix("INVALID_DATA-Annual_Revenue"))
        }
    }

    /// What is wrong with a mapping is told at once, and starts nothing.
    @Test(arguments: TestServer.engines) func mappingsThatCannotWorkAreRefused(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let catalog = bench.server.services.catalog.current()
            let file = try await bench.uploaded([("a.csv", "n,x\nKim,1\n")])
            let foreign = try #require(catalog.documents(.layout).first { $0.parent?.raw == catalog.module("Deals")?.id.raw })
            let computed = try await bench.send(
                "POST", "/crm/v7/settings/fields?module=Contacts",
                [
                    "fields": [
                        [
                            "field_label": "Doubled", "data_type": "formula", "formula": ["return_type": "double", "expression": "1+1"],
                        ]
                    ]
                ])
            let formula = bench.server.services.catalog.current().module("Contacts")?.fields.first { $0.type.dataType == "formula" }
            #expect(formula != nil, "\(computed.text)")
            func mapped(_ mapping: JSONValue) -> JSONValue {
                [
                    "operation": "insert",
                    "resource": [
                        [
                            "type": "data", "module": ["api_name": "Contacts"], "file_id": file,
                            "field_mappings": [["api_name": "Last_Name", "index": 0], mapping],
                        ]
                    ],
                ]
            }
            let value = "$.resource[0].field_mappings[1].default_value.value"
            let cases: [(JSONValue, String, String)] = [
                (["api_name": .string(formula?.apiName ?? ""), "index": 1], "INVALID_FIELD", "$.resource[0].field_mappings[1].api_name"),
                (["api_name": "First_Name", "index": 0], "DUPLICATE_DATA", "$.resource[0].field_mappings[1].index"),
                (
                    ["api_name": "Date_of_Birth", "default_value": ["value": "0000-01-01"]], "INVALID_DATA",
                    "$.resource[0].field_mappings[1].default_value.value"
                ),
                (["api_name": "Created_Time", "index": 1], "INVALID_FIELD", "$.resource[0].field_mappings[1].api_name"),
                (["api_name": "Layout", "default_value": ["value": .id(foreign.id)]], "INVALID_DATA", value),
                (["api_name": "Layout", "default_value": ["value": "Standard"]], "INVALID_DATA", value),
                (["api_name": "Date_of_Birth", "default_value": ["value": "31.02.2020"]], "INVALID_DATA", value),
                (["api_name": "Email_Opt_Out", "default_value": ["value": "perhaps"]], "INVALID_DATA", value),
                (["api_name": "Email", "default_value": ["value": "no address"]], "INVALID_DATA", value),
                (["api_name": "Account_Name", "default_value": ["value": "5"]], "INVALID_DATA", value),
                (["api_name": "Owner", "default_value": ["value": ["id": "5"]]], "INVALID_DATA", value),
                (
                    ["api_name": "First_Name", "default_value": ["value": .string(String(repeating: "x", count: 500))]], "INVALID_DATA",
                    value
                ),
                (["api_name": "First_Name", "default_value": "x"], "INVALID_DATA", "$.resource[0].field_mappings[1].default_value"),
            ]
            for (mapping, code, path) in cases {
                let answer = await bench.send("POST", "/crm/bulk/v7/write", mapped(mapping))
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(mapping.text): \(answer.text)")
                #expect(answer.json?["details"]?["json_path"]?.string == path, "\(mapping.text): \(answer.text)")
            }
            let twice = try await bench.uploaded([("b.csv", "Last_Name,First_Name,Last_Name\nKim,K,Lee\n")])
            let unnamed: JSONValue = [
                "operation": "insert", "resource": [["type": "data", "module": ["api_name": "Contacts"], "file_id": twice]],
            ]
            let refused = await bench.send("POST", "/crm/bulk/v7/write", unnamed)
            #expect(refused.status == 400 && refused.json?["code"] == "DUPLICATE_DATA", "\(refused.text)")
            #expect(refused.json?["details"]?["column"] == "Last_Name", "\(refused.text)")
            var body = mapped(["api_name": "First_Name", "index": 1])
            for url in ["https://a.test:70000/", "https://a..test/", "http://300.1.1.1/"] {
                body["callback"] = ["url": .string(url), "method": "post"]
                #expect(await bench.send("POST", "/crm/bulk/v7/write", body).json?["code"] == "INVALID_CALLBACK_URL")
            }
            let jobs = try await bench.server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_bulk_job") { $0.integer(0) }
            }
            #expect(jobs == 0)
        }
    }
}
