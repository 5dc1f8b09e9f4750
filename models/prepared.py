"""How is a statement written once and run often? With its constants in it, and places for what differs.

To build a large SELECT again for each call takes longer than to run it, and an engine that is given the
constants of a partial index's condition as values prepares the statement again each time.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Select

from models.database import Database, Transaction
from models.database.spelling import SPELLINGS


class Spelled(NamedTuple):
    """A statement's text for one engine, and the names of its places in their order."""

    sql: str
    places: tuple[str, ...]


def spell(statement: Select[Any], engine: str) -> Spelled:
    """The statement for the engine with this name."""
    compiled = statement.compile(dialect=SPELLINGS[engine])
    return Spelled(str(compiled), tuple(compiled.positiontup or ()))


class Prepared:
    """A SELECT as the engine reads it; what it is made of has places (`bindparam`) instead of values.

    Rows come as the engine keeps them: on SQLite booleans are 0 and 1, and moments are texts.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._spelled: dict[str, Spelled] = {}

    def run(self, tx: Transaction, **values: Any) -> CursorResult[Any]:
        sql, places = self._for(tx.connection.dialect.name)
        return tx.connection.exec_driver_sql(sql, tuple([values[place] for place in places]))

    def tuples(self, tx: Transaction, **values: Any) -> list[tuple[Any, ...]]:
        """The same rows as the driver gives them: of many, they cost a third."""
        result = self.run(tx, **values)
        assert result.cursor is not None, "only what returns rows is prepared"
        rows: list[Any] = [*result.cursor.fetchall()]
        result.close()
        return rows

    async def read(self, database: Database, **values: Any) -> list[Sequence[Any]]:
        """The same on a reading connection."""
        sql, places = self._for(database.backend.name)
        return await database.read(sql, tuple([values[place] for place in places]))

    def _for(self, engine: str) -> Spelled:
        if engine not in self._spelled:
            self._spelled[engine] = spell(self._statement, engine)
        return self._spelled[engine]
