"""What does Python still do with JSON that the database made? Whatever it is, at the place where it belongs."""

from collections.abc import Callable, Sequence
from typing import Any

Load = Callable[[Any, Any], Any]
"""Takes the value and who asks: the asker with all that decisions need; of what is marked, `Asking` alone."""


def load_fields(loads: list[tuple[str, Load]]) -> Load:
    def load(value: Any, asker: Any) -> Any:
        if value is not None:
            for key, finish in loads:
                if key in value:
                    value[key] = finish(value[key], asker)
        return value

    return load


def load_one(loads: Sequence[Load | None]) -> Load:
    """Each type has a place of its own, and at most one of them a value: so its load is known."""

    def load(values: Any, asker: Any) -> Any:
        for value, finish in zip(values, loads, strict=True):
            if value is not None:
                return finish(value, asker) if finish else value
        return None

    return load


def load_all(loads: Sequence[Load | None]) -> Load:
    """Of marked values: they tell themselves, and fields of the same name are of the same shape in all types."""

    def load(value: Any, asker: Any) -> Any:
        for finish in loads:
            value = finish(value, asker) if finish else value
        return value

    return load


def load_items(finish: Load) -> Load:
    return lambda items, asker: [finish(item, asker) for item in items]
