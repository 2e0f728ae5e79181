"""Random queries in COQL: most of them right by the grammar, many of them nearly so."""

FIELDS = {
    "Contacts": ["id", "Last_Name", "First_Name", "Email", "Owner", "Account_Name", "Date_of_Birth", "Created_Time", "Email_Opt_Out", "Tag"],
    "Leads": ["id", "Last_Name", "Company", "Annual_Revenue", "No_of_Employees", "Lead_Source", "Owner", "Converted__s", "Modified_Time"],
    "Deals": ["id", "Deal_Name", "Amount", "Stage", "Closing_Date", "Account_Name", "Contact_Name", "Probability"],
    "Tasks": ["id", "Subject", "Due_Date", "What_Id", "Who_Id", "Status", "Priority"],
    "Accounts": ["id", "Account_Name", "Annual_Revenue", "Parent_Account", "Industry"],
}
STEPS = ["Account_Name.", "Owner.", "Contact_Name.", "Parent_Account.", "What_Id->Accounts.", "Who_Id.", "Nope.", "Account_Name.Owner."]
OPERATORS = ["=", "!=", "<>", ">", ">=", "<", "<=", "like", "not like", "is null", "is not null", "in", "not in", "between", "not between"]
FUNCTIONS = ["count", "sum", "min", "max", "avg", "COUNT", "median"]
VALUES = ["'x'", "'%a%'", "'it''s'", "'a\\\\b'", "0", "-1", "1.5", "1e9", "99999999999999999999", "true", "false", "null", "'2026-02-28'"]
VALUES += ["'2026-02-30'", "'2026-03-04T12:00:00+00:00'", "'-None-'", "''", "'\u202e\U0001f642'", "${Last_Name}", "TODAY", "'" + "x" * 300 + "'"]
WORDS = ["select", "from", "where", "and", "or", "not", "group by", "order by", "limit", "offset", "as", "(", ")", ",", ".", "'", '"', "--", ";", "*"]
WORDS += ["\u0000", "\u00a0", "/*", "count(*)", "distinct", "->", "=", "in ()", "between 1", "limit -1", "limit 999999999999999999999", "having"]


class Grammar:
    def __init__(self, random):
        self.random = random

    def query(self, depth=0):
        """The text of a query."""
        module = self.random.choice(list(FIELDS))
        parts = ["select", self.columns(module), "from", self.random.choice([module, module, module, "Nope", module.lower()])]
        if self.random.random() < 0.9:
            parts += ["where", self.condition(module, depth)]
        if self.random.random() < 0.2:
            parts += ["group by", ", ".join(self.field(module) for _ in range(self.random.randint(1, 5)))]
        if self.random.random() < 0.3:
            parts += ["order by", ", ".join(self.field(module) + self.random.choice(["", " asc", " desc"]) for _ in range(self.random.randint(1, 3)))]
        if depth == 0 and self.random.random() < 0.5:
            parts += ["limit", self.random.choice(["1", "200", "2000", "0", "-1", "2001", "5, 10", "x"])]
            if self.random.random() < 0.3:
                parts += ["offset", self.random.choice(["0", "10", "100000", "-5", "99999999999999999999"])]
        return " ".join(parts)

    def text(self):
        """A query, in one of three bent or broken."""
        text = self.query()
        if self.random.random() < 0.66:
            return text
        for _ in range(self.random.choice([1, 1, 2, 5])):
            place = self.random.randrange(len(text) + 1)
            change = self.random.random()
            if change < 0.35:
                text = text[:place] + text[place + self.random.randint(1, 6) :]
            elif change < 0.8:
                text = text[:place] + " " + self.random.choice(WORDS) + " " + text[place:]
            elif change < 0.95:
                text = text[:place] + text[place : place + 30] * self.random.choice([2, 3, 30]) + text[place:]
            else:
                text = text[:place] + "(" * self.random.choice([5, 300, 20_000]) + text[place:]
        return text

    def columns(self, module):
        kind = self.random.random()
        if kind < 0.1:
            return self.random.choice(["*", "count(*)", "", "distinct id"])
        names = []
        for _ in range(self.random.choice([1, 2, 3, 3, 51] if kind < 0.15 else [1, 2, 3])):
            name = self.field(module)
            if self.random.random() < 0.2:
                name = f"{self.random.choice(FUNCTIONS)}({name})"
            if self.random.random() < 0.1:
                name += " as " + self.random.choice(["a", "total", "select", "'x'"])
            names.append(name)
        return ", ".join(names)

    def field(self, module):
        step = self.random.choice(STEPS) if self.random.random() < 0.25 else ""
        return step + self.random.choice(FIELDS[module if not step else "Accounts"])

    def condition(self, module, depth):
        if depth > 4:
            return self.test(module, depth)
        kind = self.random.random()
        if kind < 0.4:
            return self.test(module, depth)
        if kind < 0.9:
            joined = f"{self.condition(module, depth + 1)} {self.random.choice(['and', 'or'])} {self.condition(module, depth + 1)}"
            return f"({joined})" if self.random.random() < 0.8 else joined
        return f"({self.condition(module, depth + 1)})"

    def test(self, module, depth):
        operator = self.random.choice(OPERATORS)
        field = self.field(module)
        if operator.endswith("null"):
            return f"{field} {operator}"
        if operator.endswith("between"):
            return f"{field} {operator} {self.random.choice(VALUES)} and {self.random.choice(VALUES)}"
        if operator.endswith("in"):
            if depth < 2 and self.random.random() < 0.3:
                return f"{field} {operator} ({self.query(depth + 1)})"
            return f"{field} {operator} ({', '.join(self.random.choice(VALUES) for _ in range(self.random.choice([1, 2, 5, 101])))})"
        return f"{field} {operator} {self.random.choice(VALUES)}"
