"""Who sees conversations, messages, mail and files, and who may do what to them? (E6-E12, P3-P6, I6, M2-M14)

No position opens a conversation: administrators of the organization see as little as anybody else.
"""

from models.authorization.rule import ADMINISTRATOR, PERSONNEL, Allowed, Kind, Relation, Rule, Told
from models.errors import Code

CHATS = (Kind.CHAT, Kind.MANDATORY_CHAT)
GROUPS = (Kind.GROUP_CONVERSATION,)
OF_CHATS = (Kind.CHAT_CONVERSATION,)
DIRECT = (Kind.DIRECT,)
THREADS = (Kind.THREAD,)
MESSAGES = (Kind.MESSAGE,)
MAIL = (Kind.MAIL,)
DRAFTS = (Kind.DRAFT,)
FILES = (Kind.ATTACHMENT,)
UPLOADS = (Kind.UPLOAD,)
PEOPLE = (Kind.PERSON,)
AUDIENCES = (Kind.AUDIENCE,)

LEAD = (Relation.ADMINISTERS,)
JOIN = (Relation.TAKES_PART,)
LEFT = (Relation.LEFT,)
UNLINKED = (Relation.UNLINKED,)
AUTHOR = (Relation.AUTHOR,)
TRASHED = (Relation.TRASHED,)
COPIES = (Relation.AUTHOR, Relation.RECEIVED, Relation.BLIND)
"""Who has a copy of a mail, out of the trash."""

WROTE_OR_GOT = (Relation.AUTHOR, Relation.RECEIVED, Relation.LEFT)
"""Who has a copy of a message."""

KNOWN = (
    Relation.REACHED,
    Relation.SHARES_ROOM,
    Relation.SHARES_GROUP,
    Relation.SHARES_MESSAGE,
    Relation.FORMER,
)
"""Whom the viewer sees, and may not write to."""

# -------------------------------------------------------------------------------------- conversations

SEES_CONVERSATION = Rule(
    "For those who take part: of a group conversation and of a chat those who have left keep what there was (the "
    "policy may take it); a direct one, once something was written or the viewer has opened it; the thread of a "
    "mail, for those who have a copy. No position opens a conversation.",
    Allowed(GROUPS, (*LEAD, *JOIN, *LEFT)),
    Allowed(OF_CHATS, (*LEAD, *JOIN, *UNLINKED, *LEFT)),
    Allowed(DIRECT, JOIN),
    Allowed(THREADS, COPIES),
)
SEES_BOTH = Rule(
    "Who sees both, the chat and its conversation.",
    Allowed((*CHATS, *OF_CHATS), (*LEAD, *JOIN, *UNLINKED)),
    Allowed((*CHATS, *OF_CHATS), LEFT, ADMINISTRATOR),
    Allowed((Kind.LEADERLESS_CHAT,), JOIN),
)
SEES_CHAT_TOO = SEES_BOTH.of(*CHATS, Kind.LEADERLESS_CHAT)
SEES_CONVERSATION_TOO = SEES_BOTH.of(*OF_CHATS)
TAKES_PART_IN_CONVERSATION = Rule(
    "For those who take part now.",
    Allowed(GROUPS, (*LEAD, *JOIN)),
    Allowed(OF_CHATS, (*LEAD, *JOIN, *UNLINKED)),
    Allowed(DIRECT, JOIN),
    Allowed(THREADS, COPIES),
)
WRITES = Rule(
    "For those who take part; in a chat with a linked profile, where the policy asks for one; in a direct "
    "conversation as reach and the knob `reply` say. Mail is not written into.",
    Allowed(GROUPS, (*LEAD, *JOIN)),
    Allowed(OF_CHATS, (*LEAD, *JOIN)),
    Allowed(DIRECT, JOIN),
    Told(Code.NOT_PARTICIPANT, (*GROUPS, *OF_CHATS), LEFT),
    Told(Code.PROFILE_NOT_LINKED, OF_CHATS, UNLINKED),
    Told(Code.KIND_NOT_OFFERED, THREADS, COPIES),
).also(
    "What is answered must be seen, and files must be one's own uploads.",
    Allowed(MESSAGES, (*AUTHOR, Relation.RECEIVED)),
    Told(Code.NOT_PARTICIPANT, MESSAGES, LEFT),
    Allowed(UPLOADS, AUTHOR),
)
CHANGES_CONVERSATION = Rule(
    "For administrators of a group conversation; no other has settings.",
    Allowed(GROUPS, LEAD),
    Told(Code.NOT_ADMINISTRATOR, GROUPS, JOIN),
    Told(Code.NOT_PARTICIPANT, GROUPS, LEFT),
    Told(Code.NOT_ALLOWED, OF_CHATS, (*LEAD, *JOIN, *LEFT)),
    Told(Code.PROFILE_NOT_LINKED, OF_CHATS, UNLINKED),
    Told(Code.NOT_ALLOWED, DIRECT, JOIN),
    Told(Code.NOT_ALLOWED, THREADS, COPIES),
)
ADDS_TO_CONVERSATION = CHANGES_CONVERSATION.also(
    "Who comes must be within reach of who takes him in; who takes part already is no mistake.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES, Relation.SHARES_ROOM)),
)
REMOVES_FROM_CONVERSATION = CHANGES_CONVERSATION.also(
    "Whoever is seen may be named: who does not take part is no mistake.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES, *KNOWN)),
    Allowed(PEOPLE, (Relation.SHARES_BLINDLY, Relation.STRANGER), PERSONNEL),
)
APPOINTS_IN_CONVERSATION = CHANGES_CONVERSATION.also(
    "It is one who takes part who is appointed.", Allowed(PEOPLE, (Relation.SELF, Relation.SHARES_ROOM))
)
CREATES_CONVERSATION = Rule(
    "Everybody who takes part must be within reach of who creates it. All others are one answer, as who does not "
    "exist.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES)),
)
OPENS_CONVERSATION = Rule(
    "With whom the viewer reaches, with himself where the policy has that. Who is not seen is one answer, as who "
    "does not exist.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES)),
    Told(Code.CANNOT_START, PEOPLE, (Relation.REACHED,)),
    Told(Code.COUNTERPART_GONE, PEOPLE, (Relation.FORMER,)),
)
LEAVES_CONVERSATION = Rule(
    "For those who take part in a group conversation; who has left already makes no mistake.",
    Allowed(GROUPS, (*LEAD, *JOIN, *LEFT)),
    Told(Code.NOT_ALLOWED, OF_CHATS, (*LEAD, *JOIN, *UNLINKED, *LEFT)),
    Told(Code.NOT_ALLOWED, DIRECT, JOIN),
    Told(Code.NOT_ALLOWED, THREADS, COPIES),
)
MUTES_CONVERSATION = Rule(
    "For those who take part now.",
    *TAKES_PART_IN_CONVERSATION.clauses,
    Told(Code.NOT_PARTICIPANT, (*GROUPS, *OF_CHATS), LEFT),
)
DELETES_CONVERSATION = Rule(
    "For oneself alone, where the policy has it; never the thread of a mail.",
    Allowed(GROUPS, (*LEAD, *JOIN, *LEFT)),
    Allowed(OF_CHATS, (*LEAD, *JOIN, *UNLINKED, *LEFT)),
    Allowed(DIRECT, JOIN),
    Told(Code.IMMUTABLE, THREADS, COPIES),
)

# --------------------------------------------------------------------------------- messages and mail

SEES_MESSAGE = Rule(
    "For those who have a copy: who wrote it, and whom it has reached, until they delete their copy. A draft is "
    "its author's alone.",
    Allowed(MESSAGES, WROTE_OR_GOT),
    Allowed(MAIL, (*COPIES, *TRASHED)),
    Allowed(DRAFTS, AUTHOR),
)
LISTS_MESSAGE = Rule(
    "In a conversation are the messages of which the viewer has a copy, but no drafts, nor the trash.",
    Allowed(MESSAGES, WROTE_OR_GOT),
    Allowed(MAIL, COPIES),
)
LIES_IN_MAILBOX = Rule(
    "One's own copies of mail, each in its folder.",
    Allowed(MAIL, (*COPIES, *TRASHED)),
    Allowed(DRAFTS, AUTHOR),
)
SEES_ANSWERED = SEES_MESSAGE.of(*MESSAGES, *MAIL)
SEES_BLIND_RECIPIENTS = Rule(
    "The author sees all of them; each of them, himself.",
    Allowed(MESSAGES, ()),
    Allowed(MAIL, (*AUTHOR, Relation.BLIND)),
    Allowed(DRAFTS, AUTHOR),
)
SEES_FILE = Rule(
    "For those who have a copy of its message, and for safeguarding officers who have said why they read a report "
    "that names that; while it waits for a message, for who uploaded it.",
    Allowed(FILES, (*COPIES, *TRASHED)),
    Allowed(FILES, (Relation.OPENED,), ADMINISTRATOR),
    Allowed(UPLOADS, AUTHOR),
)
HAS_NEWS = Rule(
    "What the viewer has received and has not put away, and calls published where he takes part; where the policy "
    "has a feed.",
    Allowed(MESSAGES, (Relation.RECEIVED, *LEFT)),
    Allowed(MAIL, (Relation.RECEIVED, Relation.BLIND)),
    Allowed((Kind.PUBLISHED_CALL,), (*LEAD, *JOIN, *UNLINKED)),
)
DELETES_MESSAGE = Rule(
    "For oneself alone, where the policy has it; mail has a trash instead.",
    Allowed(MESSAGES, WROTE_OR_GOT),
    Told(Code.IMMUTABLE, MAIL, (*COPIES, *TRASHED)),
    Told(Code.IMMUTABLE, DRAFTS, AUTHOR),
)
TRASHES_MAIL = Rule(
    "One's own copy of a mail that was sent, where the policy has a trash. What lies there already is no mistake.",
    Allowed(MAIL, (*COPIES, *TRASHED)),
    Told(Code.IMMUTABLE, MESSAGES, WROTE_OR_GOT),
    Told(Code.IMMUTABLE, DRAFTS, AUTHOR),
)
EMPTIES_TRASH = Rule(
    "One's own copy of a mail, out of the trash.",
    Allowed(MAIL, TRASHED),
    Told(Code.NOT_IN_TRASH, MAIL, COPIES),
    Told(Code.NOT_IN_TRASH, MESSAGES, WROTE_OR_GOT),
    Told(Code.NOT_IN_TRASH, DRAFTS, AUTHOR),
)
WRITES_MAIL = Rule(
    "To people and audiences within reach; all others are one answer, as who does not exist. What is answered "
    "must be a mail that is seen; a draft and files must be one's own.",
    Allowed(PEOPLE, (Relation.SELF, Relation.REACHES)),
    Allowed(AUDIENCES, (Relation.REACHES,)),
    Allowed(MAIL, (*COPIES, *TRASHED)),
    Allowed(MESSAGES, ()),
    Allowed(DRAFTS, AUTHOR),
    Allowed(UPLOADS, AUTHOR),
)
DISCARDS_DRAFT = Rule(
    "Its author, until it is sent.",
    Allowed(DRAFTS, AUTHOR),
    Allowed(MAIL, ()),
)
