"""What do all tests have? A school of their own, its clock, and the API as any of its people.

After each test that had the school, every badge is counted again in plain Python and must agree.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api
from tests.recount import assert_badges_equal_a_recount
from tests.school import SchoolClock, build_school


@pytest.fixture
def clock() -> SchoolClock:
    return SchoolClock()


@pytest.fixture
async def api(tmp_path: Path, clock: SchoolClock) -> AsyncIterator[Api]:
    """The demo schools after their first night, served."""
    database = build_school(tmp_path / "school.db", clock=clock)
    async with Api.serving(database) as api:
        yield api
    assert_badges_equal_a_recount(database)
