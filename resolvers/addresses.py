"""To whom is a mail addressed, as its reader may know?"""

from typing import Any

from sqlalchemy import Select

from models.addresses import MOST_ADDRESSES, addressed_blindly, addressed_openly
from models.authorization.conversations import SEES_BLIND_RECIPIENTS, SEES_MESSAGE
from models.tables.conversations import Role
from resolvers.projection import OneOf
from resolvers.recipients import RECIPIENTS
from resolvers.statement import VIEWER, Arguments, Row


def _to(row: Row, _: Arguments) -> Select[Any]:
    return addressed_openly(row.id, Role.TO).limit(MOST_ADDRESSES)


def _cc(row: Row, _: Arguments) -> Select[Any]:
    return addressed_openly(row.id, Role.CC).limit(MOST_ADDRESSES)


def _bcc(row: Row, _: Arguments) -> Select[Any]:
    return addressed_blindly(VIEWER, row).limit(MOST_ADDRESSES)


TO, CC = (OneOf(source, RECIPIENTS.scopes, for_each=True, seen_by=SEES_MESSAGE) for source in (_to, _cc))
BCC = OneOf(_bcc, RECIPIENTS.scopes, for_each=True, seen_by=SEES_BLIND_RECIPIENTS)
"""The entries of a message: people and audiences as they were called."""
