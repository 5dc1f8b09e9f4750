"""Who answers for whom? Learners list their agents, or relationships say so; a guardian follows the child.

Statements of the mapping, as those in `mapping`.
"""

from jobs.roster import keyless

KIN = f"""
CREATE TABLE kin AS
SELECT person AS child, other AS guardian FROM relationships WHERE active AND role IN {keyless.KIN}
UNION
SELECT other, person FROM relationships WHERE active AND role = 'child'
"""

RELATED = """
INSERT INTO assignments
SELECT DISTINCT kin.guardian, child.school, child.school, 'GUARDIAN'
FROM kin
JOIN assignments child ON child.person = kin.child AND child.position = 'LEARNER'
JOIN users ON users.id = kin.guardian AND users.active
WHERE NOT EXISTS (
    SELECT 1 FROM assignments own
    WHERE own.person = kin.guardian AND own.school = child.school AND own.position = 'GUARDIAN'
)
"""
"""Whom a relationship makes a guardian has no role of his own: he is at the school where the child learns."""

STANDING = """
INSERT INTO standing
SELECT people.n, max(position = 'LEARNER'), max(position = 'GUARDIAN')
FROM people JOIN assignments ON assignments.school = people.school AND assignments.person = people.id
GROUP BY people.n
"""

LISTED = """
CREATE TABLE listed AS
SELECT users.id AS lister, agent.value AS listed FROM users, json_each(users.agents) agent
UNION
SELECT child, guardian FROM kin
"""

AGENTS = """
CREATE TABLE agents AS
SELECT lister.n AS lister, listed.n AS listed, lister.school AS school,
    is1.learns AND (NOT is2.learns OR (is2.guards AND NOT is1.guards)) AS lists_guardian,
    is2.learns AND is1.guards AND NOT (is1.learns AND is2.guards) AS lists_child
FROM listed pair
JOIN people lister ON lister.id = pair.lister
JOIN people listed ON listed.school = lister.school AND listed.id = pair.listed AND listed.n <> lister.n
JOIN standing is1 ON is1.person = lister.n
JOIN standing is2 ON is2.person = listed.n
"""
"""Who lists whom within a school. A learner lists guardians, whatever else these are; who lists a child must
be a guardian. Between two learners, the one who is a guardian as well is it."""

GUARDIANSHIPS = """
INSERT INTO guardianships
SELECT school, listed, lister FROM agents WHERE lists_guardian
UNION
SELECT school, lister, listed FROM agents WHERE lists_child
"""

GUARDIANS = """
INSERT OR IGNORE INTO claims
SELECT claims.grp, guardianships.guardian, 'GUARDIAN'
FROM guardianships JOIN claims ON claims.person = guardianships.child AND claims.position = 'LEARNER'
"""
"""In each group where the child learns, the guardian is GUARDIAN."""
