"""What becomes of a reported message, and how long is what a report needs kept?"""

import asyncio
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.nightly import run_nights
from models.erasure import UnderReport
from models.tables.conversations import deliveries, messages
from models.tables.events import audit_entries
from models.tables.safeguarding import report_decisions, report_readings, reports
from tests.api import Api
from tests.mailing import CLASSMATE, LEARNER, MailSchool, send
from tests.recount import assert_badges_equal_a_recount
from tests.reporting import NAMED, gather, queue, read, report, say
from tests.school import (
    ADMINISTRATOR,
    CURATOR_9A,
    DIRECTOR,
    LEARNER_9A,
    LEARNER_UNLINKED,
    NEXT_DOOR,
    OTHER_LEARNER_9A,
    SCHOOL,
    SchoolClock,
    build_school,
)
from tests.steps import turn
from tests.terminal import run_at
from tests.test_erasure import erase

BULLY, VICTIM, WITNESS = OTHER_LEARNER_9A, LEARNER_9A, LEARNER_UNLINKED
NODE = "query($id: ID!) { node(id: $id) { id } }"
FILES = "query($id: ID!) { node(id: $id) { ... on Message { attachments { id } } } }"
REPORTS = "{ viewer { organization { reports { nodes { id } } } } }"
READ = "query($id: ID!) { node(id: $id) { ... on Conversation { unreadCount messages { nodes { body } } } } }"


class Hurt:
    """A message in a group conversation, of which a report is made."""

    def __init__(self, api: Api, there: str, message: str, report_id: str) -> None:
        self.api, self.there, self.message, self.report = api, there, message, report_id

    async def decide(self, decision: str, login: str = DIRECTOR, **given: str) -> None:
        await self.api.as_(login).do("decideReport", reportId=self.report, decision=decision, **given)

    async def bodies(self, login: str) -> list[str]:
        shown = (await self.api.as_(login).ask(READ, id=self.there))["node"]
        return [each["body"] for each in shown["messages"]["nodes"]]


@pytest.fixture
async def hurt(api: Api) -> Hurt:
    curator, bully, victim, witness = map(api.as_, (CURATOR_9A, BULLY, VICTIM, WITNESS))
    there = await gather(curator, bully, victim, witness)
    await say(curator, there, "Ведите себя")
    message = await say(bully, there, "Ты никто", idempotencyKey="обида")
    return Hurt(api, there, message, await report(victim, message))


# ------------------------------------------------------------------------------------------ decisions


async def test_kept_it_stays_where_it_is(hurt: Hurt) -> None:
    await hurt.decide("KEEP", note="Шутка друзей")
    (found,) = await queue(hurt.api)
    assert found["status"] == "KEPT"
    assert found["rulings"] == [
        {
            "officer": {"login": DIRECTOR},
            "decision": "KEEP",
            "note": "Шутка друзей",
            "decidedAt": "2026-09-10T07:00:00.000Z",
        }
    ]
    assert await hurt.bodies(BULLY) == await hurt.bodies(WITNESS) == ["Ведите себя", "Ты никто"]
    last = hurt.api.rows(audit_entries)[-1]
    assert (last.action, last.subject) == ("decideReport", hurt.report)


async def test_hidden_it_is_gone_for_everybody_and_everybody_is_told(hurt: Hurt) -> None:
    api = hurt.api
    changed = "subscription { messageChanged { messageId message { body } } }"
    counts = "subscription { badgesChanged { unreadMessages } }"
    async with (
        api.as_(BULLY).listening(changed) as author,
        api.as_(WITNESS).listening(changed) as witness,
        api.as_(WITNESS).listening(counts) as badge,
    ):
        assert await badge.next() == {"unreadMessages": 2}
        await author.parked()
        await witness.parked()
        await hurt.decide("HIDE")
        gone = {"messageId": hurt.message, "message": None}
        assert await author.next() == await witness.next() == gone
        assert await badge.next() == {"unreadMessages": 1}
    for login in (BULLY, VICTIM, WITNESS, CURATOR_9A):
        assert await hurt.bodies(login) == ["Ведите себя"]
        assert (await api.as_(login).ask(NODE, id=hurt.message))["node"] is None
    assert [each["body"] for each in await read(api.as_(ADMINISTRATOR), hurt.report)] == [
        "Ведите себя",
        "Ты никто",
    ]
    assert_badges_equal_a_recount(api.database)


async def test_a_conversation_stands_in_lists_by_what_is_left(hurt: Hurt) -> None:
    curator = hurt.api.as_(CURATOR_9A)
    later = await gather(curator, hurt.api.as_(WITNESS), title="Другой")
    await say(curator, later, "Позже")
    await say(hurt.api.as_(BULLY), hurt.there, "Ещё")
    await hurt.api.as_(VICTIM).do(
        "reportMessage", messageId=await say(hurt.api.as_(BULLY), hurt.there, "И ещё"), reason="?"
    )
    asked = "{ viewer { conversations { nodes { title } } } }"

    async def listed() -> list[str]:
        nodes = (await hurt.api.as_(WITNESS).ask(asked))["viewer"]["conversations"]["nodes"]
        return [each["title"] for each in nodes]

    assert await listed() == ["Поход", "Другой"]
    await hurt.api.as_(DIRECTOR).do("decideReport", reportId=(await queue(hurt.api))[-1]["id"], decision="HIDE")
    assert await listed() == ["Поход", "Другой"], "a message of the same conversation is later still"
    await hurt.api.as_(VICTIM).do("reportMessage", messageId=await _newest(hurt), reason="?")
    await hurt.api.as_(DIRECTOR).do("decideReport", reportId=(await queue(hurt.api))[-1]["id"], decision="HIDE")
    assert await listed() == ["Другой", "Поход"]


async def _newest(hurt: Hurt) -> str:
    document = "query($id: ID!) { node(id: $id) { ... on Conversation { lastMessage { id } } } }"
    shown = await hurt.api.as_(VICTIM).ask(document, id=hurt.there)
    return str(shown["node"]["lastMessage"]["id"])


async def test_a_retry_of_what_was_hidden_sends_nothing_again(hurt: Hurt) -> None:
    await hurt.decide("HIDE")
    with hurt.api.unchanged():
        again = await say(hurt.api.as_(BULLY), hurt.there, "Ты никто", idempotencyKey="обида")
    assert again == hurt.message
    assert await hurt.bodies(VICTIM) == ["Ведите себя"]


async def test_passed_on_it_says_to_whom_and_can_still_be_decided(hurt: Hurt) -> None:
    officer = hurt.api.as_(DIRECTOR)
    await officer.invalid("note", "decideReport", reportId=hurt.report, decision="PASS_ON")
    await officer.invalid("note", "decideReport", reportId=hurt.report, decision="PASS_ON", note=" ")
    await hurt.decide("PASS_ON", note="В опеку")
    assert [each["status"] for each in await queue(hurt.api)] == ["PASSED_ON"]
    await hurt.decide("HIDE", ADMINISTRATOR)
    (found,) = await queue(hurt.api)
    assert (found["status"], [each["decision"] for each in found["rulings"]]) == ("HIDDEN", ["HIDE", "PASS_ON"])
    await hurt.decide("PASS_ON", note="В полицию")
    assert await hurt.bodies(BULLY) == ["Ведите себя"], "it stays hidden"


async def test_what_is_hidden_stays_hidden(hurt: Hurt) -> None:
    await hurt.decide("HIDE")
    await hurt.api.as_(DIRECTOR).refused("ALREADY_HIDDEN", "decideReport", reportId=hurt.report, decision="KEEP")
    await hurt.decide("PASS_ON", note="В опеку")
    await hurt.api.as_(DIRECTOR).refused("ALREADY_HIDDEN", "decideReport", reportId=hurt.report, decision="KEEP")


@pytest.mark.parametrize(("decision", "given"), [("KEEP", {}), ("HIDE", {}), ("PASS_ON", {"note": "В опеку"})])
async def test_the_same_decision_again_changes_nothing(hurt: Hurt, decision: str, given: dict[str, str]) -> None:
    await hurt.decide(decision, **given)
    with hurt.api.unchanged():
        await hurt.decide(decision, ADMINISTRATOR, **given)


async def test_a_decision_settles_all_that_is_open_about_the_message(hurt: Hurt) -> None:
    await report(hurt.api.as_(WITNESS), hurt.message)
    await report(hurt.api.as_(CURATOR_9A), hurt.message)
    assert [each["status"] for each in await queue(hurt.api)] == ["OPEN"] * 3
    await hurt.decide("HIDE")
    assert [each["status"] for each in await queue(hurt.api)] == ["HIDDEN"] * 3
    assert len(hurt.api.rows(report_decisions)) == 3


# --------------------------------------------------------------------------------------------- files


async def test_an_officer_fetches_files_only_after_saying_why(api: Api) -> None:
    school = MailSchool(api)
    author, victim, officer = school(CLASSMATE), school(LEARNER), school("principale")
    mail = await send(author, victim, subject="Photo", attachmentIds=[school.upload(author)])
    await victim.do("reportMessage", messageId=mail, reason="Montage")
    (found,) = (await officer.ask(REPORTS))["viewer"]["organization"]["reports"]["nodes"]
    (file,) = (await victim.ask(FILES, id=mail))["node"]["attachments"]
    assert (await officer.ask(NODE, id=file["id"]))["node"] is None
    opened = await officer.do("readReport", NAMED, reportId=found["id"], reason="Plainte")
    assert opened["messages"][0]["attachments"][0]["id"] == file["id"]
    assert (await officer.ask(NODE, id=file["id"]))["node"] == file
    await officer.do("decideReport", reportId=found["id"], decision="HIDE")
    assert (await officer.ask(NODE, id=file["id"]))["node"] == file, "it is evidence now"
    for person in (author, victim):
        assert (await person.ask(NODE, id=file["id"]))["node"] is None
    turn(api.database, NEXT_DOOR, safeguardingPosition="OWNER")
    assert (await officer.ask(NODE, id=file["id"]))["node"] is None, "he is no officer any more"


# ----------------------------------------------------------------------------------- what is kept of it


async def test_the_text_stays_until_the_report_has_been_settled_for_long_enough(
    hurt: Hurt, clock: SchoolClock
) -> None:
    api = hurt.api
    turn(api.database, retentionDays=30)

    def night() -> None:
        clock.now += timedelta(days=31)
        run_nights(api.database, organization=SCHOOL)

    night()
    assert await hurt.bodies(BULLY) == [], "for people it is gone like all others"
    assert "Ты никто" in [row.body for row in api.rows(messages)]
    await hurt.decide("PASS_ON", note="В опеку")
    night()
    assert "Ты никто" in [row.body for row in api.rows(messages)], "somebody outside still looks at it"
    await read(api.as_(DIRECTOR), hurt.report)
    await hurt.decide("KEEP", note="Разобрались")
    clock.now += timedelta(days=29)
    run_nights(api.database, organization=SCHOOL)
    assert "Ты никто" in [row.body for row in api.rows(messages)]
    night()
    assert {row.body for row in api.rows(messages)} == {""}
    kept = [*api.rows(reports), *api.rows(report_readings), *api.rows(report_decisions)]
    assert {getattr(row, "reason", None) or getattr(row, "note", None) for row in kept} == {None}, "words go"
    assert [each["status"] for each in await queue(api)] == ["KEPT"]
    before = api.dump(without=("job_runs",))
    night()
    assert api.dump(without=("job_runs",)) == before


async def test_the_last_copy_goes_and_a_report_keeps_the_text(api: Api) -> None:
    """MA2 and a report: whoever purges his copies takes nothing from who has to look."""
    school = MailSchool(api)
    author, victim, officer = school(CLASSMATE), school(LEARNER), school("principale")
    mail = await send(author, victim, body="<p>Tais-toi</p>")
    await victim.do("reportMessage", messageId=mail, reason="Méchant")
    for person in (author, victim):
        await person.do("trashMessages", messageIds=[mail])
        await person.do("purgeMessages", messageIds=[mail])
    assert not any(row.deleted_at is None for row in api.rows(deliveries))
    (found,) = (await officer.ask(REPORTS))["viewer"]["organization"]["reports"]["nodes"]
    opened = await officer.do("readReport", NAMED, reportId=found["id"], reason="Plainte")
    assert [each["body"] for each in opened["messages"]] == ["<p>Tais-toi</p>"]


@pytest.mark.parametrize("login", [BULLY, VICTIM, CURATOR_9A])
async def test_nobody_is_erased_while_a_report_to_which_he_matters_waits(hurt: Hurt, login: str) -> None:
    """The reporter, the author, and whoever wrote what stands around it."""
    with hurt.api.unchanged(), pytest.raises(UnderReport):
        erase(hurt.api, hurt.api.as_(login))
    await hurt.decide("PASS_ON", note="В опеку")
    with pytest.raises(UnderReport):
        erase(hurt.api, hurt.api.as_(login))
    await hurt.decide("KEEP")
    erase(hurt.api, hurt.api.as_(login))


async def test_an_erasure_takes_the_words_and_leaves_that_there_was_a_report(hurt: Hurt) -> None:
    await read(hurt.api.as_(DIRECTOR), hurt.report, "Личная тайна")
    await hurt.decide("KEEP", note="Служебная тайна")
    for login in (VICTIM, DIRECTOR):
        erase(hurt.api, hurt.api.as_(login))
    (found,) = await queue(hurt.api)
    assert (found["reason"], found["status"]) == ("", "KEPT")
    assert [each["reason"] for each in found["readings"]] == [""]
    assert [each["note"] for each in found["rulings"]] == [None]
    assert "тайна" not in str(hurt.api.dump())


@pytest.mark.sqlite
def test_an_export_tells_of_ones_own_reports_and_not_of_those_about_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "var" / "preau.db"
    path.parent.mkdir()
    monkeypatch.chdir(tmp_path)
    database = build_school(path)

    async def talk() -> None:
        async with Api.serving(database) as api:
            bully, victim = api.as_(BULLY), api.as_(VICTIM)
            message = await say(bully, await gather(api.as_(CURATOR_9A), bully, victim), "Ты никто")
            await report(victim, message, "Тайная жалоба")
            await victim.do("blockPerson", userId=bully.id)

    asyncio.run(talk())
    run = run_at(path, monkeypatch)

    def exported(login: str) -> dict[str, object]:
        run("export-person", login, f"{login}.zip")
        with zipfile.ZipFile(tmp_path / f"{login}.zip") as archive:
            return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}

    victims, bullys = exported(VICTIM), exported(BULLY)
    assert "Тайная жалоба" in str(victims["reports.json"])
    assert BULLY not in str(bullys.get("blocks.json")) and "blocks.json" in victims
    assert {"reports.json", "blocks.json", "report_readings.json"}.isdisjoint(bullys)
    assert "Тайная" not in str(bullys)
