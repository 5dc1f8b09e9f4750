"""How is mail read, and how are its mutations answered?"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Select, case, literal, select

from models import mailboxes, rich_text
from models.actor import Actor, person
from models.addresses import Address
from models.database import Transaction
from models.drafts import discard_draft as discard
from models.drafts import save_draft as save
from models.feed import news
from models.letters import Letter
from models.mail import send_mail as send
from models.mailboxes import MailFolder, is_unread_there, mail_contains, mail_in, unread_in
from models.messages import any_messages
from models.tables.conversations import Role, messages
from models.text import BODY_LENGTH, contains
from resolvers.asked import Asked, Field
from resolvers.context import Context, Given
from resolvers.ids import number, numbers, spelled
from resolvers.lookahead import Finished
from resolvers.messages import change_copies, changed_messages, given_ids
from resolvers.paging import Page
from resolvers.projection import Column, Entry, One, OneOf, Projection, Rendered
from resolvers.statement import VIEWER, Arguments, Expression, Row, given

WORKED_OUT_AT_ONCE = 1_000
"""Characters of a body that the writer cleans in passing; longer ones are cleaned beforehand, beside it."""


# ------------------------------------------------------------------------------------------ folders


def _mail(folder: MailFolder, _: Row, arguments: Arguments) -> Select[Any]:
    found = mail_in(VIEWER, folder)
    if arguments.flag("unreadOnly"):
        found = found.where(is_unread_there())
    if "search" in arguments:
        found = found.where(mail_contains(arguments.bind("search", contains)))
    return found


class _InFolder(Page):
    """The mail in the folder that the row names: for each folder a page of its own, with an index of its own."""

    def render(self, field: Field, row: Row) -> Rendered:
        pages = {
            folder: replace(
                self, source=partial(_mail, folder), keys=("id",) if folder is MailFolder.DRAFTS else self.keys
            )
            for folder in MailFolder
        }
        found = {folder: Page.render(page, field, row) for folder, page in pages.items()}
        chosen = case(*((row.folder == folder, each.expression) for folder, each in found.items()))
        return Rendered(chosen, found[MailFolder.INBOX].load)


def _unread_count(row: Row) -> Expression:
    return case(*((row.folder == folder, unread_in(VIEWER, folder)) for folder in MailFolder))


def _mailbox(_: Row, arguments: Arguments) -> Select[Any]:
    return select(arguments.bind("folder").label("folder"))


MAILBOX = One("Mailbox", _mailbox, arguments=frozenset({"folder"}))
"""The entry of a viewer's mailbox."""

Projection(
    "Mailbox",
    folder=Column(),
    unread_count=Column(_unread_count),
    messages=_InFolder(
        "Message",
        partial(_mail, MailFolder.INBOX),
        keys=("event",),
        newest=True,
        arguments=frozenset({"unreadOnly", "search"}),
    ),
)
