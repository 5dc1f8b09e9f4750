"""Does each column say what it holds? Whoever adds one has to ask whether it is of a person."""

from typing import Any

import pytest
from sqlalchemy import Column, Integer, Table

from models.personal import is_personal, people_of, tables_of_people, word
from models.tables import metadata
from models.tables.base import Moment
from models.tables.holds import NAME, PERSON

COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_column_says_what_it_holds(column: Column[Any]) -> None:
    told = "say it with info=holds..., and look at models.erasure and models.export"
    assert word(column) is not None, f"{column}: does it hold something of a person? {told}"


def test_a_column_that_says_nothing_is_found() -> None:
    assert word(Column("height", Integer)) is None
    assert word(Column("height", Integer, info={"holds": "metres"})) is None
    assert word(Column("nickname", Integer, info=NAME)) == "name"


def test_every_number_of_a_person_is_known_as_that() -> None:
    """What refers to `users` is somebody; nothing else is."""
    referring = {
        f"{element.parent}"
        for table in metadata.sorted_tables
        for constraint in table.foreign_key_constraints
        for element in constraint.elements
        if element.column.table.name == "users" and element.column.name == "id"
    }
    said = {str(column) for table in metadata.sorted_tables for column in people_of(table)}
    assert said == referring | {"users.id"}


def test_when_something_happened_to_a_person_is_personal() -> None:
    """The moments in rows of people, but for those that are the program's own."""
    of_program = {
        *("outbox.sent_at", "outbox.next_attempt_at", "outbox.failing_since", "outbox.dead_at"),
        *("outbox.leased_until", "conversations.ended_at", "calls.starts_at"),
    }
    for table in tables_of_people():
        moments = [column for column in table.columns if isinstance(column.type, Moment)]
        assert {str(column) for column in moments if not is_personal(column)} <= of_program


def test_the_tables_of_people_are_those_whose_rows_name_somebody() -> None:
    names = {table.name for table in tables_of_people()}
    assert {"users", "messages", "deliveries", "audit_entries", "profile_links", "search_words"} <= names
    assert names.isdisjoint({"organizations", "groups", "rooms", "chats", "roster_files", "loose_files"})
    unknown = Table("unknown", type(metadata)(), Column("who", Integer, info=PERSON))
    assert people_of(unknown) == [unknown.c.who]
