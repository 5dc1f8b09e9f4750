"""Do the rows fit together? What would be wrong in the school is a fault; what is only left out is a note."""

from jobs.roster import keyless
from jobs.roster.faults import Findings
from jobs.roster.staging import Staging
from models.text import NAME_LENGTH

IDS_OF_CLASSES = "SELECT id FROM classes UNION SELECT id FROM orgs WHERE type = 'department'"

DOUBLED_LOGINS = """
SELECT users.line, '"' || users.login || '" is already the login of ' ||
    CASE WHEN first.line > 0 THEN 'line ' || first.line ELSE first.id END || ' in ' || orgs.name
FROM (
    SELECT people.school, users.login, min(users.line) AS line
    FROM people JOIN users ON users.id = people.id GROUP BY 1, 2 HAVING count(*) > 1
) doubled
JOIN users first ON first.line = doubled.line AND first.login = doubled.login
JOIN users ON users.login = doubled.login AND users.id <> first.id
JOIN people ON people.school = doubled.school AND people.id = users.id
JOIN orgs ON orgs.id = doubled.school
GROUP BY users.line
"""

NAMES = f"""
SELECT line, CASE WHEN length(name) > 0 THEN 'the name is longer than {NAME_LENGTH} characters'
    ELSE 'the name is empty' END
FROM (
    SELECT line, trim(replace(given || ' ' || middle || ' ' || family, '  ', ' ')) AS name
    FROM users WHERE active AND line > 0
)
WHERE length(name) NOT BETWEEN 1 AND {NAME_LENGTH}
"""

FAULTS = (
    ("users", "username", (), DOUBLED_LOGINS),
    ("users", "givenName", (), NAMES),
    (
        *("roles", "userSourcedId", ("users",)),
        "SELECT line, 'no user has the sourcedId \"' || person || '\"' FROM roles"
        " WHERE active AND line > 0 AND person NOT IN (SELECT id FROM users)",
    ),
    (
        *("enrollments", "userSourcedId", ("users",)),
        "SELECT line, 'no user has the sourcedId \"' || person || '\"' FROM enrollments"
        " WHERE active AND line > 0 AND person NOT IN (SELECT id FROM users)",
    ),
    (
        *("enrollments", "classSourcedId", ("classes", "orgs")),
        "SELECT line, 'no class has the sourcedId \"' || class || '\"' FROM enrollments"
        f" WHERE active AND line > 0 AND class NOT IN ({IDS_OF_CLASSES})",
    ),
)
"""File, column, the other files that must be whole for it to be judged, and (line, reason) of each fault."""

KNOWN_TYPES = ("department", "school", "district", "local", "state", "national", *keyless.ABOVE)
GUARDIANS = "('guardian', 'parent', 'relative')"

NOTES = (
    (
        *("orgs", "organizations of a type that the standard does not have, left out"),
        f"SELECT line FROM orgs WHERE active AND type NOT IN {KNOWN_TYPES}",
    ),
    (
        *("orgs", "departments below no school of the set, left out"),
        "SELECT line FROM orgs WHERE active AND type = 'department' AND id NOT IN (SELECT org FROM belonging)",
    ),
    (
        *("orgs", "values of metadata.kind that mean nothing here"),
        "SELECT line FROM orgs WHERE active AND type = 'department' AND kind <> 'cycle'",
    ),
    (
        *("users", "people who belong to no school of the set, left out"),
        "SELECT line FROM users WHERE active AND NOT EXISTS (SELECT 1 FROM assignments WHERE person = users.id)",
    ),
    (
        *("users", "people who are districtAdministrator, which is no position in a school"),
        "SELECT line FROM users WHERE active AND role = 'districtAdministrator'",
    ),
    (
        *("roles", "roles districtAdministrator, which is no position in a school"),
        "SELECT line FROM roles WHERE active AND role = 'districtAdministrator'",
    ),
    (
        *("roles", "roles alumni and other, which are no position in a school"),
        "SELECT line FROM roles WHERE active AND role IN ('alumni', 'other')",
    ),
    (
        *("relationships", "relationships of people who are not in the set, left out"),
        "SELECT line FROM relationships WHERE active"
        " AND NOT (person IN (SELECT id FROM users) AND other IN (SELECT id FROM users))",
    ),
    (
        *("relationships", "relationships other than of parents, guardians and relatives, left out"),
        f"SELECT line FROM relationships WHERE active AND role NOT IN {(*keyless.KIN, 'child')}",
    ),
    (
        *("relationships", "guardians of nobody who learns at a school of the set, left out"),
        "SELECT line FROM (SELECT *, iif(role = 'child', other, person) AS child FROM relationships)"
        f" WHERE active AND role IN {(*keyless.KIN, 'child')} AND child IN (SELECT id FROM users)"
        " AND child NOT IN (SELECT person FROM assignments WHERE position = 'LEARNER')",
    ),
    (
        *("users", "values of metadata.position that mean nothing here"),
        "SELECT line FROM users WHERE active AND position <> 'owner'",
    ),
    (
        *("roles", "values of metadata.position that mean nothing here"),
        "SELECT line FROM roles WHERE active AND position <> 'owner'",
    ),
    (
        *("users", "agents who are not in the set"),
        "SELECT line FROM users, json_each(agents) agent"
        " WHERE active AND agent.value NOT IN (SELECT id FROM users)",
    ),
    (
        *("users", "agents who do not belong to the learner's school, no guardians there"),
        "SELECT users.line FROM users, json_each(users.agents) agent"
        " JOIN assignments ON assignments.person = users.id AND assignments.position = 'LEARNER'"
        " JOIN users other ON other.id = agent.value AND other.active AND other.enabled"
        " WHERE users.active AND users.enabled AND NOT EXISTS"
        " (SELECT 1 FROM people WHERE people.id = other.id AND people.school = assignments.school)"
        " GROUP BY users.id, other.id, assignments.school",
    ),
    (
        *("users", "agents who are no guardian of a learner, left out"),
        "SELECT users.line FROM agents JOIN people ON people.n = agents.lister"
        " JOIN users ON users.id = people.id WHERE NOT lists_guardian AND NOT lists_child",
    ),
    (
        *("classes", "classes that belong to no school of the set, left out"),
        "SELECT line FROM classes WHERE active AND school NOT IN (SELECT org FROM belonging)",
    ),
    (
        *("classes", "subgroups without a discipline, because their course is not in the set"),
        "SELECT classes.line FROM classes JOIN wanted_groups grp ON grp.source = 'class' AND grp.id = classes.id"
        " WHERE grp.kind = 'SUBGROUP' AND grp.discipline IS NULL",
    ),
    (
        *("classes", "classes whose parent is no department or cycle of their school"),
        "SELECT classes.line FROM classes JOIN wanted_groups grp ON grp.source = 'class' AND grp.id = classes.id"
        " JOIN wanted_groups above ON above.n = grp.parent WHERE classes.parent <> above.id",
    ),
    (
        *("classes", "values of metadata.kind that mean nothing here"),
        "SELECT line FROM classes WHERE active AND kind <> 'course'",
    ),
    (
        *("enrollments", "enrolments of people who do not belong to the school, left out"),
        "SELECT enrollments.line FROM enrollments"
        " JOIN users ON users.id = enrollments.person AND users.active AND users.enabled"
        " JOIN wanted_groups grp ON grp.id = enrollments.class AND grp.kind <> 'ORGANIZATION'"
        " WHERE enrollments.active AND NOT EXISTS"
        " (SELECT 1 FROM people WHERE people.id = enrollments.person AND people.school = grp.school)"
        " GROUP BY enrollments.id",
    ),
    (
        *("enrollments", "enrolments of guardians, left out: a guardian follows the child"),
        f"SELECT line FROM enrollments WHERE active AND role IN {GUARDIANS} AND class IN (SELECT id FROM classes)",
    ),
    (
        *("enrollments", "values of metadata.position that mean nothing here"),
        "SELECT line FROM enrollments WHERE active AND position NOT IN ('expert', 'administrator')",
    ),
)
"""File, what to say before the number of rows, and the lines of those rows."""


def check(staging: Staging, findings: Findings) -> None:
    """Adds the faults and notes that only all rows together show."""
    for table, column, others, found in FAULTS:
        if not findings.damaged.intersection(others):
            for line, reason in staging.execute(found):
                findings.fault(f"{table}.csv", line or None, column, reason)
    if findings.faults:
        return
    if staging.execute("SELECT NOT EXISTS (SELECT 1 FROM belonging)").fetchone()[0]:
        findings.note("orgs.csv: there is no school in the set")
    for table, text, found in NOTES:
        count, line = staging.execute(f"SELECT count(*), min(nullif(line, 0)) FROM ({found})").fetchone()
        if count:
            first = "" if line is None else f" (first in line {line})"
            findings.note(f"{table}.csv: {text}: {count}{first}")
