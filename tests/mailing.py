"""How do people of the school next door write mail in the tests? It follows the portal's preset there."""

from typing import Any

from models.attachments import File, expect_file, keep_file
from models.organization import organization_called, set_policy
from models.presets import PRESETS
from models.tables.conversations import attachments, deliveries
from models.tables.people import users
from tests.api import Api, Person
from tests.school import NEXT_DOOR

PRINCIPAL, SECRETARY, LIBRARIAN = "principale", "secretariat", "library"
CURATOR, OTHER_CURATOR = "pp.3a", "pp.4b"
TEACHER, TEACHER_OF_BOTH = "prof.anglais", "prof.russe"  # of 3e A; of one learner in each class
LEARNER, CLASSMATE, THIRD = "eleve.3a.1", "eleve.3a.2", "eleve.3a.3"
OTHER_LEARNER = "eleve.4b.1"
PARENT, OTHER_PARENT = "parent.3a.1", "parent.3a.2"  # of learners in both classes; of one in 3e A
STRANGER = "parent.4b.1"  # shares no chat with these
CLASS, OTHER_CLASS = "3e A", "4e B"
IN_CLASS = ("eleve.3a.1", "eleve.3a.2", "eleve.3a.3", "eleve.3a.4", "eleve.3a.5")
PARENTS_OF_CLASS = ("parent.3a.1", "parent.3a.2", "parent.3a.3", "parent.3a.4", "parent.3a.5")

ADDRESSED = """
    to { ... on User { login } ... on Audience { name } }
    cc { ... on User { login } ... on Audience { name } }
    bcc { ... on User { login } ... on Audience { name } }
"""


class MailSchool:
    """The school next door, where people write mail."""

    def __init__(self, api: Api, **knobs: Any) -> None:
        self.api = api
        self.turn(**knobs)

    def __call__(self, login: str) -> Person:
        return self.api.as_(login, NEXT_DOOR)

    def turn(self, **knobs: Any) -> None:
        """The portal's policy with these knobs."""
        with self.api.database.transaction() as tx:
            school = organization_called(tx, NEXT_DOOR)
            set_policy(tx, school.id, "ENT", PRESETS["ENT"].with_knobs(knobs))

    def audience(self, position: str, group: str = CLASS) -> str:
        """The id of an audience."""
        return f"Audience_{self.api.group(group).partition('_')[2]}_{position}"

    def upload(self, person: Person, name: str = "a.png", *, size: int = 10) -> str:
        """The id of a file that the person has uploaded, as the server keeps it."""
        assert person.viewer is not None
        with self.api.database.transaction() as tx:
            count = len(self.api.rows(attachments))
            file = File(f"key-{count}", name, "image/png", size, "0" * 64)
            expect_file(tx, person.viewer, file.storage_key)
            return f"Attachment_{keep_file(tx, person.viewer, file)}"


async def send(author: Person, *to: Any, **mail: Any) -> str:
    """The id of a mail that the author sends to these people and audiences."""
    made = await author.do("sendMail", "sent { id }", mail=letter(*to, **mail))
    return str(made["sent"]["id"])


async def save(author: Person, *to: Any, draft: str | None = None, **mail: Any) -> str:
    """The id of a draft."""
    made = await author.do("saveDraft", "draft { id }", mail=letter(*to, **mail), draftId=draft)
    return str(made["draft"]["id"])


def letter(*to: Any, subject: str = "Sujet", body: str = "Bonjour", **mail: Any) -> dict[str, Any]:
    """A mail as it is given: people stand for their ids."""

    def ids(whom: Any) -> list[str]:
        return [each.id if isinstance(each, Person) else each for each in whom]

    for role in {"cc", "bcc"} & mail.keys():
        mail[role] = ids(mail[role])
    return {"to": ids(to), "subject": subject, "body": body, **mail}


async def folder(person: Person, name: str = "INBOX", **chosen: Any) -> list[str]:
    """The subjects in a folder, oldest first."""
    document = """query($folder: MailFolder!, $unreadOnly: Boolean, $search: String) { viewer {
        mailbox(folder: $folder) { folder messages(unreadOnly: $unreadOnly, search: $search) {
            nodes { subject } totalCount } } } }"""
    box = (await person.ask(document, folder=name, **chosen))["viewer"]["mailbox"]
    assert box["folder"] == name
    assert box["messages"]["totalCount"] == len(box["messages"]["nodes"])
    return [mail["subject"] for mail in box["messages"]["nodes"]]


async def folders(person: Person) -> dict[str, list[str]]:
    """What lies where; empty folders are left out."""
    found = {name: await folder(person, name) for name in ("INBOX", "SENT", "DRAFTS", "TRASH")}
    return {name: subjects for name, subjects in found.items() if subjects}


async def unread(person: Person) -> tuple[int, int]:
    """The inbox's number in brackets, and the badge."""
    document = "{ viewer { mailbox(folder: INBOX) { unreadCount } badges { unreadMail } } }"
    viewer = (await person.ask(document))["viewer"]
    return viewer["mailbox"]["unreadCount"], viewer["badges"]["unreadMail"]


async def addressed(person: Person, mail: str) -> dict[str, list[str]]:
    """To whom a mail is addressed, as this person sees it."""
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on Message {{ {ADDRESSED} }} }} }}"
    shown = (await person.ask(document, id=mail))["node"]
    return {
        role: [each.get("login") or each["name"] for each in called] for role, called in shown.items() if called
    }


def received(school: MailSchool, mail: str) -> dict[str, str | None]:
    """Who has got a mail, as what: login -> TO, CC, BCC, or None for its author alone."""
    logins = {user.id: user.login for user in school.api.rows(users)}
    number = int(mail.partition("_")[2])
    return {
        logins[copy.user_id]: copy.received_as for copy in school.api.rows(deliveries) if copy.message_id == number
    }
