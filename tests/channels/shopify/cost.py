"""What a query costs: before it runs by what it asks for, behind it by what came back."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableValues,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

MUTATION = 10
CONNECTION = 2
LARGEST = 1_000
_ASKED: Final = object()
"""In place of a value: nothing has come back yet."""
_WRAPPING = ("nodes", "edges")


class Cost:
    """Of the queries of one document, with its variables."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: VariableValues
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def of(self, operation: OperationDefinitionNode, data: Any = _ASKED) -> int:
        """``data``: of the answer; without it what is asked for."""
        root = self._schema.get_root_type(operation.operation)
        is_mutation = operation.operation is OperationType.MUTATION
        total = 0
        for field in self._fields(operation.selection_set):
            value = _part(data, field)
            if is_mutation:
                payload = get_named_type(root.fields[field.name.value].type)  # type: ignore[union-attr]  # validated
                total += MUTATION + sum(
                    self._field(one, payload, _part(value, one), own=0) for one in self._fields(field.selection_set)
                )
            else:
                total += self._field(field, root, value)
        return total

    def _field(self, field: FieldNode, parent: Any, value: Any, own: int = 1) -> int:
        if value is None or field.name.value.startswith("__"):
            return 0
        definition = parent.fields[field.name.value]
        kind = get_named_type(definition.type)
        if is_leaf_type(kind) or kind.name == "PageInfo":
            return 0
        arguments = get_argument_values(definition, field, self._variables)
        if kind.name.endswith("Connection"):
            return self._connection(field, kind, value, arguments)
        count = len(arguments["ids"]) if "ids" in arguments else 1
        return count * (own + self._below(field.selection_set, kind, value))

    def _connection(self, field: FieldNode, kind: Any, value: Any, arguments: Mapping[str, Any]) -> int:
        size = arguments.get("first") or arguments.get("last") or 0
        if value is not _ASKED:
            size = max((len(value[key]) for key in value if isinstance(value[key], list)), default=size)
        below = 0
        for one in self._fields(field.selection_set):
            if one.name.value in _WRAPPING:
                below = max(below, self._field(one, kind, _ASKED, own=int(one.name.value == "nodes")))
        return CONNECTION + weight(size) * below

    def _below(self, selections: SelectionSetNode | None, kind: Any, value: Any) -> int:
        """Of an interface or union: of the dearest of its kinds."""
        costs: dict[str, int] = {}
        for field, of_kind in self._fields_of(selections, kind):
            costs[of_kind.name] = costs.get(of_kind.name, 0) + self._field(field, of_kind, _part(value, field))
        if not costs:
            return 0
        return max(costs.values()) if is_abstract_type(kind) else sum(costs.values())

    def _fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        return (field for field, _ in self._fields_of(selections, None))

    def _fields_of(self, selections: SelectionSetNode | None, kind: Any) -> Iterator[tuple[FieldNode, Any]]:
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                yield one, kind
                continue
            assert isinstance(one, InlineFragmentNode | FragmentSpreadNode)
            fragment = one if isinstance(one, InlineFragmentNode) else self._fragments[one.name.value]
            condition = fragment.type_condition
            inner = self._schema.type_map[condition.name.value] if condition else kind
            yield from self._fields_of(fragment.selection_set, inner)


def weight(size: int) -> int:
    """How often a node of a connection counts. As recorded: 1 for 1, 4 for 10, 11 for 250."""
    return max(1, math.floor(2 * math.log(size))) if size else 0


def _part(value: Any, field: FieldNode) -> Any:
    if value is _ASKED or value is None:
        return value
    if isinstance(value, list):
        return next((_part(one, field) for one in value if one is not None), None)
    return value.get(field.alias.value if field.alias else field.name.value)
