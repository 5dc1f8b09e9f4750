"""What does a rule work with? One transaction: a connection, the moment it happens, and the messenger to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable

from models.messenger import ExternalMessenger

Result = TypeVar("Result")
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC, to the millisecond: what the database can keep."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass
class Transaction:
    """`woken` gathers the organizations in which something happened; they are told after the commit."""

    connection: Connection
    now: datetime
    messenger: ExternalMessenger
    woken: set[int] = field(default_factory=set)
    holding: Callable[[Connection, int], None] = field(default=lambda _, __: None, kw_only=True, repr=False)

    def hold(self, organization_id: int) -> None:
        """From here to the end nobody else writes in this organization."""
        self.holding(self.connection, organization_id)

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self.connection.execute(statement, parameters)


Job = Callable[[Transaction], Result]
