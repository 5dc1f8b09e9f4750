"""Mail: folders, drafts, what is sent, and what goes into the trash."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.conversations import DISCARDS_DRAFT, EMPTIES_TRASH, TRASHES_MAIL, WRITES_MAIL
from models.mailboxes import MailFolder
from resolvers import mail
from resolvers.lookahead import Finished
from schema.connection import Connection
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info, given
from schema.messages import BADGES, MESSAGE_IDS, LazyBadges, Message
from schema.projected import BOTH_WAYS, looked_ahead
from schema.selection import asked

DRAFT_ID = "The draft."


@strawberry.type(description="A folder of the viewer's mail.")
class Mailbox:
    folder: MailFolder = strawberry.field(description="Which one it is.")
    unread_count: int = strawberry.field(
        description="How many mails in it the viewer has not read; of the inbox it is the badge."
    )
    messages: Connection[Message] = looked_ahead(
        "What lies in it, oldest first. Without arguments the newest 20: page backwards with `last` and `before`.",
        unreadOnly=(bool, "Only what the viewer has not read."),
        search=(str, "Only mail whose subject or author contains this, whatever the case and the accents."),
        **BOTH_WAYS,
    )


# -------------------------------------------------------------------------------------------- inputs

RECIPIENTS = "Ids of people and of audiences; at most 100 in all three fields together."
LONE = "Nobody but the author and each of them, for himself, ever knows."


@strawberry.input(description="A mail as a whole: what is left out is empty. Saving a draft replaces all of it.")
class MailInput:
    to: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=RECIPIENTS)
    cc: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=f"Who gets a copy. {RECIPIENTS}")
    bcc: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=f"{LONE} {RECIPIENTS}")
    subject: str | None = strawberry.field(default=UNSET, description="Up to 200 characters; may be empty.")
    body: str | None = strawberry.field(
        default=UNSET,
        description="1 to 20,000 characters. Where bodies are RICH it is HTML, of which plain formatting, links "
        "and the mail's own attachments (`attachment:ID` as an image, audio or video) are kept.",
    )
    attachment_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Files that were uploaded before; at most 20, in this order."
    )
    in_reply_to_id: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="The mail that this one answers. Its author, and whoever it is addressed to in to and cc, may "
        "be addressed whatever the reach; an audience of it is then those of it whom it has reached.",
    )


@strawberry.input(description="A mail to send.")
class SendMailInput:
    mail: MailInput = strawberry.field(description="The mail.")
    draft_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The draft that becomes this mail; it leaves the drafts."
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="A text of one's own, new for each mail. Repeating the call with it sends no second mail.",
    )


@strawberry.input(description="A mail to go on with later.")
class SaveDraftInput:
    mail: MailInput = strawberry.field(description="The mail as it is so far: anything may be missing.")
    draft_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The draft to replace; left out: a new one."
    )


@strawberry.input(description="A draft to discard.")
class DiscardDraftInput:
    draft_id: strawberry.ID = strawberry.field(description=DRAFT_ID)


@strawberry.input(description="Mail to put into the viewer's trash.")
class TrashMessagesInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


@strawberry.input(description="Mail to take out of the trash.")
class RestoreMessagesInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


@strawberry.input(description="Mail in the trash to delete for good.")
class PurgeMessagesInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The mail that was sent.")
class SendMailPayload:
    sent: Message = strawberry.field(description="The author's own copy.")


@strawberry.type(description="The draft that was saved.")
class SaveDraftPayload:
    draft: Message = strawberry.field(description="The draft as it is now.")


@strawberry.type(description="The draft that was discarded.")
class DiscardDraftPayload:
    discarded_draft_id: strawberry.ID = strawberry.field(description="The id that it had.")


@strawberry.type(description="The mail that was put into the trash.")
class TrashMessagesPayload:
    messages: list[Message] = strawberry.field(description="The mail, in the trash.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The mail that was taken out of the trash.")
class RestoreMessagesPayload:
    messages: list[Message] = strawberry.field(description="The mail, where it was before.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The mail that was deleted for good.")
class PurgeMessagesPayload:
    purged_message_ids: list[strawberry.ID] = strawberry.field(description="The ids that it had.")
    badges: LazyBadges = strawberry.field(description=BADGES)


SendMailResult = Annotated[
    SendMailPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("SendMailResult", description="The mail, or why it was not sent."),
]
SaveDraftResult = Annotated[
    SaveDraftPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("SaveDraftResult", description="The draft, or why it was not saved."),
]
DiscardDraftResult = Annotated[
    DiscardDraftPayload | NotFoundError | DeniedError,
    strawberry.union("DiscardDraftResult", description="The id of the discarded draft, or why it stays."),
]
TrashMessagesResult = Annotated[
    TrashMessagesPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("TrashMessagesResult", description="The mail in the trash, or why it stays."),
]
RestoreMessagesResult = Annotated[
    RestoreMessagesPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("RestoreMessagesResult", description="The mail where it was, or why it stays."),
]
PurgeMessagesResult = Annotated[
    PurgeMessagesPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("PurgeMessagesResult", description="The ids of what is gone, or why it stays."),
]


@strawberry.type
class MailMutation:
    @mutation(
        SendMailResult,
        "Sends a mail. Everybody gets a copy of his own; audiences are those of now.",
        allowed_to=WRITES_MAIL,
    )
    async def send_mail(self, info: Info, input: SendMailInput) -> Finished:
        return await mail.send_mail(
            info.context,
            asked(info),
            mail=_written(input.mail),
            draft_id=given(input.draft_id),
            idempotency_key=given(input.idempotency_key),
        )

    @mutation(
        SaveDraftResult, "Keeps a mail to go on with later. Nobody else ever sees it.", allowed_to=WRITES_MAIL
    )
    async def save_draft(self, info: Info, input: SaveDraftInput) -> Finished:
        return await mail.save_draft(
            info.context, asked(info), mail=_written(input.mail), draft_id=given(input.draft_id)
        )

    @mutation(DiscardDraftResult, "Deletes a draft for good.", allowed_to=DISCARDS_DRAFT)
    async def discard_draft(self, info: Info, input: DiscardDraftInput) -> Finished:
        return await mail.discard_draft(info.context, asked(info), draft_id=input.draft_id)

    @mutation(
        TrashMessagesResult,
        "Puts mail into the viewer's trash; the copies of others stay.",
        allowed_to=TRASHES_MAIL,
    )
    async def trash_messages(self, info: Info, input: TrashMessagesInput) -> Finished:
        return await mail.trash_messages(info.context, asked(info), message_ids=input.message_ids)

    @mutation(
        RestoreMessagesResult, "Takes mail out of the trash, to where it came from.", allowed_to=EMPTIES_TRASH
    )
    async def restore_messages(self, info: Info, input: RestoreMessagesInput) -> Finished:
        return await mail.restore_messages(info.context, asked(info), message_ids=input.message_ids)

    @mutation(
        PurgeMessagesResult,
        "Deletes mail for good, for the viewer, and only out of the trash.",
        allowed_to=EMPTIES_TRASH,
    )
    async def purge_messages(self, info: Info, input: PurgeMessagesInput) -> Finished:
        return await mail.purge_messages(info.context, asked(info), message_ids=input.message_ids)


def _written(whole: MailInput) -> mail.Written:
    """What is left out, or null, is empty."""
    return mail.Written(
        to=given(whole.to) or (),
        cc=given(whole.cc) or (),
        bcc=given(whole.bcc) or (),
        subject=given(whole.subject) or "",
        body=given(whole.body) or "",
        attachment_ids=given(whole.attachment_ids) or (),
        in_reply_to_id=given(whole.in_reply_to_id),
    )
