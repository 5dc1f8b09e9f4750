"""How often does an operation ask for each field? Under any alias, at any depth, in fragments wherever they are
spread; what a directive may leave out is counted."""

from collections import Counter
from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


def fields_of(document: DocumentNode, operation: str | None) -> Mapping[str, int]:
    """Of the operation with this name, or the first one, by the names of fields. The document is valid: its
    fragments are there, and none leads back to itself."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    known: dict[str, Counter[str]] = {}

    def below(selected: SelectionSetNode) -> Counter[str]:
        found: Counter[str] = Counter()
        for node in selected.selections:
            if isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name not in known:
                    known[name] = below(fragments[name].selection_set)
                found.update(known[name])
                continue
            if isinstance(node, FieldNode):
                found[node.name.value] += 1
            if node.selection_set is not None:  # type: ignore[attr-defined]
                found.update(below(node.selection_set))  # type: ignore[attr-defined]
        return found

    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode) and (
            not operation or (each.name and each.name.value == operation)
        ):
            return below(each.selection_set)
    return {}
