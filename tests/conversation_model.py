"""What should be stored, counted and heard in conversations? Said again in plain Python, slow and simple.

Shares nothing with the program but the names of refusals. Ids and numbers of events are the program's own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Refusal(Exception):
    """What the program must answer; nothing has changed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Event(NamedTuple):
    """What happened. `person`: it is his alone; None: it concerns all who take part."""

    number: int
    kind: str
    conversation: str
    message: str | None = None
    person: str | None = None


class Heard(NamedTuple):
    """One event as a subscription tells it: its number, what it is about, and what is shown of that."""

    number: int
    subject: str
    shown: str | None


@dataclass
class Stay:
    """Somebody takes part from one event to another."""

    person: str
    joined: int
    left: int | None = None
    is_administrator: bool = False
    is_muted: bool = False


@dataclass
class Copy:
    """A person's own copy of a message."""

    is_read: bool
    is_deleted: bool = False


@dataclass
class Message:
    id: str
    conversation: str
    author: str
    body: str
    event: int
    copies: dict[str, Copy]


@dataclass
class Conversation:
    """`listed`: the event by which it stands in a person's list."""

    id: str
    title: str
    stays: list[Stay] = field(default_factory=list)
    listed: dict[str, int] = field(default_factory=dict)

    def stay(self, person: str) -> Stay | None:
        return next((stay for stay in self.stays if stay.person == person and stay.left is None), None)

    def present(self) -> dict[str, Stay]:
        return {stay.person: stay for stay in self.stays if stay.left is None}

    def is_visible_to(self, person: str) -> bool:
        return person in self.listed or self.stay(person) is not None

    def seen_taking_part(self, viewer: str) -> dict[str, bool]:
        """Person -> whether administrator. Who has left sees who was there then."""
        if self.stay(viewer):
            return {person: stay.is_administrator for person, stay in self.present().items()}
        end = max(stay.left or 0 for stay in self.stays if stay.person == viewer)
        return {
            stay.person: stay.is_administrator
            for stay in self.stays
            if stay.joined <= end and (stay.left is None or stay.left >= end)
        }


class Model:
    """Group conversations of one school, from the event `last` on."""

    def __init__(self, last: int) -> None:
        self.first = self.last = last
        self.events: list[Event] = []
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, Message] = {}
        self.keys: dict[tuple[str, str], tuple[tuple[str, str], str]] = {}
        """(person, key) -> (what was sent, the message)."""
        self.reports: list[tuple[str, str]] = []
        """(message, who reported it), in order."""

    # ------------------------------------------------------------------------------- what people do

    def create(self, actor: str, id_: str, title: str, others: Collection[str]) -> None:
        there = self.conversations[id_] = Conversation(id_, title)
        number = self._happens("conversation", id_)
        there.stays = [Stay(person, number, is_administrator=person == actor) for person in {*others, actor}]
        there.listed[actor] = number

    def rename(self, actor: str, id_: str, title: str) -> None:
        there = self._administered(actor, id_)
        if there.title != title:
            there.title = title
            self._happens("conversation", id_)

    def add(self, actor: str, id_: str, people: Collection[str]) -> None:
        there = self._administered(actor, id_)
        if joining := set(people) - there.present().keys():
            number = self._happens("conversation", id_)
            there.stays += [Stay(person, number) for person in joining]

    def remove(self, actor: str, id_: str, people: Collection[str]) -> None:
        there = self._administered(actor, id_)
        present = there.present()
        staying = present.keys() - set(people)
        if staying and not any(present[person].is_administrator for person in staying):
            raise Refusal("LAST_ADMINISTRATOR")
        self._end(there, present.keys() & set(people))

    def appoint(self, actor: str, id_: str, person: str, *, is_administrator: bool) -> None:
        there = self._visible(actor, id_)
        stay = there.stay(person)
        if stay is None:
            raise Refusal("NOT_FOUND")
        self._administered(actor, id_)
        if stay.is_administrator == is_administrator:
            return
        if not is_administrator and self._administrators(there) == {person}:
            raise Refusal("LAST_ADMINISTRATOR")
        stay.is_administrator = is_administrator
        self._happens("conversation", id_)

    def leave(self, actor: str, id_: str, successor: str | None) -> None:
        """`successor`: whom the program chose of `successors`."""
        there = self._visible(actor, id_)
        if there.stay(actor) is None:
            return
        chosen = self.successors(actor, id_)
        assert successor in chosen if chosen else successor is None
        if successor is not None:
            there.present()[successor].is_administrator = True
        self._end(there, {actor})

    def successors(self, actor: str, id_: str) -> set[str]:
        """Of whom one becomes administrator when the actor leaves: those who have been there longest."""
        there = self.conversations[id_]
        others = {person: stay for person, stay in there.present().items() if person != actor}
        if actor not in there.present() or any(stay.is_administrator for stay in others.values()):
            return set()
        first = min((stay.joined for stay in others.values()), default=0)
        return {person for person, stay in others.items() if stay.joined == first}

    def mute(self, actor: str, id_: str, *, muted: bool) -> None:
        stay = self._taking_part(actor, id_)
        if stay.is_muted != muted:
            stay.is_muted = muted
            self._happens("conversation", id_, person=actor)

    def may_send(self, actor: str, id_: str, body: str, key: str) -> str | None:
        """The message of the same call before, if it is a repetition."""
        if (actor, key) in self.keys:
            content, before = self.keys[actor, key]
            if content != (id_, body):
                raise Refusal("IDEMPOTENCY_CONFLICT")
            return before
        self._taking_part(actor, id_)
        return None

    def send(self, actor: str, id_: str, body: str, key: str, message_id: str) -> None:
        there = self.conversations[id_]
        number = self._happens("sent", id_, message=message_id)
        copies = {person: Copy(is_read=person == actor) for person in there.present()}
        self.messages[message_id] = Message(message_id, id_, actor, body, number, copies)
        self.keys[actor, key] = ((id_, body), message_id)
        there.listed |= dict.fromkeys(copies, number)

    def mark_read(self, actor: str, id_: str, up_to: int | None) -> None:
        self._visible(actor, id_)
        for message in self.history(actor, id_):
            if up_to is None or message.event <= up_to:
                self._set_read(actor, message, is_read=True)

    def mark_unread(self, actor: str, ids: Collection[str]) -> None:
        for message in self._seen(actor, ids):
            self._set_read(actor, message, is_read=False)

    def delete(self, actor: str, ids: Collection[str]) -> None:
        found = self._seen(actor, ids)
        for message in found:
            message.copies[actor].is_deleted = True
        for message in found:
            there = self.conversations[message.conversation]
            left = self.history(actor, there.id)
            if actor in there.listed:
                there.listed.pop(actor)
                if left:
                    there.listed[actor] = left[-1].event
            self._happens("changed", there.id, message=message.id, person=actor)

    def report(self, actor: str, id_: str, officers: int) -> None:
        """Only the officers hear of it."""
        (message,) = self._seen(actor, [id_])
        if message.author == actor:
            raise Refusal("NOT_ALLOWED")
        if (id_, actor) not in self.reports:
            self.reports.append((id_, actor))
            self.last += officers

    def hide(self, id_: str, officers: int, in_order: Sequence[str]) -> None:
        """Gone for everybody; `in_order`: people as they are told."""
        message = self.messages[id_]
        there = self.conversations[message.conversation]
        holders = [person for person in in_order if self._sees(person, message)]
        self.last += officers * sum(reported == id_ for reported, _ in self.reports)
        for person in holders:
            message.copies[person].is_deleted = True
        for person in holders:
            left = self.history(person, there.id)
            if there.listed.get(person) == message.event:
                there.listed.pop(person)
                if left:
                    there.listed[person] = left[-1].event
            self._happens("changed", there.id, message=id_, person=person)

    # ------------------------------------------------------------------------------- what is to be seen

    def history(self, viewer: str, id_: str) -> list[Message]:
        """In order; of what was deleted nothing."""
        return [
            message
            for message in self.messages.values()
            if message.conversation == id_ and viewer in message.copies and not message.copies[viewer].is_deleted
        ]

    def unread(self, viewer: str, id_: str) -> int:
        return sum(not message.copies[viewer].is_read for message in self.history(viewer, id_))

    def is_muted(self, viewer: str, id_: str) -> bool:
        stay = self.conversations[id_].stay(viewer)
        return stay is not None and stay.is_muted

    def badges(self, viewer: str) -> dict[str, int]:
        counts = [self.unread(viewer, id_) for id_ in self.conversations if not self.is_muted(viewer, id_)]
        return {"unreadMessages": sum(counts), "unreadConversations": sum(count > 0 for count in counts)}

    def listed(self, viewer: str) -> list[str]:
        """Latest first."""
        places = {id_: there.listed[viewer] for id_, there in self.conversations.items() if viewer in there.listed}
        return sorted(places, key=places.__getitem__, reverse=True)

    def heard(self, viewer: str, name: str, since: int, in_one: str | None = None) -> Iterator[Heard]:
        """What the subscription of this name tells after this event, by the rights of now."""
        for event in self.events:
            if event.number > since and in_one in (None, event.conversation):
                yield from self._told(viewer, name, event)

    def _told(self, viewer: str, name: str, event: Event) -> Iterator[Heard]:
        match name, event.kind:
            case "messageReceived", "sent":
                message = self.messages[event.message or ""]
                if self._sees(viewer, message):
                    yield Heard(event.number, message.id, message.body)
            case "messageChanged", "changed" if event.person == viewer:
                message = self.messages[event.message or ""]
                yield Heard(event.number, message.id, message.body if self._sees(viewer, message) else None)
            case "conversationChanged", "conversation":
                there = self.conversations[event.conversation]
                was_there = any(
                    stay.joined <= event.number <= (stay.left or event.number)
                    for stay in there.stays
                    if stay.person == viewer
                )
                if event.person == viewer or (event.person is None and was_there):
                    yield Heard(event.number, there.id, there.title if there.is_visible_to(viewer) else None)

    # ------------------------------------------------------------------------------------------ below

    def _happens(self, kind: str, id_: str, *, message: str | None = None, person: str | None = None) -> int:
        self.last += 1
        self.events.append(Event(self.last, kind, id_, message, person))
        return self.last

    def _visible(self, actor: str, id_: str) -> Conversation:
        if not self.conversations[id_].is_visible_to(actor):
            raise Refusal("NOT_FOUND")
        return self.conversations[id_]

    def _taking_part(self, actor: str, id_: str) -> Stay:
        stay = self._visible(actor, id_).stay(actor)
        if stay is None:
            raise Refusal("NOT_PARTICIPANT")
        return stay

    def _administered(self, actor: str, id_: str) -> Conversation:
        if not self._taking_part(actor, id_).is_administrator:
            raise Refusal("NOT_ADMINISTRATOR")
        return self.conversations[id_]

    def _administrators(self, there: Conversation) -> set[str]:
        return {person for person, stay in there.present().items() if stay.is_administrator}

    def _end(self, there: Conversation, leaving: Collection[str]) -> None:
        if leaving:
            number = self._happens("conversation", there.id)
            for person in leaving:
                there.present()[person].left = number

    def _sees(self, viewer: str, message: Message) -> bool:
        return viewer in message.copies and not message.copies[viewer].is_deleted

    def _seen(self, actor: str, ids: Collection[str]) -> list[Message]:
        found = [message for message in self.messages.values() if message.id in ids and self._sees(actor, message)]
        if len(found) != len(set(ids)):
            raise Refusal("NOT_FOUND")
        return found

    def _set_read(self, actor: str, message: Message, *, is_read: bool) -> None:
        copy = message.copies[actor]
        if message.author != actor and copy.is_read != is_read:
            copy.is_read = is_read
            self._happens("changed", message.conversation, message=message.id, person=actor)
