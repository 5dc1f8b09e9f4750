"""Does a value obey a JSON Schema? The few words that the documented schemas use, and none besides."""

import re
from typing import Any

NOTES = {"$schema", "$defs", "title", "description", "default", "discriminator"}
"""Words that say nothing about the value."""

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "") -> list[str]:
    """What speaks against the value; nothing when it obeys. Raises ValueError for a word that is not known."""
    root = schema if root is None else root
    found: list[str] = []
    for word, said in schema.items():
        if word == "$ref":
            found += faults(value, root["$defs"][said.removeprefix("#/$defs/")], root, at)
        elif word in ("oneOf", "anyOf"):
            fitting = [each for each in said if not faults(value, each, root, at)]
            if not fitting or (word == "oneOf" and len(fitting) > 1):
                found.append(f"{at}: {len(fitting)} of {word} fit")
        elif word not in NOTES:
            found += _plain(word, said, value, schema, root, at)
    return found


def _plain(word: str, said: Any, value: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    match word:
        case "type":
            return [] if type(value) is TYPES[said] else [f"{at}: no {said}"]
        case "const":
            return [] if value == said else [f"{at}: not {said}"]
        case "enum":
            return [] if value in said else [f"{at}: none of {said}"]
        case "pattern":
            return [] if not isinstance(value, str) or re.search(said, value) else [f"{at}: not like {said}"]
        case "maxLength":
            return [] if not isinstance(value, str) or len(value) <= said else [f"{at}: too long"]
        case "required":
            return [f"{at}: {name} is missing" for name in said if name not in value]
        case "properties":
            known = {name: value[name] for name in said if isinstance(value, dict) and name in value}
            return [
                fault for name, each in known.items() for fault in faults(each, said[name], root, f"{at}/{name}")
            ]
        case "additionalProperties":
            assert said is False
            return [f"{at}: {name} is not known" for name in value if name not in schema.get("properties", {})]
        case "items":
            return [fault for n, each in enumerate(value) for fault in faults(each, said, root, f"{at}/{n}")]
    raise ValueError(f"{word} is not known here")
