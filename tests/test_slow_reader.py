"""Does somebody who does not read cost the others nothing? A few thousand events past him; more: tests.faults."""

from pathlib import Path

from tests.faults.slow_reader import Trial, p99
from tests.running import at_school
from tests.school import CURATOR_9A, DIRECTOR, LEARNER_9A


async def test_who_does_not_read_is_cut_and_the_others_hear_everything(tmp_path: Path) -> None:
    production = {"PREAU_ENVIRONMENT": "production", "PREAU_SENDS_PER_MINUTE": "0"}
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, DIRECTOR, **production) as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        outcome = await Trial(server, there).run(4_000, size=2_000)
    assert outcome.cut_after is not None, outcome.told()
    assert 10 <= outcome.cut_after < 15, outcome.told()
    assert outcome.grown < 10, outcome.told()
    assert outcome.sent > 50
    assert set(outcome.heard) == {outcome.sent}, outcome.heard
    assert p99(outcome.latencies) < 1, outcome.told()
