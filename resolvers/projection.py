"""How is a type read from the database? A projection has one entry for each field of its type.

An entry is a column, a value derived in Python from columns that it names, a part of the same row, or a
relation to rows of another scope. Each renders itself into one SQL expression that yields JSON, and, where
Python has to finish the value, a `load`. Where nothing is loaded the database's text goes out untouched.

Rows have names that are unique in a statement, and their columns are written as text. So nothing is
correlated by accident: a nested SELECT reaches exactly the rows around it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, func, literal_column, null, select

from models.authorization.rule import Rule
from resolvers.asked import Field, Selection
from resolvers.dialects import json_array, json_list, json_object, json_value
from resolvers.finishing import Load, load_all, load_fields, load_items, load_one
from resolvers.statement import Arguments, Expression, Row, Statement

Source = Callable[[Row, Arguments], Select[Any]]


class Rendered(NamedTuple):
    """JSON made by the database, and what Python still has to do with it.

    `mark`: a text that stands in the JSON wherever there is something to do: without it, nothing is. None: always.
    """

    expression: Expression
    load: Load | None = None
    mark: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(ABC):
    """How one field is read. `optional`: it may be null; `arguments`: the names of those it takes.

    `seen_by`: for whom there is something to see; None for whoever sees the object. What leads on says it always.
    """

    optional: bool = False
    arguments: frozenset[str] = frozenset()
    seen_by: Rule | None = None

    @property
    def target(self) -> str | None:
        """The type of object that it leads to; None for plain values and for one of several types."""
        return None

    @property
    def is_list(self) -> bool:
        return False

    @abstractmethod
    def render(self, field: Field, row: Row) -> Rendered: ...


PROJECTIONS: dict[str, "Projection"] = {}
"""Every projection by the name of its type: relations name their targets, so types may point at each other."""


class Projection:
    """The entries of a type, by the names of its fields. `table`: where most of its columns come from.

    `seen_by`: by which rule somebody comes to see an object of this type at all.
    """

    def __init__(self, name: str, table: Table | None = None, /, *, seen_by: Rule, **entries: Entry) -> None:
        self.name = name
        self.seen_by = seen_by
        self.entries: dict[str, Entry] = {}
        for key, entry in entries.items():
            settled = entry.settled(key, table) if isinstance(entry, Column) else entry
            self.entries[_camel_case(key)] = settled
        PROJECTIONS[name] = self


@dataclass(frozen=True)
class Column(Entry):
    """A column of the row, by default the one with the field's own name, or an expression over columns."""

    value: str | Callable[[Row], Expression] = ""

    def settled(self, name: str, table: Table | None) -> "Column":
        """With the field's name, and held against the table's word on whether the column may be null."""
        value = self.value or name
        if isinstance(value, str) and table is not None and value in table.c:
            nullable = table.c[value].nullable
            if nullable is not self.optional:
                raise TypeError(f"{table.name}.{value}: nullable={nullable}, yet optional={self.optional}")
        return replace(self, value=value)

    def render(self, field: Field, row: Row) -> Rendered:  # noqa: ARG002
        return Rendered(json_value(_of(row, self.value)))


@dataclass(frozen=True)
class Derived(Entry):
    """A value that Python makes of columns that it names: `function(actor, *values)`.

    SQL puts the list of these columns at the field's own place, and Python replaces it there.
    """

    function: Callable[..., Any]
    columns: tuple[str | Callable[[Row], Expression], ...] = ()
    gives_list: bool = field(default=False, kw_only=True)

    @property
    def is_list(self) -> bool:
        return self.gives_list

    def render(self, field: Field, row: Row) -> Rendered:  # noqa: ARG002
        values = json_array(_of(row, column) for column in self.columns)
        return Rendered(values, lambda found, actor: self.function(actor, *found))


@dataclass(frozen=True)
class Part(Entry):
    """An object made of the same row."""

    of_type: str
    seen_by: Rule = field(kw_only=True)

    @property
    def target(self) -> str:
        return self.of_type

    def render(self, field: Field, row: Row) -> Rendered:
        return an_object(self.target, field.selection, row)


@dataclass(frozen=True)
class One(Part):
    """A relation to at most one row. Its source starts from a scope: what is not visible is not there.

    `shared`: the same row for a statement that names no viewer, where everybody who sees this row sees that one.
    """

    source: Source
    shared: Source | None = field(default=None, kw_only=True)

    def render(self, field: Field, row: Row) -> Rendered:
        chosen = self.shared if row.statement.is_shared and self.shared else self.source
        source = chosen(row, Arguments(row.statement, field.arguments))
        return one_row(row.statement, source, lambda it: an_object(self.target, field.selection, it))


@dataclass(frozen=True)
class Many(One):
    """A relation to a bounded list, in the order of its source, which sets the bound."""

    @property
    def is_list(self) -> bool:
        return True

    def render(self, field: Field, row: Row) -> Rendered:
        source = self.source(row, Arguments(row.statement, field.arguments))
        return all_rows(row.statement, source, lambda it: an_object(self.target, field.selection, it))


@dataclass(frozen=True)
class OneOf(Entry):
    """A value of one of several types: the row says by `type` in which scope to look its `id` up.

    The row is the source's; without a source, the one that is being read. With `for_each`, one value for each row
    of the source: null for what is not found.
    """

    source: Source | None
    scopes: Mapping[str, Callable[[Row], Select[Any]]]
    seen_by: Rule = field(kw_only=True)
    for_each: bool = field(default=False, kw_only=True)

    @property
    def is_list(self) -> bool:
        return self.for_each

    def render(self, field: Field, row: Row) -> Rendered:
        if self.source is None:
            return self._choose(field.selection, row)
        source = self.source(row, Arguments(row.statement, field.arguments))
        around = all_rows if self.for_each else one_row
        return around(row.statement, source, lambda it: self._choose(field.selection, it))

    def _choose(self, selection: Selection, row: Row) -> Rendered:
        def looked_up(name: str) -> Rendered:
            scope = self.scopes[name](row).where(row.type == name)
            return one_row(row.statement, scope, lambda it: an_object(name, selection, it))

        found = [looked_up(name) for name in self.scopes]
        loads = [each.load for each in found]
        mark = common_mark(found)
        if mark is None and any(loads):
            return Rendered(json_array(each.expression for each in found), load_one(loads))
        value = func.coalesce(*(each.expression for each in found), null())
        return Rendered(value, load_all(loads) if any(loads) else None, mark)


def an_object(target: str, selection: Selection, row: Row) -> Rendered:
    """The row as an object of the target's type, with the selected fields in their order."""
    entries = PROJECTIONS[target].entries
    return fields_object(
        {
            it.key: type_name(target) if it.name == "__typename" else entries[it.name].render(it, row)
            for it in selection.of(target)
        }
    )


def fields_object(rendered: Mapping[str, Rendered]) -> Rendered:
    """A JSON object of these values, by their keys in the answer."""
    loads = [(key, each.load) for key, each in rendered.items() if each.load is not None]
    expression = json_object((key, each.expression) for key, each in rendered.items())
    return Rendered(expression, load_fields(loads) if loads else None, common_mark(rendered.values()))


def one_row(statement: Statement, source: Select[Any], make: Callable[[Row], Rendered]) -> Rendered:
    """What `make` makes of the source's row; null where there is none."""
    row = Row(statement, source)
    made = make(row)
    return Rendered(select(made.expression).select_from(row.read()).scalar_subquery(), made.load, made.mark)


def all_rows(statement: Statement, source: Select[Any], make: Callable[[Row], Rendered]) -> Rendered:
    """The list of what `make` makes of the source's rows, in their order."""
    return list_of(Row(statement, source), make)


def list_of(row: Row, make: Callable[[Row], Rendered]) -> Rendered:
    made = make(row)
    found = select(json_list(made.expression)).select_from(row.read()).scalar_subquery()
    return Rendered(found, load_items(made.load) if made.load else None, made.mark)


def common_mark(rendered: Iterable[Rendered]) -> str | None:
    """The mark of all that have something to do, where it is one."""
    marks = {each.mark for each in rendered if each.load is not None}
    return marks.pop() if len(marks) == 1 else None


def type_name(name: str) -> Rendered:
    return Rendered(literal_column(f"'{name}'"))


def _of(row: Row, column: str | Callable[[Row], Expression]) -> Expression:
    value: Expression = getattr(row, column) if isinstance(column, str) else column(row)
    return value


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
