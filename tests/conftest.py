"""What do all tests have? A school of their own, its clock, and the API as any of its people.

After each test that had the school, every badge is counted again in plain Python and must agree.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api
from tests.engines import ENGINE, on_postgresql, start_for_the_run
from tests.recount import assert_badges_equal_a_recount
from tests.school import SchoolClock, build_school

CORE = (
    "test_scenarios",
    "test_scenarios_messages",
    "test_conversations",
    "test_chat_conversations",
    "test_mail",
    "test_idempotency",
    "test_live",
    "test_live_ends",
    "test_fan_out",
    "test_rules_calls",
    "test_nightly",
    "test_roster",
    "test_outbox",
)
"""What the quick run also does on the other engine: one file for each thing that writes, listens, or counts."""

LONG = (
    "test_away",
    "test_backup",
    "test_benchmark_night",
    "test_connections",
    "test_database_lost",
    "test_disk_full",
    "test_doing",
    "test_fan_out_memory",
    "test_fuzzed_operations",
    "test_graphql_http",
    "test_killed_nights",
    "test_link_faults",
    "test_losing",
    "test_outbox_processes",
    "test_shares",
    "test_shutdown",
    "test_slow_reader",
    "test_two_servers",
)
"""What the quick run leaves out, with all that is marked `long`: faults made for real, measurements, the largest
part of the authorization matrix, and whether random tests find faults that are planted."""

ONCE = (
    "test_away",
    "test_backup",
    "test_benchmark_night",
    "test_brokers",
    "test_browser",
    "test_compiling",
    "test_connections",
    "test_database_lost",
    "test_declared",
    "test_disk_full",
    "test_fan_out_memory",
    "test_file_types",
    "test_fuzzed_operations",
    "test_graphql_http",
    "test_hostile_uploads",
    "test_identity",
    "test_layers",
    "test_link_browser",
    "test_link_faults",
    "test_partitioned",
    "test_pictures",
    "test_rich_text",
    "test_roster_files",
    "test_schema",
    "test_schemathesis",
    "test_shares",
    "test_shutdown",
    "test_slow_reader",
    "test_tokens",
    "test_two_servers",
)
"""What says nothing new on the other engine: it brings a database of its own, or needs none."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=("sqlite", "postgresql"), default="sqlite", help="what the tests' databases are"
    )
    parser.addoption("--core", action="store_true", help="only the core of the tests")
    parser.addoption("--quick", action="store_true", help="without what takes long")


def pytest_configure(config: pytest.Config) -> None:
    """The workers of a parallel run inherit what is set here."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[ENGINE] = config.getoption("engine")
        if on_postgresql():
            config.option.warn_unused_snapshots = True  # they were looked at on the other engine
            start_for_the_run()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_quick = config.getoption("quick")
    left_out = [*(LONG if is_quick else ()), *(ONCE if on_postgresql() else ())]
    others = [
        item
        for item in items
        if item.path.stem in left_out
        or (is_quick and item.get_closest_marker("long"))
        or (config.getoption("core") and item.path.stem not in CORE)
    ]
    config.hook.pytest_deselected(items=others)
    chosen = set(items) - set(others)
    items[:] = [item for item in items if item in chosen]
    if on_postgresql():
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(pytest.mark.skip(reason="about SQLite's file or its way of running a statement"))


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
