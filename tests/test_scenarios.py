"""The acceptance scenarios of the e-diary's chats and calls, as its people play them."""

from tests.api import Api
from tests.school import CLASS_9A, CURATOR_9A, LEARNER_9A


async def test_E58_the_badge_of_each_participant_rises_when_a_call_is_published(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    chat = api.chat("GROUP", CLASS_9A)
    async with learner.listening("subscription { badgesChanged { newCalls } }") as badges:
        assert await badges.next() == {"newCalls": 0}
        made = await curator.do(
            "createCall",
            "call { id status }",
            chatId=chat,
            title="Литература",
            startsAt="2026-09-10T09:00:00+05:00",
        )
        await badges.nothing()
        await curator.do("publishCall", "call { status }", callId=made["call"]["id"])
        assert await badges.next() == {"newCalls": 1}
        await learner.do("markChatsSeen")
        assert await badges.next() == {"newCalls": 0}
