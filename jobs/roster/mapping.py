"""What does the set mean? From staged rows to the people, groups, memberships and guardianships it wants.

Each statement is a row of the mapping; together they see the whole set, so a position that follows from
another (a curator from an enrolment, a guardian from a child) follows from what is true after the import.
"""

from collections.abc import Sequence

from jobs.roster import kin
from jobs.roster.erased import Pair, leave_out
from jobs.roster.staging import Staging

TABLES = """
CREATE TABLE assignments (person TEXT, school TEXT, org TEXT, position TEXT);
CREATE TABLE people (n INTEGER PRIMARY KEY, school TEXT, id TEXT, user_id INTEGER, UNIQUE (school, id));
CREATE TABLE wanted_groups (
    n INTEGER PRIMARY KEY, school TEXT, source TEXT, id TEXT, kind TEXT, name TEXT, discipline TEXT,
    parent INTEGER, group_id INTEGER, UNIQUE (source, id)
);
CREATE TABLE claims (grp INTEGER, person INTEGER, position TEXT, PRIMARY KEY (grp, person, position))
    WITHOUT ROWID;
CREATE TABLE standing (person INTEGER PRIMARY KEY, learns INTEGER, guards INTEGER);
CREATE TABLE guardianships (school TEXT, guardian INTEGER, child INTEGER);
"""
"""`people`: who is wanted in a school. `claims`: who is wanted in which group at which position."""

BELONGING = """
CREATE TABLE belonging AS
WITH RECURSIVE up (org, at) AS (
    SELECT id, id FROM orgs WHERE active AND type IN ('school', 'department')
    UNION
    SELECT up.org, step.parent
    FROM up JOIN orgs step ON step.id = up.at AND step.active AND step.type = 'department'
)
SELECT up.org AS org, school.id AS school
FROM up JOIN orgs school ON school.id = up.at AND school.active AND school.type = 'school'
"""
"""Every school and, at any depth, the departments below it: org -> school."""

ASSIGNMENTS = """
INSERT INTO assignments
SELECT users.id, belonging.school, belonging.org, positions.position
FROM users, json_each(users.orgs) listed
JOIN belonging ON belonging.org = listed.value
JOIN positions ON positions.role = users.role
WHERE users.active
UNION
SELECT users.id, belonging.school, belonging.org, positions.position
FROM roles
JOIN users ON users.id = roles.person AND users.active
JOIN belonging ON belonging.org = roles.org
JOIN positions ON positions.role = roles.role
WHERE roles.active
"""
"""Who is what where. No position: a role that is none in a school."""

PEOPLE = """
INSERT INTO people (school, id)
SELECT DISTINCT assignments.school, assignments.person
FROM assignments JOIN users ON users.id = assignments.person
WHERE users.enabled AND assignments.position IS NOT NULL
ORDER BY 1, 2
"""

ORGANIZATIONS = """
INSERT INTO wanted_groups (school, source, id, kind, name)
SELECT id, 'org', id, 'ORGANIZATION', name FROM orgs WHERE active AND type = 'school'
"""

DEPARTMENTS = """
INSERT INTO wanted_groups (school, source, id, kind, name)
SELECT belonging.school, 'org', orgs.id, CASE orgs.kind WHEN 'cycle' THEN 'CYCLE' ELSE 'DEPARTMENT' END, orgs.name
FROM orgs JOIN belonging ON belonging.org = orgs.id
WHERE orgs.type = 'department'
"""

ABOVE_DEPARTMENTS = """
UPDATE wanted_groups AS grp SET parent = above.n
FROM orgs JOIN wanted_groups above ON above.source = 'org' AND above.id = orgs.parent
WHERE grp.source = 'org' AND grp.kind <> 'ORGANIZATION' AND orgs.id = grp.id
"""

CLASSES = """
INSERT INTO wanted_groups (school, source, id, kind, name, discipline, parent)
SELECT whole.school, 'class', class.id, class.becomes, class.title,
    CASE class.becomes WHEN 'SUBGROUP' THEN courses.title END, coalesce(above.n, whole.n)
FROM (
    SELECT *, CASE WHEN kind = 'course' THEN 'COURSE' WHEN type = 'homeroom' THEN 'CLASS'
        ELSE 'SUBGROUP' END AS becomes
    FROM classes WHERE active
) class
JOIN belonging ON belonging.org = class.school
JOIN wanted_groups whole ON whole.source = 'org' AND whole.id = belonging.school
LEFT JOIN wanted_groups above ON above.source = 'org' AND above.id = class.parent AND above.school = whole.school
LEFT JOIN courses ON courses.id = class.course AND courses.active
"""

AT_SCHOOL = """
INSERT OR IGNORE INTO claims
SELECT grp.n, people.n, assignments.position
FROM assignments
JOIN people ON people.school = assignments.school AND people.id = assignments.person
JOIN wanted_groups grp ON grp.source = 'org' AND grp.id IN (assignments.org, assignments.school)
WHERE assignments.position IS NOT NULL
"""
"""The organization, and the departments and cycles that the person lists, at the person's own position."""

OWNERS = """
INSERT OR IGNORE INTO claims
SELECT grp.n, people.n, 'OWNER'
FROM people
JOIN wanted_groups grp ON grp.source = 'org' AND grp.id = people.school
WHERE people.id IN (SELECT id FROM users WHERE position = 'owner')
    OR EXISTS (
        SELECT 1 FROM roles JOIN belonging ON belonging.org = roles.org
        WHERE roles.person = people.id AND roles.active AND roles.position = 'owner'
            AND belonging.school = people.school
    )
"""

ENROLLED = """
INSERT OR IGNORE INTO claims
SELECT grp.n, people.n,
    CASE WHEN enrollments.position = 'expert' THEN 'EXPERT'
        WHEN positions.position IN ('LEARNER', 'TEACHER') THEN positions.position ELSE 'STAFF' END
FROM enrollments
JOIN wanted_groups grp ON grp.source = 'class' AND grp.id = enrollments.class
JOIN people ON people.school = grp.school AND people.id = enrollments.person
JOIN positions ON positions.role = enrollments.role
WHERE enrollments.active AND positions.position IS NOT 'GUARDIAN'
"""
"""A guardian follows the child and is never enrolled himself."""

CURATORS = """
WITH teachers AS (
    SELECT grp.n AS grp, people.n AS person, max(enrollments.is_primary) AS is_primary
    FROM enrollments
    JOIN wanted_groups grp ON grp.source = 'class' AND grp.id = enrollments.class AND grp.kind = 'CLASS'
    JOIN people ON people.school = grp.school AND people.id = enrollments.person
    WHERE enrollments.active AND enrollments.role = 'teacher' AND enrollments.position IS NOT 'expert'
    GROUP BY 1, 2
)
INSERT OR IGNORE INTO claims
SELECT grp, person, 'CURATOR'
FROM teachers JOIN (SELECT grp, count(*) AS number FROM teachers GROUP BY grp) USING (grp)
WHERE is_primary OR number = 1
"""
"""The primary teachers of a class, or its only teacher where none is primary."""

ENROLLED_IN_ORGS = """
INSERT OR IGNORE INTO claims
SELECT grp.n, people.n,
    CASE enrollments.position WHEN 'administrator' THEN 'ADMINISTRATOR' ELSE own.position END
FROM enrollments
JOIN wanted_groups grp ON grp.source = 'org' AND grp.id = enrollments.class
    AND grp.kind IN ('CYCLE', 'DEPARTMENT')
JOIN people ON people.school = grp.school AND people.id = enrollments.person
JOIN assignments own ON own.school = people.school AND own.person = people.id AND own.position IS NOT NULL
WHERE enrollments.active AND NOT EXISTS (SELECT 1 FROM classes WHERE classes.id = enrollments.class)
    AND (
        enrollments.position = 'administrator'
        OR own.position = (SELECT position FROM positions WHERE positions.role = enrollments.role)
        OR NOT EXISTS (
            SELECT 1 FROM assignments held JOIN positions ON positions.position = held.position
            WHERE held.school = own.school AND held.person = own.person AND positions.role = enrollments.role
        )
    )
"""
"""Our extension: a department or cycle in place of a class, at the person's own position. Of several own ones
it is the one that the enrolment names."""

ABOVE_CLASSES = """
INSERT OR IGNORE INTO claims
SELECT above.n, claims.person, claims.position
FROM claims
JOIN wanted_groups grp ON grp.n = claims.grp AND grp.source = 'class'
JOIN wanted_groups above ON above.n = grp.parent AND above.kind IN ('CYCLE', 'DEPARTMENT')
"""


def arrange(staging: Staging, erased: Sequence[Pair] = ()) -> None:
    """Fills `people`, `groups`, `claims` and `guardianships` from the staged rows, of which those about erased
    people go."""
    staging.executescript(TABLES)
    for statement in (
        BELONGING,
        "CREATE INDEX belonging_org ON belonging (org, school)",
        "CREATE INDEX belonging_school ON belonging (school)",
        "CREATE INDEX classes_school ON classes (school)",
        "CREATE INDEX roles_person ON roles (person)",
        "CREATE INDEX roles_org ON roles (org)",
        "CREATE INDEX enrollments_class ON enrollments (class)",
    ):
        staging.execute(statement)
    leave_out(staging, erased)
    for statement in (
        ASSIGNMENTS,
        "CREATE INDEX assignments_school ON assignments (school)",
        "CREATE INDEX assignments_person ON assignments (person, school)",
        kin.KIN,
        kin.RELATED,
        PEOPLE,
        "CREATE INDEX people_id ON people (id, school)",
        ORGANIZATIONS,
        DEPARTMENTS,
        ABOVE_DEPARTMENTS,
        CLASSES,
        "CREATE INDEX wanted_groups_school ON wanted_groups (school)",
        "ANALYZE",  # else one large school looks to the engine like a good place to begin
        AT_SCHOOL,
        OWNERS,
        ENROLLED,
        CURATORS,
        ENROLLED_IN_ORGS,
        ABOVE_CLASSES,
        kin.STANDING,
        kin.LISTED,
        kin.AGENTS,
        kin.GUARDIANSHIPS,
        "CREATE INDEX claims_person ON claims (person, position)",
        "ANALYZE",
        kin.GUARDIANS,
    ):
        staging.execute(statement)
