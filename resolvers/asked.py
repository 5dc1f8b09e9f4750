"""What did the client ask for? A selection as plain values: what `schema.selection` makes of a document.

A selection is hashable and holds no leaf value: each literal or variable has a slot, so documents that differ
in values only are equal and share a plan. `null`, booleans, the lengths of lists, and enumerations that choose
between indexes stay in the shape.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """A leaf value that is bound when the statement runs: its place among the values."""

    index: int


@dataclass(frozen=True, slots=True)
class Fields:
    """An input object: the fields that were given."""

    given: tuple[tuple[str, "Argument"], ...]


Argument = Slot | Fields | Enum | bool | None | tuple["Argument", ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was selected, for each type that the value may have."""

    by_type: tuple[tuple[str, tuple["Field", ...]], ...]

    def of(self, type_name: str) -> tuple["Field", ...]:
        return next((fields for name, fields in self.by_type if name == type_name), ())


NOTHING = Selection(())


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field: its key in the answer, its name, its arguments, and what was selected below it."""

    key: str
    name: str
    arguments: Fields = Fields(())
    selection: Selection = NOTHING
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.key, self.name, self.arguments, self.selection)))

    def __hash__(self) -> int:
        """Kept: each request looks its plan up by the whole selection."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Asked:
    """A root field, and the values of its slots."""

    field: Field
    values: tuple[Any, ...] = ()
