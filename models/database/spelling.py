"""How is a statement spelled for each engine, when it is compiled once and run often?

Constants are written into it: a partial index is used only where the statement shows the constant of its
condition. What differs from call to call has a place.
"""

from typing import Any

from sqlalchemy import BigInteger, Dialect, types
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler


class _Constants(SQLCompiler):
    """Leaves only bound values out of the text."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **options: Any) -> str:
        if bindparam.value is not None and not bindparam.required:
            options["literal_binds"] = True
        written: str = super().visit_bindparam(bindparam, *args, **options)  # type: ignore[no-untyped-call]
        return written


class _SqliteCompiler(_Constants, SQLiteCompiler):
    pass


class _PostgresqlCompiler(_Constants, PGCompiler_psycopg):
    pass


class Sqlite(SQLiteDialect_pysqlite):
    statement_compiler = _SqliteCompiler
    supports_statement_cache = True


class _Number(BigInteger):
    """Keys and sizes come from clients: any number that fits a key is one, however small the column's."""

    render_bind_cast = True


class Postgresql(PGDialect_psycopg):
    statement_compiler = _PostgresqlCompiler
    supports_statement_cache = True
    colspecs = {  # noqa: RUF012
        **PGDialect_psycopg.colspecs,
        types.Integer: _Number,
        types.BigInteger: _Number,
    }


SPELLINGS: dict[str, Dialect] = {
    "sqlite": Sqlite(),
    "postgresql": Postgresql(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}
"""By the name of the engine's dialect."""
