"""What keeps people safe: messages are reported, officers look at them, and people block each other."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.safeguarding import (
    BLOCKS_PERSON,
    REPORTS_MESSAGE,
    SEES_REPORT,
    SETS_LOCKDOWN,
    UNBLOCKS_PERSON,
)
from models.tables.conversations import Format
from models.tables.safeguarding import ReportDecision, ReportStatus
from resolvers import safeguarding
from resolvers.lookahead import Finished
from schema.attachments import Attachment
from schema.connection import Node
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info, given
from schema.messages import Message
from schema.people import Organization, User
from schema.scalars import Moment
from schema.selection import asked

WORDS = "1 to 2,000 characters."


@strawberry.type(description="That a safeguarding officer read what a report is about.")
class ReportReading:
    reader: User = strawberry.field(description="Who read it.")
    reason: str = strawberry.field(description="Why.")
    read_at: Moment = strawberry.field(description="When.")


@strawberry.type(description="What a safeguarding officer decided about a report.")
class ReportRuling:
    officer: User = strawberry.field(description="Who decided.")
    decision: ReportDecision = strawberry.field(description="What becomes of the message.")
    note: str | None = strawberry.field(description="What the officer noted.")
    decided_at: Moment = strawberry.field(description="When.")


@strawberry.type(
    description="That somebody reported a message. Safeguarding officers see it; the message's author never does."
)
class Report(Node):
    reported_at: Moment = strawberry.field(description="When it was reported.")
    reporter: User = strawberry.field(description="Who reported it.")
    author: User = strawberry.field(description="Who wrote the message.")
    reason: str = strawberry.field(description="Why it was reported, in the reporter's words.")
    status: ReportStatus = strawberry.field(description="Whether it waits, or what was decided last.")
    readings: list[ReportReading] = strawberry.field(
        description="Who has read what it is about, and why. Latest first, at most 100."
    )
    rulings: list[ReportRuling] = strawberry.field(
        description="What was decided, by whom and when. Latest first, at most 100."
    )


@strawberry.type(description="A message that a report names, as a safeguarding officer reads it.")
class ReportedMessage:
    id: strawberry.ID = strawberry.field(description="The message's id.")
    author: User = strawberry.field(description="Who wrote it.")
    subject: str | None = strawberry.field(description="The subject of a mail; null for other messages.")
    body: str = strawberry.field(description="What it says.")
    format: Format = strawberry.field(description="How the body is written.")
    sent_at: Moment = strawberry.field(description="When it was sent.")
    is_reported: bool = strawberry.field(
        description="Whether it is the reported one; else it stood near that, for the reporter to see."
    )
    attachments: list[Attachment] = strawberry.field(description="Its files.")


# -------------------------------------------------------------------------------------------- inputs


@strawberry.input(description="A message that should not be.")
class ReportMessageInput:
    message_id: strawberry.ID = strawberry.field(description="The message.")
    reason: str = strawberry.field(description=f"What is wrong with it: {WORDS}")


@strawberry.input(description="A report to read, and why.")
class ReadReportInput:
    report_id: strawberry.ID = strawberry.field(description="The report.")
    reason: str = strawberry.field(description=f"Why it is read, for the school's records: {WORDS}")


@strawberry.input(description="What becomes of a reported message.")
class DecideReportInput:
    report_id: strawberry.ID = strawberry.field(description="The report.")
    decision: ReportDecision = strawberry.field(description="The decision.")
    note: str | None = strawberry.field(
        default=UNSET,
        description=f"For the school's records; for PASS_ON it says to whom and is required. {WORDS}",
    )


@strawberry.input(description="Somebody from whom the viewer does not want to hear.")
class BlockPersonInput:
    user_id: strawberry.ID = strawberry.field(description="The person.")


@strawberry.input(description="Somebody from whom the viewer wants to hear again.")
class UnblockPersonInput:
    user_id: strawberry.ID = strawberry.field(description="The person.")


@strawberry.input(description="Whether only administrators may send.")
class SetLockdownInput:
    lockdown: bool = strawberry.field(description="True to lock down, false to open again.")


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The message was reported to the school's safeguarding officers.")
class ReportMessagePayload:
    reported: Message = strawberry.field(description="The message.")


@strawberry.type(description="What a report is about.")
class ReadReportPayload:
    report: Report = strawberry.field(description="The report.")
    messages: list[ReportedMessage] = strawberry.field(
        description="The reported message, and up to ten before and after it that the reporter saw then, in order."
    )


@strawberry.type(description="The report was decided.")
class DecideReportPayload:
    report: Report = strawberry.field(description="The report.")


@strawberry.type(description="The school is locked down, or open again.")
class SetLockdownPayload:
    organization: Organization = strawberry.field(description="The school.")


@strawberry.type(description="The person is blocked.")
class BlockPersonPayload:
    blocked: User = strawberry.field(description="The person.")


@strawberry.type(description="The person is not blocked any more.")
class UnblockPersonPayload:
    unblocked: User = strawberry.field(description="The person.")


ReportMessageResult = Annotated[
    ReportMessagePayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("ReportMessageResult", description="The message, or why it was not reported."),
]
ReadReportResult = Annotated[
    ReadReportPayload | InvalidInputError | NotFoundError,
    strawberry.union("ReadReportResult", description="What the report is about, or why that is not shown."),
]
DecideReportResult = Annotated[
    DecideReportPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("DecideReportResult", description="The report, or why nothing was decided."),
]
SetLockdownResult = Annotated[
    SetLockdownPayload | DeniedError,
    strawberry.union("SetLockdownResult", description="The school, or why nothing changed."),
]
BlockPersonResult = Annotated[
    BlockPersonPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("BlockPersonResult", description="The person, or why nobody was blocked."),
]
UnblockPersonResult = Annotated[
    UnblockPersonPayload | NotFoundError,
    strawberry.union("UnblockPersonResult", description="The person, or why nothing changed."),
]


@strawberry.type
class SafeguardingMutation:
    @mutation(
        ReportMessageResult,
        "Reports a message to the school's safeguarding officers. Its author does not learn of it. A second time "
        "changes nothing.",
        allowed_to=REPORTS_MESSAGE,
    )
    async def report_message(self, info: Info, input: ReportMessageInput) -> Finished:
        return await safeguarding.report_message(
            info.context, asked(info), message_id=input.message_id, reason=input.reason
        )

    @mutation(
        ReadReportResult,
        "For safeguarding officers: what a report is about. Each reading is kept with its reason.",
        allowed_to=SEES_REPORT,
    )
    async def read_report(self, info: Info, input: ReadReportInput) -> Finished:
        return await safeguarding.read_report(
            info.context, asked(info), report_id=input.report_id, reason=input.reason
        )

    @mutation(
        DecideReportResult,
        "For safeguarding officers: what becomes of a reported message. It settles all open reports of it.",
        allowed_to=SEES_REPORT,
    )
    async def decide_report(self, info: Info, input: DecideReportInput) -> Finished:
        return await safeguarding.decide_report(
            info.context,
            asked(info),
            report_id=input.report_id,
            decision=input.decision,
            note=given(input.note),
        )

    @mutation(
        SetLockdownResult,
        "For administrators and safeguarding officers: only administrators may send, until it is taken back. "
        "Nothing is erased; reports can be made.",
        allowed_to=SETS_LOCKDOWN,
    )
    async def set_lockdown(self, info: Info, input: SetLockdownInput) -> Finished:
        return await safeguarding.set_lockdown(info.context, asked(info), lockdown=input.lockdown)

    @mutation(
        BlockPersonResult,
        "Neither the viewer nor this person writes to the other any more; what they share with others stays. "
        "Learners and guardians block no personnel.",
        allowed_to=BLOCKS_PERSON,
    )
    async def block_person(self, info: Info, input: BlockPersonInput) -> Finished:
        return await safeguarding.block_person(info.context, asked(info), user_id=input.user_id)

    @mutation(
        UnblockPersonResult,
        "The viewer and this person may write to each other again, as the school's rules say.",
        allowed_to=UNBLOCKS_PERSON,
    )
    async def unblock_person(self, info: Info, input: UnblockPersonInput) -> Finished:
        return await safeguarding.unblock_person(info.context, asked(info), user_id=input.user_id)
