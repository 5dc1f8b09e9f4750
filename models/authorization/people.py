"""Who sees people, groups, the organization, and what is personal?"""

from models.authorization.rule import ADMINISTRATOR, OFFICE, PERSONNEL, Allowed, Kind, Relation, Rule

PEOPLE = (Kind.PERSON,)
STUDY = (Kind.GROUP,)
LARGER = (Kind.LARGER_GROUP,)
ORGANIZATIONS = (Kind.ORGANIZATION,)

BELONGS = (Relation.BELONGS,)
IN_IT = (Relation.TEACHES, Relation.BELONGS)
OUTSIDE = (Relation.STRANGER,)

SEEN = (
    Relation.REACHES,
    Relation.REACHED,
    Relation.SHARES_ROOM,
    Relation.SHARES_GROUP,
    Relation.SHARES_MESSAGE,
    Relation.FORMER,
)
"""Whom everybody sees, whatever his position."""

UNSEEN = (Relation.SHARES_BLINDLY, Relation.STRANGER)
"""Whom only personnel sees."""

SEES_PERSON = Rule(
    "Oneself, whom one reaches or is reached by, and with whom one shares a chat, a conversation, a message or a "
    "class, subgroup or course; staff, teachers and administrators see everybody of the organization. A blind "
    "recipient shares nothing.",
    Allowed(PEOPLE, (Relation.SELF, *SEEN)),
    Allowed(PEOPLE, UNSEEN, PERSONNEL),
)
SEES_MEMBERSHIPS = Rule(
    "All of them for oneself, staff and administrators; for others, those in groups that they share.",
    Allowed(PEOPLE, (Relation.SELF,)),
    Allowed(PEOPLE, (*SEEN, *UNSEEN), OFFICE),
)
FINDS_RECIPIENT = Rule(
    "People and audiences within reach, and nobody else; audiences where the policy has them.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES)),
    Allowed((Kind.AUDIENCE,), (Relation.REACHES,)),
)
SEES_GROUP = Rule(
    "Who belongs to a group sees it; staff, teachers and administrators see every group.",
    Allowed(STUDY, IN_IT),
    Allowed(STUDY, OUTSIDE, PERSONNEL),
    Allowed(LARGER, BELONGS),
    Allowed(LARGER, OUTSIDE, PERSONNEL),
)
SEES_MEMBERS = Rule(
    "Staff, teachers and administrators see all. Others see learners, teachers, curators and experts of their own "
    "classes, subgroups and courses; guardians see no other guardians, and nobody of larger groups.",
    Allowed(STUDY, IN_IT),
    Allowed(STUDY, OUTSIDE, PERSONNEL),
    Allowed((Kind.GUARDIANS,), (*IN_IT, *OUTSIDE), PERSONNEL),
    Allowed(LARGER, (*BELONGS, *OUTSIDE), PERSONNEL),
)
BELONGS_TO_GROUP = Rule(
    "For those who belong to it.",
    Allowed(STUDY, IN_IT),
    Allowed(LARGER, BELONGS),
)
SEES_ORGANIZATION = Rule(
    "One's own.",
    Allowed(ORGANIZATIONS, BELONGS),
)
SEES_AUDIT = Rule(
    "For administrators of the organization; empty for others.",
    Allowed(ORGANIZATIONS, BELONGS, ADMINISTRATOR),
)
IS_ONESELF = Rule(
    "For whoever is signed in, of himself.",
    Allowed((Kind.ONESELF,), (Relation.SELF,)),
)
IS_LINKED = Rule(
    "For whoever is signed in, with a linked profile where the policy asks for one.",
    Allowed((Kind.ONESELF,), (Relation.SELF,)),
)
HAS_DONE_IT = Rule(
    "What a mutation answers is for whom it was not refused to: what has been changed as it is then, also for who "
    "has just left it, or repeats a call.",
)
AS_ITS_TYPE = Rule(
    "What an id stands for, by the rule of its type; null for what is not seen, as for what does not exist.",
)
