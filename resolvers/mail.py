"""How is mail read, and how are its mutations answered?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, select

from models import drafts, mailboxes, rich_text
from models import mail as mails
from models.actor import Actor, person
from models.addresses import Address
from models.audiences import parse_audience
from models.authorization.conversations import LIES_IN_MAILBOX
from models.authorization.people import HAS_DONE_IT, IS_ONESELF
from models.database import Transaction
from models.letters import Letter
from models.mailboxes import MailFolder, is_unread_there, mail_contains, mail_in, unread_in
from models.messages import any_messages
from models.tables.conversations import Role, messages
from models.text import BODY_LENGTH
from resolvers.asked import Asked, Field
from resolvers.context import Context, Given
from resolvers.dialects import constant
from resolvers.ids import number, numbers, spelled
from resolvers.lookahead import Finished
from resolvers.messages import change_copies, changed_messages, given_ids
from resolvers.paging import Page, pattern
from resolvers.projection import Column, One, Part, Projection, Rendered, an_object
from resolvers.statement import VIEWER, Arguments, Row, Statement, given

WORKED_OUT_AT_ONCE = 1_000
"""Characters of a body that the writer cleans in passing; longer ones are cleaned beforehand, beside it."""


# ------------------------------------------------------------------------------------------ folders


class _Opened(Row):
    """A folder of mail: known while the statement is made, so that each is read by an index of its own."""

    def __init__(self, statement: Statement, folder: MailFolder) -> None:
        super().__init__(statement, select(constant(folder).label("folder")))
        self.opened = folder


class _Mailbox(Part):
    """The folder that is asked for. There is no row to read: all that is asked of it lies in it."""

    def render(self, field: Field, row: Row) -> Rendered:
        folder = Arguments(row.statement, field.arguments).choice("folder")
        return an_object(self.target, field.selection, _Opened(row.statement, folder))


class _InFolder(Page):
    """The mail in the folder of the row. Drafts have no place among what was sent."""

    def render(self, field: Field, row: Row) -> Rendered:
        keys = ("id",) if _folder(row) is MailFolder.DRAFTS else ("place",)
        return Page.render(replace(self, keys=keys), field, row)


def _folder(row: Row) -> MailFolder:
    assert isinstance(row, _Opened)
    return row.opened


def _mail(row: Row, arguments: Arguments) -> Select[Any]:
    found = mail_in(VIEWER, _folder(row))
    if arguments.flag("unreadOnly"):
        found = found.where(is_unread_there())
    if "search" in arguments:
        found = found.where(mail_contains(arguments.bind("search", pattern)))
    return found


MAILBOX = _Mailbox("Mailbox", arguments=frozenset({"folder"}), seen_by=IS_ONESELF)
"""The entry of a viewer's mailbox."""

Projection(
    "Mailbox",
    seen_by=IS_ONESELF,
    folder=Column(lambda row: constant(_folder(row))),
    unread_count=Column(lambda row: unread_in(VIEWER, _folder(row))),
    messages=_InFolder(
        "Message",
        _mail,
        keys=("place",),
        newest=True,
        arguments=frozenset({"unreadOnly", "search"}),
        seen_by=LIES_IN_MAILBOX,
    ),
)


# ----------------------------------------------------------------------------------------- mutations


def _message() -> One:
    """The mail as the mutation leaves it, also for who repeats a call and has deleted it since."""
    return One(
        "Message",
        lambda _, __: any_messages(VIEWER).where(messages.c.id == given("message")),
        seen_by=HAS_DONE_IT,
    )


def _badges() -> One:
    return One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF)


Projection("SendMailPayload", seen_by=HAS_DONE_IT, sent=_message())
Projection("SaveDraftPayload", seen_by=HAS_DONE_IT, draft=_message())
Projection(
    "DiscardDraftPayload",
    seen_by=HAS_DONE_IT,
    discarded_draft_id=Column(lambda _: spelled("Message", given("message"))),
)
for _payload in ("TrashMessagesPayload", "RestoreMessagesPayload"):
    Projection(_payload, seen_by=HAS_DONE_IT, messages=changed_messages(), badges=_badges())
Projection("PurgeMessagesPayload", seen_by=HAS_DONE_IT, purged_message_ids=given_ids("ids"), badges=_badges())


@dataclass(frozen=True)
class Written:
    """A mail as a client gives it: ids as they were sent."""

    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str = ""
    body: str = ""
    attachment_ids: Sequence[str] = ()
    in_reply_to_id: str | None = None

    async def letter(self) -> Letter:
        """The same for the rules. A long body is cleaned here, where the writer does not wait for it."""
        if WORKED_OUT_AT_ONCE < len(self.body) <= BODY_LENGTH:
            await asyncio.to_thread(rich_text.cleaned, self.body)
        by_role = ((Role.TO, self.to), (Role.CC, self.cc), (Role.BCC, self.bcc))
        return Letter(
            addresses=tuple(_address(role, id_) for role, ids in by_role for id_ in ids),
            subject=self.subject,
            body=self.body,
            attachment_ids=tuple(numbers("Attachment", self.attachment_ids)),
            parent_id=None if self.in_reply_to_id is None else number("Message", self.in_reply_to_id),
        )


def _address(role: Role, id_: str) -> Address:
    """Whom an id stands for; what is neither a person's nor an audience's is nobody's."""
    audience = parse_audience(id_)
    if audience is None:
        return Address(role, user_id=number("User", id_))
    group_id, position = audience
    return Address(role, group_id=group_id, position=position)


async def send_mail(
    ctx: Context, asked: Asked, *, mail: Written, draft_id: str | None, idempotency_key: str | None
) -> Finished:
    letter, draft = await mail.letter(), _draft(draft_id)
    return await ctx.change(
        asked,
        lambda tx, actor: {
            "message": mails.send_mail(tx, actor, letter, draft_id=draft, idempotency_key=idempotency_key)
        },
    )


async def save_draft(ctx: Context, asked: Asked, *, mail: Written, draft_id: str | None) -> Finished:
    letter, draft = await mail.letter(), _draft(draft_id)
    return await ctx.change(
        asked, lambda tx, actor: {"message": drafts.save_draft(tx, actor, letter, draft_id=draft)}
    )


async def discard_draft(ctx: Context, asked: Asked, *, draft_id: str) -> Finished:
    draft = number("Message", draft_id)

    def job(tx: Transaction, actor: Actor) -> Given:
        drafts.discard_draft(tx, actor, draft)
        return {"message": draft}

    return await ctx.change(asked, job)


async def trash_messages(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(ctx, asked, message_ids, mailboxes.trash)


async def restore_messages(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(ctx, asked, message_ids, mailboxes.restore)


async def purge_messages(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(ctx, asked, message_ids, mailboxes.purge)


def _draft(draft_id: str | None) -> int | None:
    return None if draft_id is None else number("Message", draft_id)
