"""How do wanted and current rows differ, and how are only the differences written?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, collate, insert, update

from models.database import Transaction

BATCH = 5000


def paired(
    wanted: Iterable[Sequence[Any]], current: Iterable[Sequence[Any]]
) -> Iterator[tuple[Sequence[Any] | None, Sequence[Any] | None]]:
    """Rows of both with the same first field, side by side; None where one side has none.

    Both come sorted by that field, which is unique on each side.
    """
    left, right = iter(wanted), iter(current)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield one, None
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)


def bytewise(tx: Transaction, column: ColumnElement[str]) -> ColumnElement[str]:
    """The column to sort by, so that its texts come as `paired` compares them, whatever order the database has."""
    return collate(column, "C") if tx.connection.dialect.name == "postgresql" else column


def insert_rows(tx: Transaction, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    for batch in batches(rows):
        tx.execute(insert(table), batch)


def update_rows(tx: Transaction, table: Table, values: Mapping[int, Mapping[str, Any]]) -> None:
    """Row's number -> its new values; the same columns in all."""
    changes = ({"number": number, **changed} for number, changed in values.items())
    statement = update(table).where(table.c.id == bindparam("number"))
    for batch in batches(changes):
        tx.execute(statement, batch)


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch
