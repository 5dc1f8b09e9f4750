"""What every table shares: one metadata, the names of constraints, keys, and moments in time."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from models.tables import holds

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")
"""A row's number. SQLite counts rows only in a column that is spelled INTEGER."""

Folded = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that `fold` made, for searching and sorting: compared byte by byte on every engine."""


class Moment(TypeDecorator[datetime]):
    """A moment: an aware datetime in UTC, to the millisecond.

    SQLite keeps it as RFC 3339 text of fixed width, which sorts as time does and goes out to clients as it
    is; PostgreSQL keeps it as timestamptz. A naive datetime is refused.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        plain = DateTime(timezone=True) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(plain)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else rfc3339(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with three decimals, `2026-09-01T08:30:00.000Z`. Raises ValueError when naive."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    """The column holds a name of the enumeration."""
    names = ", ".join(f"'{kind.name}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({names})", name=column)


def organization_column(*, primary_key: bool = False) -> Column[int]:
    """Every table of a school carries the school, so that the database can be split by it."""
    return Column("organization_id", Key, primary_key=primary_key, nullable=False, info=holds.SCHOOL)


def of_organization() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization_id"], ["organizations.id"])


def refers_to(table: str, column: str) -> ForeignKeyConstraint:
    """A reference within one organization: the database itself keeps schools apart (invariant 6)."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"])


def referable() -> UniqueConstraint:
    """What `refers_to` points at."""
    return UniqueConstraint("organization_id", "id")


def only_one(name: str, *columns: str, where: str) -> Index:
    """At most one row with these values among those for which `where` holds."""
    condition = text(where)
    return Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def index_where(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)
