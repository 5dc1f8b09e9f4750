"""What may a text contain, and how is it searched?"""

import unicodedata

from models.errors import Code, Refused

NAME_LENGTH = 200
BODY_LENGTH = 20_000


def fold(text: str) -> str:
    """The text as it is searched and sorted: without case, accents and the difference of ё and е.

    й stays a letter of its own: it is no и with an accent.
    """
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text.casefold()).replace("й", "\x00"))
    bare = "".join(character for character in parts if not unicodedata.combining(character))
    return " ".join(bare.replace("\x00", "й").split())


def contains(text: str) -> str:
    """A pattern for LIKE with `\\` as its escape: folded texts that contain this one."""
    folded = fold(text)
    for special in "\\%_":
        folded = folded.replace(special, "\\" + special)
    return f"%{folded}%"


def name(field: str, value: str) -> str:
    """A name or title: 1 to 200 characters after trimming, no control characters, or INVALID_INPUT."""
    trimmed = value.strip()
    if is_blank(trimmed) or len(trimmed) > NAME_LENGTH or any(map(_is_control, trimmed)):
        raise Refused(Code.INVALID_INPUT, field=field)
    return trimmed


def subject(field: str, value: str) -> str:
    """The subject of a mail: up to 200 characters after trimming, maybe none, or INVALID_INPUT."""
    return name(field, value) if value.strip() else ""


def body(field: str, value: str, *, may_be_blank: bool = False) -> str:
    """A message's text, as it was written: 1 to 20,000 characters, not white space alone, no control characters
    but line breaks and tabs; or INVALID_INPUT. A draft's may be blank."""
    if (
        (is_blank(value) and not may_be_blank)
        or len(value) > BODY_LENGTH
        or any(map(_is_control, value.translate(_BREAKS)))
    ):
        raise Refused(Code.INVALID_INPUT, field=field)
    return value


def is_blank(text: str) -> bool:
    """Whether there is nothing to see: white space alone, and what only shapes other characters."""
    return not any(map(_is_seen, text))


_BREAKS = dict.fromkeys(map(ord, "\n\r\t\u2028\u2029"))


def _is_seen(character: str) -> bool:
    """Neither white space nor one of the characters that only shape others."""
    return unicodedata.category(character)[0] not in "ZC"


def _is_control(character: str) -> bool:
    """Control characters, lone surrogates, and the separators that break a line."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
