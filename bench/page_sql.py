"""The page of `make bench` (a) as one SELECT that makes the JSON itself, from the metadata the server gives."""

# Forty fields of a contact, of all kinds that a page has.
FIELDS = """
id Last_Name First_Name Full_Name Salutation Email Secondary_Email Title Department Phone Home_Phone Other_Phone Mobile Fax
Assistant Asst_Phone Lead_Source Date_of_Birth Email_Opt_Out Skype_ID Twitter Description Mailing_Street Mailing_City
Mailing_State Mailing_Zip Mailing_Country Other_Street Other_City Other_State Other_Zip Other_Country Reports_To
Owner Created_By Modified_By Created_Time Modified_Time Account_Name Reporting_To
""".split()
assert len(FIELDS) == 40

NAMES = {"Accounts": ("m_accounts", "account_name"), "Contacts": ("m_contacts", "full_name")}


def page_sql(fields, users, offset, limit=200):
    """`fields`: metadata of Contacts by API name; `users`: user objects; `offset`: the org's, such as "-08:00"."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:])
    shift = f"{'+' if offset[0] == '+' else '-'}{minutes} minutes"
    (user,) = users
    members, joins = [], []
    for name in FIELDS:
        column, kind = f"c.{name.lower()}", fields[name]["data_type"]
        if name == "id":
            value = "CAST(c.id AS TEXT)"
        elif kind == "boolean":
            value = f"json(CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
        elif kind == "datetime":
            value = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000, 'unixepoch', '{shift}') || '{offset}'"
        elif kind == "ownerlookup":
            # There is one user; a join could only make this slower.
            value = (
                f"CASE WHEN {column} IS NULL THEN NULL ELSE json_object('name', '{user['full_name']}', "
                f"'id', CAST({column} AS TEXT), 'email', '{user['email']}') END"
            )
        elif kind == "lookup":
            table, display = NAMES[fields[name]["lookup"]["module"]["api_name"]]
            alias = f"j{len(joins)}"
            joins.append(f"LEFT JOIN {table} {alias} ON {alias}.id = {column}")
            value = f"CASE WHEN {alias}.id IS NULL THEN NULL ELSE json_object('name', {alias}.{display}, 'id', CAST({alias}.id AS TEXT)) END"
        else:
            value = column
        members.append(f"'{name}', {value}")
    return (
        f"SELECT json_object('data', json_group_array(json_object({', '.join(members)})), "
        f"'info', json_object('per_page', {limit}, 'count', count(*), 'page', 1, 'more_records', json('true'))) "
        f"FROM (SELECT * FROM m_contacts ORDER BY id DESC LIMIT {limit}) c {' '.join(joins)}"
    )
