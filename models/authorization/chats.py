"""Who sees chats and calls, and who may do what to them? (E13, E23, E30-E32, E37-E44, E53-E55)"""

from models.authorization.rule import ADMINISTRATOR, EVERYBODY, PERSONNEL, Allowed, Kind, Relation, Rule, Told
from models.errors import Code
from models.tables.people import Position

CHATS = (Kind.CHAT, Kind.MANDATORY_CHAT)
ALL_CHATS = (*CHATS, Kind.LEADERLESS_CHAT)
CALLS = (Kind.CREATED_CALL, Kind.PUBLISHED_CALL, Kind.FINISHED_CALL)

CREATED, PUBLISHED, FINISHED = ((each,) for each in CALLS)

LEAD = (Relation.ADMINISTERS,)
JOIN = (Relation.TAKES_PART,)
UNLINKED = (Relation.UNLINKED,)
AWAY = (Relation.LEFT, Relation.STRANGER)
THERE = (*LEAD, *JOIN, *UNLINKED)
OUTSIDE = (Relation.STRANGER,)

PEOPLE = (Kind.PERSON,)
KNOWN = (
    Relation.SELF,
    Relation.REACHES,
    Relation.REACHED,
    Relation.SHARES_ROOM,
    Relation.SHARES_GROUP,
    Relation.SHARES_MESSAGE,
    Relation.SHARES_BLINDLY,
)
"""Active people of the organization whom something joins with the viewer."""

OTHERS = tuple(position for position in EVERYBODY if position is not Position.ADMINISTRATOR)

_LEADERLESS = (Kind.LEADERLESS_CHAT,)

# -------------------------------------------------------------------------------------------- chats

SEES_CHAT = Rule(
    "Who takes part in a chat sees it, and who takes part; administrators of the organization see every chat.",
    Allowed(CHATS, THERE),
    Allowed(CHATS, AWAY, ADMINISTRATOR),
    Allowed(_LEADERLESS, JOIN),
    Allowed(_LEADERLESS, OUTSIDE, ADMINISTRATOR),
)
TAKES_PART_IN_CHAT = Rule(
    "For those who take part in the chat alone.",
    Allowed(CHATS, THERE),
    Allowed(_LEADERLESS, JOIN),
)
ENTERS_CHAT = Rule(
    "For those who take part; where the policy asks for a linked profile, with one.",
    Allowed(CHATS, (*LEAD, *JOIN)),
    Allowed(_LEADERLESS, JOIN),
)
CHANGES_CHAT = Rule(
    "For administrators of the chat, with a linked profile where the policy asks for one. Nobody changes a chat "
    "that the school keeps.",
    Allowed((Kind.CHAT,), LEAD),
    Told(Code.NOT_ADMINISTRATOR, (Kind.CHAT, Kind.LEADERLESS_CHAT), JOIN),
    Told(Code.NOT_ALLOWED, (Kind.CHAT,), AWAY, ADMINISTRATOR),
    Told(Code.NOT_ALLOWED, _LEADERLESS, OUTSIDE, ADMINISTRATOR),
    Told(Code.MANDATORY_CHAT, (Kind.MANDATORY_CHAT,), (*LEAD, *JOIN)),
    Told(Code.MANDATORY_CHAT, (Kind.MANDATORY_CHAT,), AWAY, ADMINISTRATOR),
    Told(Code.PROFILE_NOT_LINKED, CHATS, UNLINKED),
)
APPOINTS_IN_CHAT = Rule(
    "For administrators of the chat; where nobody active administers it, for administrators of the organization. "
    "It is one who takes part who is appointed.",
    Allowed((Kind.CHAT,), LEAD),
    Allowed(_LEADERLESS, (*JOIN, *OUTSIDE), ADMINISTRATOR),
    Told(Code.NOT_ADMINISTRATOR, (Kind.CHAT,), JOIN),
    Told(Code.NOT_ADMINISTRATOR, _LEADERLESS, JOIN, OTHERS),
    Told(Code.NOT_ALLOWED, (Kind.CHAT,), AWAY, ADMINISTRATOR),
    Told(Code.MANDATORY_CHAT, (Kind.MANDATORY_CHAT,), (*LEAD, *JOIN)),
    Told(Code.MANDATORY_CHAT, (Kind.MANDATORY_CHAT,), AWAY, ADMINISTRATOR),
    Told(Code.PROFILE_NOT_LINKED, CHATS, UNLINKED),
    Allowed(PEOPLE, (Relation.SELF, Relation.SHARES_ROOM)),
)
ADDS_TO_CHAT = CHANGES_CHAT.also(
    "Any active people of the organization may be taken in.", Allowed(PEOPLE, (*KNOWN, Relation.STRANGER))
)
REMOVES_FROM_CHAT = CHANGES_CHAT.also(
    "Whoever has gone already, from the chat or from the school, is no mistake.",
    Allowed(PEOPLE, (*KNOWN, Relation.FORMER, Relation.STRANGER)),
)
CREATES_CALL = Rule(
    "For administrators of the chat, and of the organization in every chat.",
    Allowed(CHATS, LEAD),
    Allowed(CHATS, (*JOIN, *AWAY), ADMINISTRATOR),
    Allowed(_LEADERLESS, (*JOIN, *OUTSIDE), ADMINISTRATOR),
    Told(Code.NOT_ADMINISTRATOR, ALL_CHATS, JOIN, OTHERS),
    Told(Code.PROFILE_NOT_LINKED, CHATS, UNLINKED),
)
CREATES_CHAT = Rule(
    "A chat of a subgroup is for those who teach it; a chat of one's own choice, for administrators of the "
    "organization. It takes in any active people of the organization.",
    Allowed((Kind.GROUP,), (Relation.TEACHES,)),
    Told(Code.NO_SUBGROUP, (Kind.GROUP,), (Relation.BELONGS,)),
    Told(Code.NO_SUBGROUP, (Kind.GROUP,), OUTSIDE, PERSONNEL),
    Allowed((Kind.ONESELF,), (Relation.SELF,), ADMINISTRATOR),
    Told(Code.NOT_ALLOWED, (Kind.ONESELF,), (Relation.SELF,), OTHERS),
    Allowed(PEOPLE, (*KNOWN, Relation.STRANGER)),
)

# -------------------------------------------------------------------------------------------- calls

SEES_CALL = Rule(
    "Created calls (the policy may hide them until they are published) and published ones are for those who take "
    "part in the chat; finished ones for its administrators. Administrators of the organization see every call.",
    Allowed((*CREATED, *PUBLISHED), THERE),
    Allowed((*CREATED, *PUBLISHED), AWAY, ADMINISTRATOR),
    Allowed(FINISHED, (*LEAD, *UNLINKED)),
    Allowed(FINISHED, (*JOIN, *AWAY), ADMINISTRATOR),
)
SEES_PUBLISHED_CALL = SEES_CALL.of(*PUBLISHED)
JOINS_CALL = Rule(
    "For those who take part in the chat, while the call is published; where the policy asks for a linked "
    "profile, with one. Administrators of the organization who do not take part have no address.",
    Allowed(PUBLISHED, (*LEAD, *JOIN)),
    Allowed((*CREATED, *FINISHED), ()),
)
HEARS_CALL = Rule(
    "Who takes part in the chat hears of all that happens to a call that was shown there, its end included; "
    "administrators of the organization, of every call.",
    Allowed(CALLS, THERE),
    Allowed(CALLS, AWAY, ADMINISTRATOR),
)
HEARS_PUBLICATION = Rule(
    "For those who take part in the chat, and did when the call was published, while it is.",
    Allowed(PUBLISHED, THERE),
)


def _runs(sentence: str, allowed: tuple[Kind, ...]) -> Rule:
    """For who runs the calls, in these states. Who sees a call and does not run it is told so."""
    wrong = tuple(kind for kind in CALLS if kind not in allowed)
    return Rule(
        f"For administrators of the chat, and of the organization in every chat. {sentence}",
        Allowed(allowed, LEAD),
        Allowed(allowed, (*JOIN, *AWAY), ADMINISTRATOR),
        Told(Code.WRONG_CALL_STATUS, wrong, LEAD),
        Told(Code.WRONG_CALL_STATUS, wrong, (*JOIN, *AWAY), ADMINISTRATOR),
        Told(Code.NOT_ADMINISTRATOR, (*CREATED, *PUBLISHED), JOIN, OTHERS),
        Told(Code.PROFILE_NOT_LINKED, CALLS, UNLINKED),
    )


UPDATES_CALL = _runs("While the call is created.", CREATED)
PUBLISHES_CALL = _runs("What is published already is no mistake.", (*CREATED, *PUBLISHED))
FINISHES_CALL = _runs("What is finished already is no mistake.", (*PUBLISHED, *FINISHED))
DELETES_CALL = _runs("Whatever the status.", CALLS)
