"""How is a statement written once and run often? With its constants in it, and places for what differs.

To build a large SELECT again for each call takes longer than to run it, and an engine that is given the
constants of a partial index's condition as values prepares the statement again each time.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from models.database import Database, Transaction


class Prepared:
    """A SELECT as the engine reads it; what it is made of has places (`bindparam`) instead of values.

    Rows come as the engine keeps them: booleans are 0 and 1, moments are texts.
    """

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=Sqlite())
        self._sql, self._places = str(compiled), tuple(compiled.positiontup or ())

    def run(self, tx: Transaction, **values: Any) -> CursorResult[Any]:
        return tx.connection.exec_driver_sql(self._sql, self._in_place(values))

    async def read(self, database: Database, **values: Any) -> list[Sequence[Any]]:
        """The same on a reading connection."""
        return await database.read(self._sql, self._in_place(values))

    def _in_place(self, values: dict[str, Any]) -> tuple[Any, ...]:
        return tuple([values[place] for place in self._places])


class _Constants(SQLiteCompiler):
    """Writes constants into the statement and leaves only bound values out: a partial index is used only
    where the statement shows the constant of its condition."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **options: Any) -> str:
        if bindparam.value is not None and not bindparam.required:
            options["literal_binds"] = True
        written: str = super().visit_bindparam(bindparam, *args, **options)  # type: ignore[no-untyped-call]
        return written


class Sqlite(SQLiteDialect_pysqlite):
    """The dialect that statements are written with once."""

    statement_compiler = _Constants
    supports_statement_cache = True
