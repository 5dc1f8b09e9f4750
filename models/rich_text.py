"""What of a rich body is stored, and what of it does a reader get? (M1)

`nh3` parses a body as a browser does and writes it anew with the tags, attributes and addresses named here, and
nothing else: its output is what is stored. Pictures, sounds and films are the mail's own attachments; whatever
would be loaded from elsewhere is dropped. A reader gets addresses that work for a short time in their place.
"""

import html
import re
from collections.abc import Callable
from functools import lru_cache

import nh3

from models.text import is_blank as blank

TEXT_TAGS = {"p", "br", "b", "strong", "i", "em", "u", "s", "a", "ul", "ol", "li", "blockquote", "h1", "h2", "h3"}
MEDIA_TAGS = {"img", "audio", "video"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "audio": {"src", "controls"}, "video": {"src", "controls"}}
WITHOUT_THEIR_CONTENT = {"script", "style", "template", "iframe", "object", "noscript"}
LINKS = ("http://", "https://", "mailto:")

LONGEST = 100_000
"""Characters of what is stored. Closing what was left open, and marking links, make a body longer."""

MOST_WORK = 400_000
"""Elements that a parser may have to make. It opens anew, in every paragraph, whatever was left open before: then
20,000 characters can become millions of elements."""

REFERENCE = "attachment:Attachment_"
"""How a body names one of its files, by its number."""

_REFERENCE = re.compile(REFERENCE + r"[1-9][0-9]{0,17}", re.ASCII)
_PLACE = re.compile(r'(<(?:img|audio|video) [^<>]*?)src="attachment:Attachment_([0-9]+)"', re.ASCII)
_STAYS_OPEN = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE)
_PLAIN_ONES = 42
"""Each of these fourteen is opened anew three times at most, unless attributes make them differ."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@lru_cache(maxsize=32)
def cleaned(body: str) -> str | None:
    """What is stored of a body; None where nothing can be: it would grow beyond all bounds, or names control
    characters. It may be blank.

    Takes a few milliseconds for the longest body, some 100 for the most malicious one: what is worked out
    beforehand, outside the writer, is found here when it is stored.
    """
    if (len(_STAYS_OPEN.findall(body)) + _PLAIN_ONES) * body.count("<") > MOST_WORK:
        return None
    kept = nh3.clean(
        body,
        tags=TEXT_TAGS | MEDIA_TAGS,
        clean_content_tags=WITHOUT_THEIR_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto", "attachment"},
        url_relative="deny",
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    return None if len(kept) > LONGEST or _CONTROLS.search(kept) else kept


def is_blank(stored: str) -> bool:
    """Whether there is nothing to read, to see or to hear."""
    return not _PLACE.search(stored) and blank(html.unescape(nh3.clean(stored, tags=set())))


def with_addresses(stored: str, address: Callable[[int], str | None]) -> str:
    """The body with an address for each attachment, by its number; without one the place stays empty."""

    def place(found: re.Match[str]) -> str:
        known = address(int(found[2]))
        return found[1].rstrip() if known is None else f'{found[1]}src="{html.escape(known)}"'

    return _PLACE.sub(place, stored)


def _kept(_: str, attribute: str, value: str) -> str | None:
    """The value of an attribute; None where it goes."""
    if attribute == "src":
        return value if _REFERENCE.fullmatch(value) else None
    if attribute == "href":
        return value if value.strip().lower().startswith(LINKS) else None
    return "" if attribute == "controls" else value
