"""What can happen to a few people of one school, in any order? Each step is done by the API and in the model."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.conversation_stage import OFFICER, OFFICERS, PEOPLE, Stage
from tests.followers import DOCUMENTS, Counter, Follower
from tests.school import CURATOR_9A, DIRECTOR, LEARNER_9A, TEACHER

MOST_CONVERSATIONS, MOST_LINES, MOST_REPORTS = 3, 12, 4

people = st.sampled_from(PEOPLE)
anybody = st.sampled_from((None, None, None, *PEOPLE))
"""None: somebody who may."""

some_people = st.lists(people, min_size=1, max_size=2, unique=True)
one_of = st.integers(0, MOST_CONVERSATIONS - 1)
few = st.integers(0, 3)
flags = st.booleans()
there_is_one = precondition(lambda self: self.model.conversations)
there_is_a_message = precondition(lambda self: self.model.messages)


class Story(Stage):
    """What happens to a few people of one school."""

    # -------------------------------------------------------------------------------- what people do

    @initialize(pushed=flags)
    def begins(self, pushed: bool) -> None:
        """All in one conversation, and each listens to something."""
        self.creates(TEACHER, PEOPLE[1:])
        for who, name, where in (
            (TEACHER, "messageReceived", None),
            (LEARNER_9A, "messageReceived", 0),
            (DIRECTOR, "conversationChanged", None),
            (CURATOR_9A, "messageChanged", None),
        ):
            self.follows(who, name, where, 0, pushed)
        self.counts(LEARNER_9A, pushed)

    @precondition(lambda self: len(self.model.conversations) < MOST_CONVERSATIONS)
    @rule(who=people, others=some_people)
    def creates(self, who: str, others: Sequence[str]) -> None:
        title = f"Group {len(self.model.conversations)}"
        given = {"title": title, "participantIds": [self.by(each).id for each in others]}
        made = self.run(self.by(who).do("createGroupConversation", "conversation { id }", **given))
        self.model.create(who, made["conversation"]["id"], title, others)
        self.all_is_well()

    @there_is_one
    @rule(who=anybody, where=one_of, others=some_people)
    def adds(self, who: str | None, where: int, others: list[str]) -> None:
        there = self.conversation(where)
        who = who or self.administrator(there)
        given = {"conversationId": there, "userIds": [self.by(each).id for each in others]}
        self.does(who, "addParticipants", given, lambda: self.model.add(who, there, others))

    @there_is_one
    @rule(who=anybody, where=one_of, others=some_people)
    def removes(self, who: str | None, where: int, others: list[str]) -> None:
        there = self.conversation(where)
        who = who or self.administrator(there)
        given = {"conversationId": there, "userIds": [self.by(each).id for each in others]}
        self.does(who, "removeParticipants", given, lambda: self.model.remove(who, there, others))

    @there_is_one
    @rule(who=anybody, where=one_of, other=people, flag=flags)
    def appoints(self, who: str | None, where: int, other: str, flag: bool) -> None:
        there = self.conversation(where)
        who = who or self.administrator(there)
        given = {"conversationId": there, "userId": self.by(other).id, "isAdministrator": flag}
        act = partial(self.model.appoint, who, there, other, is_administrator=flag)
        self.does(who, "setParticipantAdministrator", given, act)

    @there_is_one
    @rule(who=people, where=one_of)
    def leaves(self, who: str, where: int) -> None:
        there = self.conversation(where)
        successors = self.model.successors(who, there)
        self.does(
            who,
            "leaveConversation",
            {"conversationId": there},
            lambda: self.model.leave(who, there, self.chosen(there, successors)),
        )

    @there_is_one
    @rule(who=anybody, where=one_of, word=few)
    def renames(self, who: str | None, where: int, word: int) -> None:
        there, title = self.conversation(where), f"Title {word}"
        who = who or self.administrator(there)
        given = {"conversationId": there, "title": title}
        self.does(who, "renameConversation", given, lambda: self.model.rename(who, there, title))

    @there_is_one
    @rule(who=people, where=one_of, flag=flags)
    def mutes(self, who: str, where: int, flag: bool) -> None:
        there = self.conversation(where)
        given = {"conversationId": there, "muted": flag}
        self.does(who, "muteConversation", given, lambda: self.model.mute(who, there, muted=flag))

    @there_is_one
    @rule(who=anybody, where=one_of, times=st.integers(1, 4), again=flags)
    def sends(self, who: str | None, where: int, times: int, again: bool) -> None:
        """`again`: as if the last answer had been lost."""
        there = self.conversation(where)
        for left in reversed(range(times)):
            author, body, key = who or self.participant(there), f"Body {self.steps}", f"key {self.steps}"
            self.says(author, there, body, key)
            if again and not left:
                self.says(author, there, body, key)

    @there_is_one
    @rule(senders=st.lists(people, min_size=2, max_size=4), where=one_of, pushed=flags)
    def send_at_once(self, senders: list[str], where: int, pushed: bool) -> None:
        """In the order of their ids: that of their commits. Meanwhile those whose lines were cut come back."""
        there, allowed = self.conversation(where), self.model.conversations[self.conversation(where)].present()
        keys = {f"key {self.steps}/{place}": who for place, who in enumerate(senders) if who in allowed}

        async def at_once() -> list[Any]:
            gone = [each for each in self.followers if not each.line.is_open]
            coming = [each.connect(self.by(each.login), self.model, pushed=pushed) for each in gone]
            given = [{"conversationId": there, "body": key, "idempotencyKey": key} for key in keys]
            sent = zip(keys.values(), given, strict=True)
            calls = [self.by(who).do("sendMessage", "sent { id }", **each) for who, each in sent]
            return [*await asyncio.gather(*calls, *coming)][: len(calls)]

        ids = [answer["sent"]["id"] for answer in self.run(at_once())]
        for id_, key in sorted(zip(ids, keys, strict=True), key=lambda each: _number(each[0])):
            self.model.send(keys[key], there, key, key, id_)
        self.all_is_well()

    @there_is_a_message
    @rule(which=few, changed=flags)
    def sends_again(self, which: int, changed: bool) -> None:
        """The same call once more, whatever has happened since; or another under the same key."""
        who, key = list(self.model.keys)[-1 - which % len(self.model.keys)]
        there, body = self.model.keys[who, key][0]
        self.says(who, there, "Another" if changed else body, key)

    @there_is_one
    @rule(who=people, where=one_of, back=st.none() | few)
    def reads(self, who: str, where: int, back: int | None) -> None:
        there, up_to = self.conversation(where), None if back is None else self.model.last - back
        given = {"conversationId": there} | ({} if up_to is None else {"upTo": str(up_to)})
        self.does(who, "markConversationRead", given, lambda: self.model.mark_read(who, there, up_to))

    @there_is_a_message
    @rule(who=people, which=st.lists(few, min_size=1, max_size=2, unique=True), flag=flags)
    def unreads_or_deletes(self, who: str, which: list[int], flag: bool) -> None:
        known = list(self.model.messages)
        ids = list({known[-1 - each % len(known)] for each in which})
        act, name = (
            (self.model.delete, "deleteMessages") if flag else (self.model.mark_unread, "markMessagesUnread")
        )
        self.does(who, name, {"messageIds": ids}, lambda: act(who, ids))

    @precondition(lambda self: self.model.messages and len(self.model.reports) < MOST_REPORTS)
    @rule(who=people, which=few, hides=flags)
    def reports(self, who: str, which: int, hides: bool) -> None:
        """And an officer may hide the message from everybody."""
        id_ = list(self.model.messages)[-1 - which % len(self.model.messages)]
        given = {"messageId": id_, "reason": "Это травля"}
        self.does(who, "reportMessage", given, lambda: self.model.report(who, id_, OFFICERS))
        if hides and (id_, who) in self.model.reports and id_ not in self.hidden:
            self.hidden.add(id_)
            given = {"reportId": self.report(self.model.reports.index((id_, who))), "decision": "HIDE"}
            in_order = sorted(PEOPLE, key=lambda login: _number(self.by(login).id))
            self.does(OFFICER, "decideReport", given, lambda: self.model.hide(id_, OFFICERS, in_order))

    @rule(hours=st.sampled_from((-1, 1)))
    def the_clock_is_set(self, hours: int) -> None:
        self.clock.forward(hours=hours)

    # ---------------------------------------------------------------------- lines, and the server itself

    @precondition(lambda self: len(self.followers) < MOST_LINES)
    @rule(who=people, name=st.sampled_from([*DOCUMENTS]), where=st.none() | one_of, back=few, pushed=flags)
    def follows(self, who: str, name: str, where: int | None, back: int, pushed: bool) -> None:
        """From now on, or from some time ago."""
        in_one = name == "messageReceived" and where is not None and bool(self.model.conversations)
        after = max(self.model.first, self.model.last - 5 * back)
        follower = Follower(who, name, self.conversation(where or 0) if in_one else None, after)
        self.followers.append(follower)
        self.run(follower.connect(self.by(who), self.model, pushed=pushed))
        self.all_is_well()

    @precondition(lambda self: len(self.counters) < MOST_LINES)
    @rule(who=people, pushed=flags)
    def counts(self, who: str, pushed: bool) -> None:
        self.counters.append(Counter(who))
        self.run(self.counters[-1].connect(self.by(who), pushed=pushed))
        self.all_is_well()

    @precondition(lambda self: self.followers)
    @rule(which=st.integers(0, MOST_LINES - 1), unprocessed=few)
    def is_cut(self, which: int, unprocessed: int) -> None:
        follower = self.followers[which % len(self.followers)]
        self.run(follower.cut(unprocessed=min(unprocessed, len(follower.heard))))

    @precondition(lambda self: self.followers and self.model.conversations)
    @rule(which=st.integers(0, MOST_LINES - 1), where=one_of)
    def is_cut_while_somebody_sends(self, which: int, where: int) -> None:
        follower, there = self.followers[which % len(self.followers)], self.conversation(where)
        self.says(self.participant(there), there, f"Body {self.steps}", f"key {self.steps}", meanwhile=follower)

    @precondition(lambda self: any(not each.line.is_open for each in self.followers))
    @rule(which=st.integers(0, MOST_LINES - 1), pushed=flags)
    def resumes(self, which: int, pushed: bool) -> None:
        gone = [each for each in self.followers if not each.line.is_open]
        follower = gone[which % len(gone)]
        self.run(follower.connect(self.by(follower.login), self.model, pushed=pushed))
        self.all_is_well()

    @rule(who=people, ahead=st.integers(1, 3))
    def comes_with_a_cursor_that_nobody_gave(self, who: str, ahead: int) -> None:
        async def refused() -> None:
            after = str(self.model.last + ahead)
            async with self.by(who).listening(DOCUMENTS["messageReceived"], after=after) as listening:
                assert await listening.error() == "BAD_REQUEST"

        self.run(refused())

    @rule()
    def the_server_starts_again(self) -> None:
        for follower in self.followers:
            self.run(follower.cut())
        self.run(self.stop())
        self.run(self.serve())
        self.all_is_well()


def _number(id_: str) -> int:
    return int(id_.partition("_")[2])
