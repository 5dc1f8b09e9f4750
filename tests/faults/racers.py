"""When many publish calls in one chat at once, through two servers, does exactly one of them get there (E49, E50)?

    python -m tests.faults.racers [--racers 200] [--rounds 50]

Every racer has a call of his own. One line at the end; ends with 1 when a round had another number of winners.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from aiohttp import ClientSession, TCPConnector

from tests.faults.scene import FIRST_PORT, Scene, faults_logged, on_postgresql, say
from tests.school import ADMINISTRATOR, CURATOR_9A, DIRECTOR

CALLERS = (CURATOR_9A, ADMINISTRATOR, DIRECTOR)
"""The chat's administrator, and two of the organization."""

CHAT = "{ viewer { chats(filter: {kinds: [GROUP]}) { nodes { id } } } }"
CREATE = """mutation($chat: ID!) { createCall(input: {chatId: $chat, title: "Call",
  startsAt: "2026-12-01T09:00:00+05:00"}) { ... on CreateCallPayload { call { id } } } }"""
PUBLISH = """mutation($call: ID!) { publishCall(input: {callId: $call}) {
  ... on PublishCallPayload { call { id } }
  ... on UserError { code } ... on CallAlreadyPublishedError { publishedCall { id } } } }"""
FINISH = (
    "mutation($call: ID!) { finishCall(input: {callId: $call}) { ... on FinishCallPayload { call { status } } } }"
)
STORED = """query($chat: ID!) { node(id: $chat) { ... on Chat { publishedCall { id } } } }"""


class Race(NamedTuple):
    """Who races, and where: the addresses of the servers, a header for each person who publishes."""

    client: ClientSession
    addresses: Sequence[str]
    headers: Sequence[dict[str, str]]
    statuses: Counter[int]

    async def ask(self, number: int, document: str, **variables: Any) -> Any:
        """The data of the answer to the racer with this number; what the server was not able to is raised."""
        address = self.addresses[number % len(self.addresses)]
        headers = self.headers[number % len(self.headers)]
        body = {"query": document, "variables": variables}
        async with self.client.post(f"{address}/graphql", json=body, headers=headers) as answer:
            self.statuses[answer.status] += 1
            told = await answer.json()
        assert "errors" not in told, told
        return told["data"]

    async def run(self, chat: str, *, racers: int, rounds: int) -> list[str]:
        """What was wrong with a round; nothing when each had one winner, of whom all others were told."""
        faults = []
        calls = [await self._call(chat, number) for number in range(racers)]
        for round_ in range(rounds):
            answers = await asyncio.gather(
                *(self.ask(number + round_, PUBLISH, call=call) for number, call in enumerate(calls))
            )
            told = [answer["publishCall"] for answer in answers]
            winners = [each["call"]["id"] for each in told if "call" in each]
            stored = (await self.ask(round_, STORED, chat=chat))["node"]["publishedCall"]
            refusal = {"code": "CALL_ALREADY_PUBLISHED", "publishedCall": stored}
            others = [each for each in told if "call" not in each and each != refusal]
            if winners != [stored and stored["id"]] or others:
                faults.append(f"round {round_}: winners {winners}, stored {stored}, others {others[:3]}")
            for winner in winners:
                await self.ask(round_, FINISH, call=winner)
                calls[calls.index(winner)] = await self._call(chat, round_)
        return faults

    async def _call(self, chat: str, number: int) -> str:
        return str((await self.ask(number, CREATE, chat=chat))["createCall"]["call"]["id"])


async def race(scene: Scene, addresses: Sequence[str], *, racers: int, rounds: int) -> tuple[list[str], str]:
    headers = [{"Authorization": f"Bearer {scene.token(login)}"} for login in CALLERS]
    async with ClientSession(connector=TCPConnector(limit=0)) as client:
        racing = Race(client, addresses, headers, Counter())
        shown = await racing.ask(0, CHAT)
        began = time.monotonic()
        faults = await racing.run(shown["viewer"]["chats"]["nodes"][0]["id"], racers=racers, rounds=rounds)
        seconds = time.monotonic() - began
    others = {status: count for status, count in racing.statuses.items() if status != 200}
    faults += [f"answered with {others}"] if others else []
    return faults, f"{racers} racers, {rounds} rounds, {seconds:.0f} s, {racing.statuses[200]} answers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=50)
    given = parser.parse_args()
    with on_postgresql() as (scene, _), ExitStack() as stack:
        servers = [stack.enter_context(scene.server(FIRST_PORT + number)) for number in (5, 6)]
        addresses = [server.url for server in servers]
        faults, told = asyncio.run(race(scene, addresses, racers=given.racers, rounds=given.rounds))
        logged = "".join(faults_logged(server.log) for server in servers)
    say(f"racers: {told}, {len(faults)} violations{logged}")
    for fault in faults[:20]:
        say(fault)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
