"""What does somebody write who writes a mail, and may it be stored like that?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from models import rich_text
from models.addresses import MOST_ADDRESSES, Address
from models.errors import Code, Refused
from models.policy import BodyFormat, Policy
from models.tables.conversations import Role
from models.text import body, is_blank, subject

FIELDS = {Role.TO: "to", Role.CC: "cc", Role.BCC: "bcc"}


@dataclass(frozen=True)
class Letter:
    """A mail as a whole (M5-M8). The addresses are in the order of their roles."""

    addresses: Sequence[Address] = ()
    subject: str = ""
    body: str = ""
    attachment_ids: Sequence[int] = ()
    parent_id: int | None = None

    def content(self) -> dict[str, Any]:
        """All of it as JSON, to know it again."""
        return asdict(self)


def finished(letter: Letter, policy: Policy) -> Letter:
    """The letter as it is sent under this policy; the subject may be empty, the body may not (MA6).

    Raises INVALID_INPUT, and NO_RECIPIENT when nobody is addressed.
    """
    checked = unfinished(letter, policy)
    if not checked.body:
        raise Refused(Code.INVALID_INPUT, field="body")
    if not checked.addresses:
        raise Refused(Code.NO_RECIPIENT, field="to")
    return checked


def unfinished(letter: Letter, policy: Policy) -> Letter:
    """The letter as it is kept in a draft: whatever is missing. Raises INVALID_INPUT."""
    written = 0
    for role, count in Counter(each.role for each in letter.addresses).items():
        written += count
        if written > MOST_ADDRESSES:
            raise Refused(Code.INVALID_INPUT, field=FIELDS[role])
    return replace(letter, subject=subject("subject", letter.subject), body=_body(letter, policy))


def _body(letter: Letter, policy: Policy) -> str:
    """What is stored of a body; empty where nobody would read, see or hear anything."""
    text = body("body", letter.body, may_be_blank=True)
    if is_blank(text):
        return ""
    if policy.body_format is BodyFormat.TEXT:
        return text
    stored = rich_text.cleaned(text)
    if stored is None:
        raise Refused(Code.INVALID_INPUT, field="body")
    stored = rich_text.naming_only(stored, letter.attachment_ids)
    return "" if rich_text.is_blank(stored) else stored
