"""Who reports messages, who looks at reports, and who blocks whom?

The officers are at the position that the knob `safeguardingPosition` names: administrators, unless it says
another.
"""

from models.authorization.conversations import WROTE_OR_GOT
from models.authorization.people import SEEN, UNSEEN
from models.authorization.rule import ADMINISTRATOR, EVERYBODY, PERSONNEL, Allowed, Kind, Relation, Rule, Told
from models.errors import Code

OFFICERS = ADMINISTRATOR

MESSAGES, MAIL, DRAFTS = (Kind.MESSAGE,), (Kind.MAIL,), (Kind.DRAFT,)
REPORTS = (Kind.REPORT,)
PEOPLE, PEOPLE_OF_PERSONNEL = (Kind.PERSON,), (Kind.PERSON_OF_PERSONNEL,)

AUTHOR = (Relation.AUTHOR,)
FAMILY = tuple(position for position in EVERYBODY if position not in PERSONNEL)

REPORTS_MESSAGE = Rule(
    "Whoever sees a message may report it, but not his own.",
    Allowed(MESSAGES, tuple(each for each in WROTE_OR_GOT if each not in AUTHOR)),
    Allowed(MAIL, (Relation.RECEIVED, Relation.BLIND, Relation.TRASHED)),
    Told(Code.NOT_ALLOWED, (*MESSAGES, *MAIL, *DRAFTS), AUTHOR),
)
SEES_REPORT = Rule(
    "Safeguarding officers of the organization; never, officer or not, whose message was reported.",
    Allowed(REPORTS, (Relation.REPORTER, Relation.STRANGER), OFFICERS),
)
HEARS_OF_REPORT = Rule(
    "Each safeguarding officer, but not whose message was reported.",
    *SEES_REPORT.clauses,
)
SETS_LOCKDOWN = Rule(
    "Administrators of the organization, and safeguarding officers.",
    Allowed((Kind.ONESELF,), (Relation.SELF,), ADMINISTRATOR),
    Told(
        Code.NOT_ALLOWED,
        (Kind.ONESELF,),
        (Relation.SELF,),
        tuple(position for position in EVERYBODY if position not in ADMINISTRATOR),
    ),
)
SEES_OPENED = Rule(
    "Safeguarding officers who have said why they read; each reading is kept, and so is each that was refused.",
    *SEES_REPORT.clauses,
)
BLOCKS_PERSON = Rule(
    "Whoever is seen may be blocked; teachers, staff and administrators by their like alone.",
    Allowed(PEOPLE, SEEN),
    Allowed(PEOPLE, UNSEEN, PERSONNEL),
    Told(Code.NOT_ALLOWED, PEOPLE, (Relation.SELF,)),
    Allowed(PEOPLE_OF_PERSONNEL, (Relation.SHARES_ROOM, Relation.STRANGER), PERSONNEL),
    Told(Code.NOT_ALLOWED, PEOPLE_OF_PERSONNEL, (Relation.SHARES_ROOM,), FAMILY),
)
UNBLOCKS_PERSON = Rule(
    "Whoever is seen, or was blocked; who is not blocked is no mistake.",
    Allowed(PEOPLE, (Relation.SELF, *SEEN)),
    Allowed(PEOPLE, UNSEEN, PERSONNEL),
)
HAS_BLOCKED = Rule(
    "For who has blocked them, and nobody else: not for who is blocked.",
    Allowed((Kind.ONESELF,), (Relation.SELF,)),
)
