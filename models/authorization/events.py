"""Who hears of what happens? A rule for each kind of event.

What is shown of an event follows the rights of now, when it is told; so does what is replayed.
"""

from models.authorization.chats import HEARS_CALL, SEES_CHAT
from models.authorization.conversations import GROUPS, JOIN, LEAD, MESSAGES, OF_CHATS, UNLINKED, WROTE_OR_GOT
from models.authorization.people import IS_ONESELF, SEES_ORGANIZATION
from models.authorization.rule import Allowed, Kind, Relation, Rule
from models.authorization.safeguarding import HEARS_OF_REPORT
from models.tables.events import EventKind

HEARS_MESSAGE = Rule(
    "Whom the message has reached, and its author, as long as they have their copy; in a direct conversation the "
    "other as well who has not seen it yet, or has deleted it. Of one conversation, while they take part there.",
    Allowed(GROUPS, (*LEAD, *JOIN)),
    Allowed(OF_CHATS, (*LEAD, *JOIN, *UNLINKED)),
    Allowed((Kind.DIRECT,), (*JOIN, Relation.UNWRITTEN, Relation.DELETED)),
    Allowed(MESSAGES, WROTE_OR_GOT),
    Allowed(
        (Kind.MAIL,),
        (Relation.AUTHOR, Relation.RECEIVED, Relation.BLIND, Relation.TRASHED),
    ),
)
HEARS_CONVERSATION = Rule(
    "For those who take part, joining and leaving included. What somebody has done for himself alone, as muting, "
    "is told to nobody else.",
    Allowed(GROUPS, (*LEAD, *JOIN)),
    Allowed(OF_CHATS, (*LEAD, *JOIN, *UNLINKED)),
    Allowed((Kind.DIRECT,), ()),
)
HEARS_OF_COPY = Rule(
    "Whose copy has changed, and nobody else: not the author, and not who has a copy of the same message.",
    Allowed((Kind.ONESELF,), (Relation.SELF,)),
    Allowed((Kind.MESSAGE, Kind.MAIL), ()),
)

HEARD_BY: dict[EventKind, Rule] = {
    EventKind.CHAT_CHANGED: SEES_CHAT,
    EventKind.CALL_CHANGED: HEARS_CALL,
    EventKind.CALL_PUBLISHED: HEARS_CALL,
    EventKind.CHATS_SEEN: IS_ONESELF,
    EventKind.MESSAGE_SENT: HEARS_MESSAGE,
    EventKind.MESSAGE_CHANGED: HEARS_OF_COPY,
    EventKind.CONVERSATION_CHANGED: HEARS_CONVERSATION,
    EventKind.PERSON_CHANGED: IS_ONESELF,
    EventKind.ORGANIZATION_CHANGED: SEES_ORGANIZATION,
    EventKind.REPORT_CHANGED: HEARS_OF_REPORT,
}
"""The widest that is told of it; a subscription may tell less."""


def check_events(rules: dict[EventKind, Rule] = HEARD_BY) -> None:
    """Raises TypeError for a kind of event of which nothing says who hears it."""
    unsaid = [kind for kind in EventKind if kind not in rules]
    if unsaid:
        raise TypeError(f"Who hears of {', '.join(unsaid)}? There is no rule.")
