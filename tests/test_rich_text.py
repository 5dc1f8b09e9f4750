"""What is left of markup that somebody sends, and what does a reader get?"""

import html
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rich_text import LONGEST, cleaned, is_blank, naming_only, with_addresses
from models.tables.conversations import messages
from tests.api import Api
from tests.listening import cursor
from tests.mailing import CLASSMATE, CURATOR, LEARNER, PRINCIPAL, MailSchool, letter, save, send
from tests.steps import show

ALLOWED = {
    **dict.fromkeys(
        ["p", "br", "b", "strong", "i", "em", "u", "s", "ul", "ol", "li", "blockquote", "h1", "h2", "h3"],
        frozenset(),
    ),
    "a": {"href", "rel"},
    "img": {"src", "alt"},
    "audio": {"src", "controls"},
    "video": {"src", "controls"},
}


class Reader(HTMLParser):
    """What a reader that knows nothing of the program finds in stored markup."""

    def __init__(self, stored: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(stored)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name not in ALLOWED.get(tag, ()):
                self.faults.append(f"{tag} {name}")
            elif name == "src" and not (value or "").startswith("attachment:Attachment_"):
                self.faults.append(f"{tag} loads {value}")
            elif name == "href" and urlsplit(value or "").scheme.strip() not in ("http", "https", "mailto"):
                self.faults.append(f"link to {value}")
        if tag not in ALLOWED:
            self.faults.append(tag)

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data}")


def holds(stored: str) -> None:
    """Nothing but what is allowed, and nothing more to clean."""
    assert Reader(stored).faults == []
    assert cleaned(stored) == stored


# ----------------------------------------------------------------------------------------- what stays


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Sortie</h1><h2>Jeudi</h2><h3>8 h</h3><p>Voir <b>bien</b> <strong>le</strong> <i>plan</i></p>",
        "<p><em>ici</em> <a>ou là</a></p>".replace("<a>", '<a rel="noopener noreferrer">'),
        "<p><u>un</u> <s>deux</s><br>trois</p><ul><li>a</li></ul><ol><li>b</li></ol><blockquote>c</blockquote>",
        '<img src="attachment:Attachment_1" alt="Plan"><video src="attachment:Attachment_2" controls=""></video>',
        '<audio controls="" src="attachment:Attachment_123456789012345678"></audio>',
        "plain text, 1 &lt; 2 &amp; 3\n",
    ],
)
def test_M1_what_is_allowed_stays_as_it_is(body: str) -> None:
    assert cleaned(body) == body
    holds(body)


def test_links_stay_and_open_nothing_here() -> None:
    assert (
        cleaned('<a href="https://example.org/?a=1&amp;b" target="_blank" rel="opener">x</a>')
        == '<a href="https://example.org/?a=1&amp;b" rel="noopener noreferrer">x</a>'
    )
    assert cleaned('<a href="mailto:a@example.org">x</a>') == (
        '<a href="mailto:a@example.org" rel="noopener noreferrer">x</a>'
    )


# ------------------------------------------------------------------------------------------ what goes

NASTY = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<p onclick='alert(1)' onmouseover=alert(1) style='background:url(//evil.example)'>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a><a href='file:///etc/passwd'>x</a><a href='//evil.example'>x</a><a href='/x'>x</a>",
    "<a href='attachment:Attachment_1'>x</a>",
    "<img src='https://evil.example/a.png'><img src='//evil.example'><img src='data:image/png;base64,AAAA'>",
    "<img src='attachment:Attachment_1' srcset='https://evil.example 1x' style='x' width=1>",
    "<img src=' attachment:Attachment_1'><img src='attachment:Attachment_0'><img src='ATTACHMENT:Attachment_1'>",
    "<img src='attachment:Attachment_1/../../x'><img src='attachment:javascript:alert(1)'>",
    "<video poster='https://evil.example' src='attachment:Attachment_1'><source src='https://evil.example'></video>",
    "<audio src='https://evil.example' autoplay></audio><track src='https://evil.example'>",
    "<style>@import url(https://evil.example);</style><link rel=stylesheet href=https://evil.example>",
    "<iframe src='https://evil.example'></iframe><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='https://evil.example'><embed src='https://evil.example'></object><applet></applet>",
    "<form action='https://evil.example'><input name=x><button formaction='javascript:alert(1)'>x</button></form>",
    "<base href='https://evil.example'><meta http-equiv=refresh content='0;https://evil.example'>",
    "<svg><script>alert(1)</script><image href='https://evil.example'/><use href='https://evil.example'/></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template><textarea></textarea><img src=x onerror=alert(1)>",
    "<title><p title='</title><img src=x onerror=alert(1)>'></title>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<!--><img src=x onerror=alert(1)>--><!-- --!><img src=x onerror=alert(1)>",
    "<![CDATA[<img src=x onerror=alert(1)>]]><?php echo 1 ?><!DOCTYPE html>",
    "<img alt='<script>alert(1)</script>' src='attachment:Attachment_1'>",
    "<img alt='\"onerror=alert(1)' src='attachment:Attachment_1'>",
    "<p>`${alert(1)}` {{constructor.constructor('alert(1)')()}}</p>",
    "<p id=x class=y name=z data-x=1 contenteditable hidden>x</p><p/onclick=alert(1)>x",
    "<a name=x ping=https://evil.example download href=https://example.org>x</a>",
    "<frameset onload=alert(1)></frameset><body onload=alert(1)><html manifest=x>",
    "<plaintext><script>alert(1)</script>",
    "<b><p></b></i></p></u><table><tr><td><b>x<p>",
    "\ufeff<p>\u202ex</p>\u2028",
    "<" * 500,
    "&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;script&amp;gt;",
]


@pytest.mark.parametrize("body", NASTY)
def test_nothing_else_is_stored(body: str) -> None:
    stored = cleaned(body)
    assert stored is not None
    holds(stored)
    assert "evil.example" not in stored.replace("&", "") or "evil.example" in html.unescape(body)
    assert "https://evil.example" not in stored


PIECES = """<p>|</p>|<b>|</b>|<a href='|'>|">|<img src=|attachment:Attachment_1|<svg>|<math>|<style>|</style>|<!--
|-->|<script>|</script>|onerror=alert(1)|<table>|<mtext>|<td>|<template>|<select>|<title>|</title>|<noscript>
|javascript:|&lt;|&#x3c;|'|"|>|<|<mglyph>|<foreignObject>|</svg>|<br>|/|=| |x|<textarea>|]]>|<![CDATA["""
WORDS = st.sampled_from(PIECES.replace("\n", "").split("|"))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_whatever_is_put_together_is_cleaned_once_for_all(body: str) -> None:
    stored = cleaned(body)
    assert stored is not None
    holds(stored)


@pytest.mark.parametrize(
    "body",
    [
        "<p>"
        + "".join(f"<b {a}{b}>" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghij")
        + "<p>x" * 4_000,
        "<p>" + "".join(f"<font/{n}>" for n in range(1_000)) + "<p>x" * 2_000,
    ],
)
def test_markup_that_would_grow_beyond_all_bounds_is_refused(body: str) -> None:
    assert len(body) <= 20_000
    assert cleaned(body) is None


@pytest.mark.parametrize(
    "piece", ["<b>", "<blockquote>", "<ul><li>", "<div>", "<table><b>x", "<a><p>", "<p><i>x", "<!--"]
)
def test_markup_that_nests_without_end_stays_small(piece: str) -> None:
    stored = cleaned((piece * 20_000)[:20_000])
    assert stored is None or len(stored) <= LONGEST


def test_a_long_mail_as_people_write_it_is_no_bomb() -> None:
    line = (
        '<p class="MsoNormal"><b style="color:red">Lundi</b>, <a href="https://example.org/plan">le plan</a></p>'
    )
    body = line * (20_000 // len(line))
    stored = cleaned(body)
    assert stored is not None
    assert stored.count("<b>") == stored.count("<a ") == body.count("Lundi")


@pytest.mark.parametrize("named", ["a&#7;b", "a&#x1b;b", "<p title='&#7;'>&#127;</p>"])
def test_control_characters_cannot_be_named(named: str) -> None:
    assert cleaned(named) is None


@pytest.mark.parametrize(
    ("body", "blank"),
    [
        ("<p> </p>", True),
        ("<p>&nbsp;<br></p>", True),
        ("&#8203;", True),
        ("<img>", True),
        ("<img src='https://evil.example'>", True),
        ("<script>x</script>", True),
        ("<p>.</p>", False),
        ("<audio src='attachment:Attachment_1'></audio>", False),
        ("&lt;", False),
    ],
)
def test_what_nobody_can_read_see_or_hear_is_blank(body: str, blank: bool) -> None:
    stored = cleaned(body)
    assert stored is not None
    assert is_blank(stored) is blank


# ------------------------------------------------------------------------------------- what is read


def test_places_are_filled_and_texts_are_left_alone() -> None:
    stored = cleaned(
        '<p>src="attachment:Attachment_1"</p><img alt=\'src="attachment:Attachment_1"\' '
        "src='attachment:Attachment_1'><video src='attachment:Attachment_2'></video>"
    )
    assert stored is not None
    assert naming_only(stored, [1, 2]) == stored
    shown = with_addresses(naming_only(stored, [1]), lambda number: f'https://s.example/{number}"&<')
    assert shown == (
        '<p>src="attachment:Attachment_1"</p><img alt="src=&quot;attachment:Attachment_1&quot;" '
        'src="https://s.example/1&quot;&amp;&lt;"><video></video>'
    )


@pytest.fixture
async def school(api: Api) -> AsyncIterator[MailSchool]:
    yield MailSchool(api)


async def test_reading_gives_an_address_for_each_file_of_the_mail(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    mine, other = school.upload(author, "plan.png"), school.upload(author, "secret.png")
    await send(author, school(CLASSMATE), attachmentIds=[other])
    plan = f'<p>Plan</p><img alt="Plan" src="attachment:{mine}">'
    body = f'{plan}<img src="attachment:{other}"><img src="attachment:Attachment_99">'
    mail = await send(author, learner, body=body, attachmentIds=[mine])
    stored = school.api.rows(messages)[-1]
    assert (stored.body, stored.format) == (f"{plan}<img><img>", "RICH")
    for reader in (author, learner):
        shown = await show(reader, mail, "body format attachments { url }")
        (url,) = [each["url"] for each in shown["attachments"]]
        assert url.startswith(f"https://school.example/attachments/{mine}/plan.png?signature=")
        assert shown["body"] == f'<p>Plan</p><img alt="Plan" src="{html.escape(url)}"><img><img>'
        assert shown["format"] == "RICH"
    document = """{ viewer { mailbox(folder: INBOX) { messages { nodes { body } } }
        feed { nodes { subject { ... on Message { body } } } } } }"""
    viewer = (await learner.ask(document))["viewer"]
    assert viewer["mailbox"]["messages"]["nodes"] == [{"body": shown["body"]}]
    assert viewer["feed"]["nodes"] == [{"subject": {"body": shown["body"]}}]
    document = "subscription($after: String) { messageReceived(after: $after) { message { body } } }"
    async with learner.listening(document, after=await cursor(learner)) as arrivals:
        await send(
            author,
            learner,
            body=f'<img src="attachment:{(again := school.upload(author))}">',
            attachmentIds=[again],
        )
        assert again in (await arrivals.next())["message"]["body"]
        assert "attachment:" not in (await show(learner, mail, "body"))["body"]


async def test_a_picture_of_another_mail_is_nothing_to_see(school: MailSchool) -> None:
    author = school(CURATOR)
    other = school.upload(author)
    await send(author, school(CLASSMATE), attachmentIds=[other])
    body = f'<img src="attachment:{other}">'
    await author.invalid("body", "sendMail", mail=letter(school(LEARNER), body=body))
    draft = await save(author, body=body)
    assert await show(author, draft, "body") == {"body": ""}


async def test_a_draft_is_cleaned_when_it_is_stored(school: MailSchool) -> None:
    author = school(CURATOR)
    draft = await save(author, body="<p onclick=x>Bonjour<script>x</script>")
    assert school.api.rows(messages)[-1].body == "<p>Bonjour</p>"
    assert await show(author, draft, "body") == {"body": "<p>Bonjour</p>"}


async def test_a_draft_that_was_read_can_be_saved_again(school: MailSchool) -> None:
    author = school(CURATOR)
    file = school.upload(author, "Plan é & ü.png")
    body = (
        f'<p>Plan</p><img alt="Plan" src="attachment:{file}"><video controls="" src="attachment:{file}"></video>'
    )
    draft = await save(author, body=body, attachmentIds=[file])
    read = (await show(author, draft, "body"))["body"]
    assert read.count("/attachments/") == 2
    await save(author, draft=draft, body=read, attachmentIds=[file])
    assert school.api.rows(messages)[-1].body == body


async def test_where_bodies_are_plain_they_are_stored_as_sent(school: MailSchool) -> None:
    school.turn(bodyFormat="TEXT")
    author, learner = school(CURATOR), school(LEARNER)
    body = '<script>x</script> 1 < 2 & <img src="attachment:Attachment_1">\n'
    mail = await send(author, learner, body=body)
    assert await show(learner, mail, "body format") == {"body": body, "format": "TEXT"}
    school.turn()
    assert await show(learner, mail, "body format") == {"body": body, "format": "TEXT"}


async def test_bombs_are_a_wrong_shape(school: MailSchool) -> None:
    bomb = "<p>" + "".join(f"<b {n}>" for n in range(1_000)) + "<p>x" * 2_000
    for mutation in ("sendMail", "saveDraft"):
        await school(PRINCIPAL).invalid("body", mutation, mail=letter(school(LEARNER), body=bomb))
