"""Can somebody say that a message hurts, without its author learning of it, and who looks at that?"""

from typing import Any

import pytest

from models.tables.events import audit_entries
from models.tables.safeguarding import report_messages, report_readings, reports
from tests.api import Api
from tests.reporting import NAMED, QUEUE, gather, open_with, queue, read, report, say
from tests.school import (
    ADMINISTRATOR,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    OTHER_LEARNER_9A,
    PSYCHOLOGIST,
    SECRETARY,
)
from tests.steps import turn

BULLY, VICTIM, WITNESS = OTHER_LEARNER_9A, LEARNER_9A, LEARNER_UNLINKED
STANDING = "query($id: ID!) { node(id: $id) { ... on Message { viewerCanReport viewerHasReported } } }"


async def hurt(api: Api, body: str = "Ты никто") -> str:
    """A message of one learner, in a group conversation with another and their curator."""
    bully = api.as_(BULLY)
    return await say(bully, await gather(api.as_(CURATOR_9A), bully, api.as_(VICTIM)), body)


# ------------------------------------------------------------------------------------------- reporting


async def test_a_report_reaches_the_officers_and_says_why(api: Api) -> None:
    message = await hurt(api)
    victim = api.as_(VICTIM)
    assert (await victim.ask(STANDING, id=message))["node"] == {
        "viewerCanReport": True,
        "viewerHasReported": False,
    }
    done = await victim.do(
        "reportMessage", "reported { id viewerHasReported }", messageId=message, reason="Он пишет это каждый день"
    )
    assert done["reported"] == {"id": message, "viewerHasReported": True}
    for officer in (ADMINISTRATOR, DIRECTOR):
        (found,) = await queue(api, officer)
        assert found["reason"] == "Он пишет это каждый день"
        assert (found["status"], found["reportedAt"]) == ("OPEN", "2026-09-10T07:00:00.000Z")
        assert (found["reporter"]["login"], found["author"]["login"]) == (VICTIM, BULLY)
        assert (found["readings"], found["rulings"]) == ([], [])
    assert await queue(api, ADMINISTRATOR, "KEPT") == []


async def test_the_queue_holds_no_text_of_a_message(api: Api) -> None:
    await report(api.as_(VICTIM), await hurt(api, "незабудки"))
    fields = api.as_(ADMINISTRATOR)
    assert "незабудки" not in str(await fields.send(QUEUE))


@pytest.mark.parametrize("login", [BULLY, VICTIM, CURATOR_9A, GUARDIAN_9A, SECRETARY])
async def test_who_is_no_officer_has_an_empty_queue_and_learns_nothing(api: Api, login: str) -> None:
    found = await report(api.as_(VICTIM), await hurt(api))
    person = api.as_(login)
    shown = (await person.ask(QUEUE))["viewer"]
    assert (shown["isSafeguardingOfficer"], shown["badges"]["openReports"]) == (False, 0)
    assert shown["organization"]["reports"] == {"totalCount": 0, "nodes": []}
    node = "query($id: ID!) { node(id: $id) { id } }"
    api.statements.clear()
    for id_ in (found, "Report_999999"):
        assert (await person.ask(node, id=id_))["node"] is None
        for mutation, more in (("readReport", {"reason": "?"}), ("decideReport", {"decision": "HIDE"})):
            await person.refused("NOT_FOUND", mutation, reportId=id_, **more)
    assert len(set(api.statements)) == 1, "what is denied and what does not exist is one statement"


async def test_the_author_sees_and_hears_nothing_of_it(api: Api) -> None:
    message = await hurt(api)
    bully, victim = api.as_(BULLY), api.as_(VICTIM)
    document = """query($id: ID!) { node(id: $id) { ... on Message { isRead viewerActions viewerCanReport
        viewerHasReported conversation { unreadCount viewerActions lastMessage { id } } } } }"""
    before = await bully.ask(document, id=message)
    heard = "subscription { %s { cursor } }"
    streams = ("messageReceived", "messageChanged", "conversationChanged", "chatChanged", "reportChanged")
    async with bully.listening("subscription { badgesChanged { openReports unreadMessages } }") as badges:
        await badges.next()
        for stream in streams:
            async with bully.listening(heard % stream) as changes:
                await changes.parked()
                await victim.do("reportMessage", messageId=message, reason="?")
                await changes.nothing()
        await badges.nothing()
    assert await bully.ask(document, id=message) == before
    assert before["node"]["viewerCanReport"] is False


async def test_what_cannot_be_reported_leaves_no_trace(api: Api) -> None:
    message = await hurt(api)
    victim, stranger = api.as_(VICTIM), api.as_(LEARNER_9B)
    await api.as_(BULLY).refused("NOT_ALLOWED", "reportMessage", messageId=message, reason="Моё")
    for id_ in (message, "Message_999999", "Chat_1", "?"):
        await stranger.refused("NOT_FOUND", "reportMessage", messageId=id_, reason="Чужое")
    for reason in ("", "  \n", "а" * 2_001, "\x00"):
        await victim.invalid("reason", "reportMessage", messageId=message, reason=reason)
    await api.signed_out().fails(
        "UNAUTHENTICATED",
        'mutation { reportMessage(input: {messageId: "Message_1", reason: "?"}) { __typename } }',
    )
    await victim.do("reportMessage", messageId=message, reason="а" * 2_000)


async def test_reporting_twice_is_one_report(api: Api) -> None:
    message = await hurt(api)
    await api.as_(VICTIM).do("reportMessage", messageId=message, reason="Раз")
    with api.unchanged():
        await api.as_(VICTIM).do("reportMessage", messageId=message, reason="Два")
    assert [row.reason for row in api.rows(reports)] == ["Раз"]


async def test_no_switch_stands_in_the_way_of_a_report(api: Api) -> None:
    first, second = await hurt(api), await hurt(api)
    turn(api.database, lockdown=True)
    await api.as_(VICTIM).do("reportMessage", messageId=first, reason="В карантин")
    turn(api.database, lockdown=False, messagingEnabled=False)
    await api.as_(VICTIM).do("reportMessage", messageId=second, reason="Без сообщений")
    assert [each["reason"] for each in await queue(api)] == ["В карантин", "Без сообщений"]


# ------------------------------------------------------------------------------------------- officers


async def test_the_policy_names_the_position_of_the_officers(api: Api) -> None:
    await report(api.as_(VICTIM), await hurt(api))
    turn(api.database, safeguardingPosition="STAFF")
    assert len(await queue(api, PSYCHOLOGIST)) == 1
    assert await queue(api, DIRECTOR) == [], "an administrator is no officer then"
    for position in ("LEARNER", "GUARDIAN", "CURATOR", "EXPERT"):
        with pytest.raises(ValueError, match="safeguardingPosition: one of TEACHER, STAFF"):
            turn(api.database, safeguardingPosition=position)


async def test_another_school_is_another_world(api: Api) -> None:
    found = await report(api.as_(VICTIM), await hurt(api))
    principal = api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR)
    shown = (await principal.ask(QUEUE))["viewer"]
    assert (shown["isSafeguardingOfficer"], shown["organization"]["reports"]["totalCount"]) == (True, 0)
    assert (await principal.ask("query($id: ID!) { node(id: $id) { id } }", id=found))["node"] is None
    before = len(api.rows(audit_entries))
    document = 'mutation($r: ID!) { readReport(input: {reportId: $r, reason: "?"}) { ... on UserError { code } } }'
    assert (await principal.ask(document, r=found))["readReport"] == {"code": "NOT_FOUND"}
    assert len(api.rows(audit_entries)) == before + 1, "an officer who was not let read"


async def test_an_officer_never_sees_a_report_of_his_own_message(api: Api) -> None:
    officer, victim = api.as_(ADMINISTRATOR), api.as_(VICTIM)
    message = await say(officer, await open_with(officer, victim), "Вон из класса")
    async with (
        officer.listening("subscription { reportChanged { reportId } }") as own,
        api.as_(DIRECTOR).listening("subscription { reportChanged { reportId report { status } } }") as others,
    ):
        await own.parked()
        await others.parked()
        await victim.do("reportMessage", messageId=message, reason="Кричит")
        told = await others.next()
        await own.nothing()
    assert told["report"] == {"status": "OPEN"}
    assert await queue(api) == []
    assert len(await queue(api, DIRECTOR)) == 1
    entries = "{ viewer { organization { auditEntries(first: 1) { nodes { action } } } } }"
    for login, action in ((DIRECTOR, "reportMessage"), (ADMINISTRATOR, "sendMessage")):
        shown = (await api.as_(login).ask(entries))["viewer"]["organization"]["auditEntries"]["nodes"]
        assert shown == [{"action": action}], login


async def test_officers_hear_of_each_change_and_their_badge_follows(api: Api) -> None:
    officer = api.as_(ADMINISTRATOR)
    async with (
        officer.listening("subscription { badgesChanged { openReports } }") as badges,
        officer.listening("subscription { reportChanged { cursor reportId report { status } } }") as changes,
    ):
        assert await badges.next() == {"openReports": 0}
        await changes.parked()
        found = await report(api.as_(VICTIM), await hurt(api))
        assert await badges.next() == {"openReports": 1}
        first = await changes.next()
        assert (first["reportId"], first["report"]["status"]) == (found, "OPEN")
        await api.as_(DIRECTOR).do("readReport", reportId=found, reason="Жалоба")
        await api.as_(DIRECTOR).do("decideReport", reportId=found, decision="KEEP")
        assert (await changes.next())["reportId"] == found
        last = await changes.next()
        assert last["report"]["status"] == "KEPT"
        assert await badges.next() == {"openReports": 0}
    replay = "subscription($a: String) { reportChanged(after: $a) { cursor report { status } } }"
    async with officer.listening(replay, a=first["cursor"]) as again:
        assert [(await again.next())["report"]["status"] for _ in range(2)] == ["KEPT", "KEPT"]
        await again.nothing()
    turn(api.database, safeguardingPosition="STAFF")
    async with officer.listening(replay, a=first["cursor"]) as lost:
        await lost.nothing()


# -------------------------------------------------------------------------------------------- reading


async def test_what_is_reported_is_read_for_a_reason_that_is_kept(api: Api) -> None:
    message = await hurt(api)
    found = await report(api.as_(VICTIM), message)
    officer = api.as_(DIRECTOR)
    messages = await read(officer, found, "Звонили родители")
    assert [(each["id"], each["body"], each["isReported"]) for each in messages] == [(message, "Ты никто", True)]
    assert messages[0]["author"] == {"login": BULLY}
    await read(officer, found, "Ещё раз, с психологом")
    (shown,) = await queue(api)
    assert [(each["reader"]["login"], each["reason"]) for each in shown["readings"]] == [
        (DIRECTOR, "Ещё раз, с психологом"),
        (DIRECTOR, "Звонили родители"),
    ]
    kept = [(row.action, row.subject) for row in api.rows(audit_entries)][-3:]
    assert kept == [("reportMessage", found), ("readReport", found), ("readReport", found)]


async def test_an_officer_who_is_not_let_read_leaves_one_entry_and_nothing_else(api: Api) -> None:
    """Invariant 10: this is the one refusal of which something is left."""
    found = await report(api.as_(VICTIM), await hurt(api))
    document = f"""mutation($r: ID!, $why: String!) {{ readReport(input: {{reportId: $r, reason: $why}}) {{
        ... on UserError {{ code }} ... on ReadReportPayload {{ {NAMED} }} }} }}"""
    for login, report_id, why, code, kept in (
        (ADMINISTRATOR, found, " ", "INVALID_INPUT", found),
        (ADMINISTRATOR, "Report_999999", "Так", "NOT_FOUND", "Report_999999"),
        (ADMINISTRATOR, "чепуха", "Так", "NOT_FOUND", api.as_(ADMINISTRATOR).id),
        (CURATOR_9A, found, "Так", "NOT_FOUND", None),
    ):
        before, entries = api.dump(without=("audit_entries",)), len(api.rows(audit_entries))
        answer = await api.as_(login).ask(document, r=report_id, why=why)
        assert answer["readReport"] == {"code": code}
        assert api.dump(without=("audit_entries",)) == before
        new = [(row.action, row.subject, row.actor_id) for row in api.rows(audit_entries)[entries:]]
        who = api.as_(login).viewer
        assert who is not None
        assert new == ([] if kept is None else [("readReportRefused", kept, who.id)])
    assert api.rows(report_readings) == []


async def test_the_context_is_what_the_reporter_saw_then(api: Api) -> None:
    curator, bully, victim = api.as_(CURATOR_9A), api.as_(BULLY), api.as_(VICTIM)
    there = await gather(curator, bully, victim)
    for number in range(14):
        await say(curator, there, f"до {number}")
    message = await say(bully, there, "Вот это")
    for number in range(12):
        await say(bully, there, f"после {number}")
    elsewhere = await say(bully, await open_with(bully, curator), "не здесь")
    found = await report(victim, message)
    await say(bully, there, "потом")
    shown = [(each["body"], each["isReported"]) for each in await read(api.as_(DIRECTOR), found)]
    before, after = [f"до {number}" for number in range(4, 14)], [f"после {number}" for number in range(10)]
    assert shown == [(body, False) for body in before] + [("Вот это", True)] + [(body, False) for body in after]
    assert elsewhere not in {f"Message_{row.message_id}" for row in api.rows(report_messages)}


async def test_the_context_holds_nothing_that_the_reporter_could_not_see(api: Api) -> None:
    """E8, E12: neither what was written before he came nor what he had not."""
    curator, bully, witness = api.as_(CURATOR_9A), api.as_(BULLY), api.as_(WITNESS)
    there = await gather(curator, bully)
    await say(bully, there, "до него")
    await curator.do("addParticipants", conversationId=there, userIds=[witness.id])
    message = await say(bully, there, "при нём")
    await curator.do("removeParticipants", conversationId=there, userIds=[witness.id])
    await say(bully, there, "без него")
    found = await report(witness, message)
    assert [each["body"] for each in await read(api.as_(DIRECTOR), found)] == ["при нём"]


async def test_a_report_is_one_statement(api: Api) -> None:
    for body in ("раз", "два", "три"):
        await report(api.as_(VICTIM), await hurt(api, body))
    api.statements.clear()
    shown: Any = await api.as_(DIRECTOR).ask(QUEUE)
    assert len(shown["viewer"]["organization"]["reports"]["nodes"]) == 3
    assert len(api.statements) == 1
