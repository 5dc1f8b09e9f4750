"""Which columns hold something of a person, and by which columns is a row somebody's?

The tables say it themselves, a word per column (`models.tables.holds`).
"""

from sqlalchemy import Column, Table

from models.tables import metadata
from models.tables.holds import OF_NOBODY, PERSON, PERSONAL


def word(column: Column[object]) -> str | None:
    """What the column holds; None where nobody has said it."""
    said = column.info.get("holds")
    return said if said in PERSONAL | OF_NOBODY else None


def is_personal(column: Column[object]) -> bool:
    return word(column) in PERSONAL


def people_of(table: Table) -> list[Column[object]]:
    """The columns that hold the number of a person."""
    return [column for column in table.columns if word(column) == PERSON["holds"]]


def tables_of_people() -> list[Table]:
    """Those whose rows name somebody by number, by name."""
    return [table for _, table in sorted(metadata.tables.items()) if people_of(table)]
