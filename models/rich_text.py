"""What of a rich body is stored, and what of it does a reader get? (M1)

`nh3` parses a body as a browser does and writes it anew with the tags, attributes and addresses named here, and
nothing else: its output is what is stored. Pictures, sounds and films are the mail's own attachments; whatever
would be loaded from elsewhere is dropped. A reader gets addresses that work for a short time in their place.
"""

import html
import re
from collections.abc import Callable, Collection
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
"""How many elements a parser may have to make at most. It opens anew, in every paragraph, whatever formatting was
left open before: so 20,000 characters can become millions of elements."""

REFERENCE = "attachment:Attachment_"
"""How a body names one of its files, by its number."""

_REFERENCE = re.compile(REFERENCE + r"[1-9][0-9]{0,17}", re.ASCII)
_ADDRESS = re.compile(r"https?://[^?#\s]+/attachments/(Attachment_[0-9]+)/[^/?#\s]*(?:\?[^\s]*)?", re.ASCII)
"""What a reader gets in its place, so that a draft can be read, changed and saved again: only the name is kept."""
_PLACE = re.compile(r'(<(?:img|audio|video) [^<>]*?)src="attachment:Attachment_([0-9]+)"', re.ASCII)
_FORMATTING = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
_NEVER_CLOSED = {"br", "hr", "img", "wbr"}
_OTHERS = {"p", "div", "span", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "sub", "sup"}
_VALUE = r"""=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+)"""
_TAG = re.compile(rf"<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:{_VALUE})?)*)\s*/?>", re.ASCII | re.IGNORECASE)
_MAY_DIFFER = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})[\s/]", re.ASCII | re.IGNORECASE)

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@lru_cache(maxsize=32)
def cleaned(body: str) -> str | None:
    """What is stored of a body; None where nothing can be: it would grow beyond all bounds, or names control
    characters. It may be blank.

    Takes a few milliseconds for the longest body, some 100 for the most malicious one: what is worked out
    beforehand, outside the writer, is found here when it is stored.
    """
    if _work(body) > MOST_WORK:
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


def naming_only(stored: str, numbers: Collection[int]) -> str:
    """The body without the names of other files than these: their places stay empty."""
    return _PLACE.sub(lambda found: found[0] if int(found[2]) in numbers else found[1].rstrip(), stored)


def with_addresses(stored: str, address: Callable[[int], str]) -> str:
    """The body with an address for each file that it names, by its number."""
    return _PLACE.sub(lambda found: f'{found[1]}src="{html.escape(address(int(found[2])))}"', stored)


def _work(body: str) -> int:
    """How many elements the body can become, and not much more than that where its tags are in good order."""
    in_order = _work_in_order(body)
    if in_order is not None:
        return in_order
    without_attributes = 3 * len(_FORMATTING)  # equal ones are opened anew three times at most
    return (len(_MAY_DIFFER.findall(body)) + without_attributes) * body.count("<")


def _work_in_order(body: str) -> int | None:
    """The same when every tag is a plain one and closed inside the one around it; else None.

    Then what is open before a tag, and no more, may have to be opened anew for it.
    """
    path: list[str] = []
    count = work = formatting = 0
    for tag in _TAG.finditer(body):
        name = tag[2].lower()
        count += 1
        if name in _NEVER_CLOSED:
            work += 1 + formatting
        elif name not in _FORMATTING and name not in _OTHERS:
            return None
        elif not tag[1]:
            work += 1 + formatting
            formatting += name in _FORMATTING
            path.append(name)
        elif path and path[-1] == name:
            work += formatting
            formatting -= name in _FORMATTING
            path.pop()
        else:
            return None
    return work if count == body.count("<") and not path else None


def _kept(_: str, attribute: str, value: str) -> str | None:
    """The value of an attribute; None where it goes."""
    if attribute == "src":
        read = _ADDRESS.fullmatch(value)
        named = f"attachment:{read[1]}" if read else value
        return named if _REFERENCE.fullmatch(named) else None
    if attribute == "href":
        return value if value.strip().lower().startswith(LINKS) else None
    return "" if attribute == "controls" else value
