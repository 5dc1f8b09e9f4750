"""What is lost with a message, a mail or a file, with people and groups, and with an office? All losses."""

from models.authorization.rule import Kind, Relation
from models.errors import Code
from models.tables.people import Position
from tests.authorization.losing import (
    blocked,
    copy_deleted,
    discarded,
    draft_sent,
    leaves_both,
    mail_purged,
    message_hidden,
    next_roster,
    purged,
    trashed,
)
from tests.authorization.loss import Loss
from tests.authorization.losses_of_rooms import OF_ROOMS

LEARNER, ADMINISTRATOR, TEACHER = Position.LEARNER, Position.ADMINISTRATOR, Position.TEACHER

NOT_FOUND = Code.NOT_FOUND

OF_MAIL = {
    "trashMessages": NOT_FOUND,
    "markMessagesRead": NOT_FOUND,
    "sendMail": NOT_FOUND,
    "reportMessage": NOT_FOUND,
}

LOSSES = (
    *OF_ROOMS,
    # ---- messages and mail
    Loss(
        "the copy is deleted",
        (Kind.MESSAGE, Relation.RECEIVED, LEARNER),
        copy_deleted,
        sees=("Conversation.messages", "Message.inReplyTo", "Viewer.feed"),
        does={"markMessagesRead": NOT_FOUND, "sendMessage": NOT_FOUND, "reportMessage": NOT_FOUND},
        hears=("messageReceived",),
    ),
    Loss(
        "the message is hidden",
        (Kind.MESSAGE, Relation.AUTHOR, ADMINISTRATOR),
        message_hidden,
        sees=("Conversation.messages", "Message.inReplyTo"),
        does={"markMessagesRead": NOT_FOUND, "sendMessage": NOT_FOUND},
        hears=("messageReceived",),
    ),
    Loss(
        "the mail is in the trash",
        (Kind.MAIL, Relation.RECEIVED, LEARNER),
        trashed,
        sees=("Conversation.messages", "Viewer.feed"),
        keeps_node=True,
    ),
    Loss(
        "the mail is purged",
        (Kind.MAIL, Relation.TRASHED, TEACHER),
        purged,
        sees=("Mailbox.messages", "Message.inReplyTo"),
        does={**OF_MAIL, "restoreMessages": NOT_FOUND, "purgeMessages": NOT_FOUND},
        hears=("messageReceived",),
    ),
    Loss(
        "the mail is purged, and its file",
        (Kind.ATTACHMENT, Relation.TRASHED, TEACHER),
        mail_purged,
    ),
    Loss(
        "no longer an officer, for files",
        (Kind.ATTACHMENT, Relation.OPENED, ADMINISTRATOR),
        next_roster,
    ),
    Loss(
        "the draft is sent",
        (Kind.DRAFT, Relation.AUTHOR, LEARNER),
        draft_sent,
        does={"discardDraft": NOT_FOUND, "sendMail": NOT_FOUND},
        keeps_node=True,
    ),
    Loss(
        "the draft is discarded",
        (Kind.DRAFT, Relation.AUTHOR, LEARNER),
        discarded,
        sees=("Mailbox.messages", "Message.bcc"),
        does={"discardDraft": NOT_FOUND, "saveDraft": NOT_FOUND, "sendMail": NOT_FOUND},
    ),
    Loss(
        "no longer an officer",
        (Kind.REPORT, Relation.STRANGER, ADMINISTRATOR),
        next_roster,
        sees=("Organization.reports", "ReadReportPayload.report", "ReadReportPayload.messages"),
        does={"readReport": NOT_FOUND, "decideReport": NOT_FOUND},
        hears=("reportChanged",),
    ),
    # ---- people and groups
    Loss(
        "no longer in the group",
        (Kind.GROUP, Relation.TEACHES, LEARNER),
        next_roster,
        sees=("Viewer.groups", "Organization.groups", "Group.members", "Chat.group"),
        does={"createChat": NOT_FOUND},
    ),
    Loss(
        "no longer of the personnel",
        (Kind.LARGER_GROUP, Relation.STRANGER, Position.STAFF),
        next_roster,
        sees=("Organization.groups", "Group.members", "Chat.group"),
    ),
    Loss(
        "no longer of the personnel, for guardians",
        (Kind.GUARDIANS, Relation.TEACHES, TEACHER),
        next_roster,
        sees=("Group.members",),
    ),
    Loss(
        "reach has ended",
        (Kind.PERSON, Relation.REACHES, LEARNER),
        next_roster,
        sees=("Viewer.recipients",),
        does={
            "openConversation": Code.OUT_OF_REACH,
            "createGroupConversation": Code.OUT_OF_REACH,
            "addParticipants": Code.OUT_OF_REACH,
            "sendMail": Code.OUT_OF_REACH,
            "blockPerson": NOT_FOUND,
        },
    ),
    Loss(
        "no group is shared any more",
        (Kind.PERSON, Relation.SHARES_GROUP, LEARNER),
        next_roster,
        does={"blockPerson": NOT_FOUND, "removeParticipants": NOT_FOUND},
    ),
    Loss(
        "no room is shared any more",
        (Kind.PERSON, Relation.SHARES_ROOM, Position.GUARDIAN),
        leaves_both,
        does={"blockPerson": NOT_FOUND},
    ),
    Loss(
        "no longer of the office",
        (Kind.PERSON, Relation.STRANGER, Position.STAFF),
        next_roster,
        sees=("User.memberships",),
        does={"blockPerson": NOT_FOUND},
    ),
    Loss(
        "the other is blocked",
        (Kind.PERSON, Relation.REACHES, TEACHER),
        blocked,
        sees=("Viewer.recipients",),
        does={
            "openConversation": Code.OUT_OF_REACH,
            "createGroupConversation": Code.OUT_OF_REACH,
            "sendMail": Code.OUT_OF_REACH,
        },
        keeps_node=True,
    ),
    Loss(
        "the audience is out of reach",
        (Kind.AUDIENCE, Relation.REACHES, LEARNER),
        next_roster,
        sees=("Viewer.recipients",),
        does={"sendMail": Code.OUT_OF_REACH, "saveDraft": Code.OUT_OF_REACH},
    ),
    Loss(
        "no longer administrator of the organization, for the audit",
        (Kind.ORGANIZATION, Relation.BELONGS, ADMINISTRATOR),
        next_roster,
        sees=("Organization.auditEntries",),
        keeps_node=True,
    ),
)
