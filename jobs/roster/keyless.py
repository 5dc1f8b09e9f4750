"""How are rosters written whose rows have no sourcedId? SDS v2.1: OneRoster 1.2 with other columns, more roles,
and guardians in a file of their own.

Roles, enrolments and relationships are what they say. There is no manifest; where one is added, it may say which
files are deltas.
"""

from jobs.roster.columns import (
    ROLES,
    SOURCED_ID,
    STATUS,
    Column,
    Layout,
    boolean,
    identifier,
    kept,
    meant,
    name,
    name_part,
    one_of,
    reference,
    references,
)

TEACHERS = "professor adjunct lecturer faculty instructor substitute"
STAFF = (
    "chair researcher affiliate occupationalTherapist physicalTherapist speechTherapist visionTherapist "
    "paraprofessional specialServices advisor nurse officeStaff itAdmin staff teacherAssistant assistant coach"
)
NOBODY = ("alumni", "other")
"""Roles that are no position in a school."""

MEANING = {
    **{role: role for role in (*ROLES, *NOBODY)},
    **dict.fromkeys(TEACHERS.split(), "teacher"),
    **dict.fromkeys(STAFF.split(), "aide"),
}
"""Its roles, by those of the standard that give the same position."""

KIN = ("guardian", "parent", "relative")
"""Who answers for a learner; the other relationships mean nothing here."""

SCHOOLS = ("college",)
ABOVE = (
    *("ministryOfEducation", "departmentOfEducation", "localAuthority", "region", "province", "division"),
    *("municipality", "academicTrust", "university"),
)
"""What may stand above schools, beside the standard's own."""

CLASS_TYPES = {"homeroom": "homeroom", "scheduled": "scheduled", "": "scheduled"}


def _type(text: str) -> str:
    """Of an organization. A college is a school; what else there is keeps its name."""
    found = identifier(text)
    return "school" if found in SCHOOLS else found


_ROLE = Column("role", "role", meant(MEANING))
_MADE_ID = Column("sourcedId", "id", reference, required=False)


def _layout(table: str, *columns: Column, unread: str, identity: str = "") -> Layout:
    own = _MADE_ID if identity else SOURCED_ID
    ignored = frozenset(("dateLastModified", *unread.split()))
    return Layout(table, (own, STATUS, *columns), ignored, tuple(identity.split()))


LAYOUTS = (
    _layout(
        "orgs",
        Column("name", "name", name),
        Column("type", "type", _type),
        kept("parentSourcedId", "parent"),
        kept("metadata.kind", "kind"),
        unread="identifier",
    ),
    _layout(
        "users",
        Column("username", "login", identifier),
        Column("givenName", "given", name_part),
        Column("familyName", "family", name_part),
        Column("middleName", "middle", name_part, required=False),
        Column("enabledUser", "enabled", boolean(if_empty=True), required=False),
        Column("agentSourcedIds", "agents", references, required=False),
        kept("metadata.position", "position"),
        unread="password activeDirectoryMatchId email phone sms userNumber",
    ),
    _layout(
        "roles",
        Column("userSourcedId", "person", identifier),
        Column("orgSourcedId", "org", identifier),
        _ROLE,
        kept("metadata.position", "position"),
        unread="sessionSourcedId grade isPrimary roleStartDate roleEndDate",
        identity="person org role position",
    ),
    _layout(
        "relationships",
        Column("userSourcedId", "person", identifier),
        Column("relationshipUserSourcedId", "other", identifier),
        Column("relationshipRole", "role", one_of(*KIN, "child", "aide", "doctor", "administrator", "other")),
        unread="",
        identity="person other role",
    ),
    _layout(
        "courses",
        Column("title", "title", name),
        kept("orgSourcedId", "org"),
        unread="code schoolYearSourcedId subject grade",
    ),
    _layout(
        "classes",
        Column("title", "title", name),
        Column("orgSourcedId", "school", identifier),
        kept("orgSourcedId", "parent"),
        Column("classType", "type", meant(CLASS_TYPES), required=False),
        kept("courseSourcedId", "course"),
        kept("metadata.kind", "kind"),
        unread="code sessionSourcedIds subject grade",
    ),
    _layout(
        "enrollments",
        Column("classSourcedId", "class", identifier),
        Column("userSourcedId", "person", identifier),
        _ROLE,
        Column("primary", "is_primary", boolean(if_empty=False), required=False),
        kept("metadata.position", "position"),
        unread="sessionSourcedId startDate endDate",
        identity="class person role position",
    ),
)
"""The files that are read, in this order."""

NEEDED = ("orgs", "users", "roles")
UNREAD_FILES = ("userFlags.csv",)
