"""What does the look-ahead keep between requests? Every cache of `resolvers` and `schema`, found by looking."""

import sys
from collections.abc import Iterator
from typing import Any


def caches() -> Iterator[tuple[str, Any]]:
    """Every function with a cache, by its full name."""
    for module_name, module in sorted(sys.modules.items()):
        if module_name.partition(".")[0] in ("resolvers", "schema"):
            for name, value in vars(module).items():
                if hasattr(value, "cache_parameters") and value.__module__ == module_name:
                    yield f"{module_name}.{name}", value


def forget_all() -> None:
    for _, cache in caches():
        cache.cache_clear()
