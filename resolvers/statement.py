"""What does a statement under construction keep track of? Rows and their names, and values that are bound."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, Subquery, bindparam, literal_column
from sqlalchemy.types import Integer, String, TypeEngine

from models.actor import Actor, Viewer, actor_from, standing
from resolvers.asked import Fields, Slot
from resolvers.signer import Signer

Expression = ColumnElement[Any]
Binder = Callable[[Sequence[Any], "Asking"], Any]

_ASKER = Viewer(bindparam("viewer_id", type_=Integer()), bindparam("organization_id", type_=Integer()))

VIEWER = replace(_ASKER, known=standing(_ASKER).cte("asker").prefix_with("NOT MATERIALIZED"))
"""The person who asks: scopes take it where rules take an actor. How that person stands is read in one place, and
only what is asked of it."""

PUBLIC_URL = bindparam("public_url", type_=String())


@dataclass(frozen=True)
class Asker(Actor):
    """The person who asks, for whom values are finished, and what signs that person's addresses."""

    signer: Signer

    @property
    def viewer(self) -> Viewer:
        return self


@dataclass(frozen=True)
class Asking:
    """What every statement may use: who asks, how addresses begin and are signed, and what a mutation or a
    listener gives."""

    viewer: Viewer
    public_url: str
    signer: Signer
    given: dict[str, Any] = field(default_factory=dict)

    def asker(self, facts: str) -> Asker:
        """Who asks, from the columns `FACTS` in their order, as JSON."""
        return _asker(self.viewer, self.signer, facts)


@lru_cache(maxsize=2_000)
def _asker(viewer: Viewer, signer: Signer, facts: str) -> Asker:
    """Remembered by the facts themselves, so it is never older than they are."""
    return Asker(**vars(actor_from(viewer, json.loads(facts))), signer=signer)


def given(name: str, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A value that the resolver gives: the number of the row that a mutation made, say."""
    return bindparam(f"given_{name}", type_=type_ or Integer())


class Statement:
    """One statement while it is made. `is_shared`: its answer is for several people, and so names none of them."""

    def __init__(self) -> None:
        self.is_shared = False
        self.binders: dict[str, Binder] = {
            "viewer_id": lambda _, asking: asking.viewer.id,
            "organization_id": lambda _, asking: asking.viewer.organization_id,
            "public_url": lambda _, asking: asking.public_url,
        }
        self._aliases = 0

    def alias(self) -> str:
        """A name for a row that no other row of the statement has."""
        self._aliases += 1
        return f"r{self._aliases}"

    def bind(
        self, slot: Slot, transform: Callable[[Any], Any] | None, type_: TypeEngine[Any]
    ) -> BindParameter[Any]:
        """A place for the slot's value, as `transform` makes it when the statement runs."""
        index = slot.index
        if transform is None:
            return self.place(lambda values, _: values[index], type_)
        return self.place(lambda values, _: transform(values[index]), type_)

    def place(self, binder: Binder, type_: TypeEngine[Any]) -> BindParameter[Any]:
        name = f"p{len(self.binders)}"
        self.binders[name] = binder
        return bindparam(name, type_=type_)

    def binder(self, name: str) -> Binder:
        if name.startswith("given_"):
            key = name.removeprefix("given_")
            return lambda _, asking: asking.given[key]
        return self.binders[name]


class Row:
    """A row that is being read. Its columns are attributes; only those that were used are selected."""

    def __init__(self, statement: Statement, source: Select[Any]) -> None:
        self.statement = statement
        self.alias = statement.alias()
        self._source = source
        self._used: dict[str, None] = {}

    def __getattr__(self, name: str) -> Expression:
        column = self._source.selected_columns[name]
        self._used[name] = None
        return literal_column(f"{self.alias}.{name}", column.type)

    def columns(self) -> Select[Any]:
        """The source, of which only what was used is selected."""
        wanted = [self._source.selected_columns[name] for name in self._used] or [literal_column("1").label("one")]
        return self._source.with_only_columns(*wanted, maintain_column_froms=True)

    def read(self) -> Subquery:
        """The FROM that gives these rows. Call it when everything inside has been rendered."""
        return self.columns().subquery(self.alias)


class Arguments:
    """The arguments of a field. What is null counts as not given."""

    def __init__(self, statement: Statement, given: Fields) -> None:
        self._statement = statement
        self._given = {name: value for name, value in given.given if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def bind(
        self,
        name: str,
        transform: Callable[[Any], Any] | None = None,
        *,
        type_: TypeEngine[Any] | None = None,
    ) -> BindParameter[Any]:
        """The place of a leaf value. Ask only for what is given."""
        slot = self._given[name]
        assert isinstance(slot, Slot)
        return self._statement.bind(slot, transform, type_ or String())

    def each(self, name: str) -> list[BindParameter[Any]]:
        """The places of a list's values; a null in it is left out."""
        items = self._given[name]
        assert isinstance(items, tuple)
        return [self._statement.bind(item, None, String()) for item in items if isinstance(item, Slot)]

    def bind_all(self, name: str, transform: Callable[[list[Any]], Any]) -> BindParameter[Any]:
        """One place for all values of a list."""
        items = self._given[name]
        assert isinstance(items, tuple)
        places = [item.index for item in items if isinstance(item, Slot)]
        return self._statement.place(lambda values, _: transform([values[place] for place in places]), String())

    def flag(self, name: str) -> bool | None:
        """A boolean, known while the statement is made; None when not given."""
        value = self._given.get(name)
        return value if isinstance(value, bool) else None

    def choice(self, name: str) -> Any:
        """An enumeration's value that is known while the statement is made."""
        return self._given[name]

    def within(self, name: str) -> "Arguments":
        """The fields of an input object; none when it is not given."""
        value = self._given.get(name)
        return Arguments(self._statement, value if isinstance(value, Fields) else Fields(()))
