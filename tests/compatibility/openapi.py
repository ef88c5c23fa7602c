"""What callers of an older OpenAPI document would notice of a newer one. Pure; what is only for people is left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "put", "post", "delete")
MORE_MAY_COME = "more may come"
"""In the description of a list of values: whoever reads them takes what it does not know as it says there."""
UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "minLength", "minItems", "minProperties")
EXACT = ("pattern", "format", "not")

Schema = Mapping[str, Any]
Documents = Mapping[str, Schema]
"""By file name: one may refer to another."""


@dataclass(frozen=True)
class Node:
    """A piece of a document, after its references."""

    documents: Documents
    name: str
    content: Schema

    def at(self, content: Any) -> "Node":
        if "$ref" not in content:
            return Node(self.documents, self.name, content)
        name, _, pointer = content["$ref"].partition("#/")
        home = Node(self.documents, name or self.name, self.documents[name or self.name])
        target: Any = home.content
        for part in pointer.split("/"):
            target = target[part]
        return home.at(target)

    def get(self, field: str) -> "Node | None":
        return self.at(self.content[field]) if field in self.content else None

    def parts(self, field: str) -> dict[str, "Node"]:
        return {name: self.at(part) for name, part in self.content.get(field, {}).items()}

    def alternatives(self) -> "list[Node]":
        found = self.content.get("oneOf") or self.content.get("anyOf")
        return [self.at(one) for one in found] if found else [self]

    def values(self, field: str) -> set[Any] | None:
        """None: whatever there is."""
        value = self.content.get(field)
        return None if value is None else set(value) if isinstance(value, list) else {value}


def noticed(old: Documents, new: Documents) -> Iterator[str]:
    for name, document in old.items():
        was, now = Node(old, name, document), Node(new, name, new[name])
        for path, routes in was.parts("paths").items():
            routes_now = now.parts("paths").get(path)
            for method in METHODS:
                if (operation := routes.get(method)) is not None:
                    found = None if routes_now is None else routes_now.get(method)
                    if routes_now is None or found is None:
                        yield f"{method} {path}: is gone"
                    else:
                        yield from _parameters(f"{method} {path}", [routes, operation], [routes_now, found])
                        yield from _body(f"{method} {path}", operation, found)
                        yield from _answers(f"{method} {path}", operation, found)


def _parameters(where: str, old: list[Node], new: list[Node]) -> Iterator[str]:
    was, now = _by_name(old), _by_name(new)
    for name in was:
        if name not in now:
            yield f"{where}: parameter {name} is gone"
        elif (before := was[name].get("schema")) and (after := now[name].get("schema")):
            yield from _taken(f"{where}: parameter {name}", before, after)
    for name, parameter in now.items():
        if parameter.content.get("required") and not (name in was and was[name].content.get("required")):
            yield f"{where}: parameter {name} is required"


def _by_name(nodes: list[Node]) -> dict[str, Node]:
    found = [node.at(one) for node in nodes for one in node.content.get("parameters", ())]
    return {parameter.content["name"]: parameter for parameter in found}


def _body(where: str, old: Node, new: Node) -> Iterator[str]:
    was, now = old.get("requestBody"), new.get("requestBody")
    if now is not None and now.content.get("required") and not (was and was.content.get("required")):
        yield f"{where}: a body is required"
    for media, content in was.parts("content").items() if was else ():
        found = now.parts("content").get(media) if now else None
        if found is None:
            yield f"{where}: no {media} is taken"
        elif (before := content.get("schema")) and (after := found.get("schema")):
            yield from _taken(f"{where}: the body", before, after)


def _answers(where: str, old: Node, new: Node) -> Iterator[str]:
    """A status that is gone is no loss, and one that is new has a problem type of its own."""
    now = new.parts("responses")
    for status, answer in old.parts("responses").items():
        if status not in now:
            if status.startswith("2"):
                yield f"{where}: {status} is gone"
            continue
        for media, content in answer.parts("content").items():
            found = now[status].parts("content").get(media)
            if found is None:
                yield f"{where}: {status} is no {media}"
            elif (before := content.get("schema")) and (after := found.get("schema")):
                yield from _given(f"{where}: {status}", before, after)


def _taken(where: str, old: Node, new: Node) -> Iterator[str]:
    """Whatever was good is good."""
    yield from _schema(where, old, new, asked=True)


def _given(where: str, old: Node, new: Node) -> Iterator[str]:
    """Whoever understood the old understands the new."""
    yield from _schema(where, old, new, asked=False)


def _schema(where: str, old: Node, new: Node, *, asked: bool) -> Iterator[str]:
    if len(old.alternatives()) > 1 or len(new.alternatives()) > 1:
        for one in old.alternatives():
            found = [list(_schema(where, one, other, asked=asked)) for other in new.alternatives()]
            if all(found):
                yield from min(found, key=len)
        return
    yield from _values(where, old, new, asked=asked)
    yield from _bounds(where, old, new, asked=asked)
    yield from _fields(where, old, new, asked=asked)
    for inner in ("items", "additionalProperties"):
        before, after = old.content.get(inner), new.content.get(inner)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _schema(f"{where}[]", old.at(before), new.at(after), asked=asked)
        elif asked and after is False and before is not False:
            yield f"{where}: other fields are refused"


def _values(where: str, old: Node, new: Node, *, asked: bool) -> Iterator[str]:
    for field in ("type", "enum", "const"):
        was, now = old.values(field), new.values(field)
        wider = now is None or (was is not None and was <= now)
        narrower = was is None or (now is not None and now <= was)
        may_grow = field == "enum" and MORE_MAY_COME in old.content.get("description", "").lower()
        if not (wider if asked else narrower or may_grow):
            yield f"{where}: {field} was {_shown(was)}, is {_shown(now)}"


def _shown(values: set[Any] | None) -> str:
    return "anything" if values is None else ", ".join(sorted(map(str, values)))


def _bounds(where: str, old: Node, new: Node, *, asked: bool) -> Iterator[str]:
    endless = float("inf")
    for field in (*UPPER, *LOWER):
        sign = 1 if field in UPPER else -1
        was, now = (sign * node.content.get(field, sign * endless) for node in (old, new))
        if now < was if asked else now > was:
            yield f"{where}: {field} was {old.content.get(field)}, is {new.content.get(field)}"
    for field in EXACT:
        was, now = old.content.get(field), new.content.get(field)
        if was != now and (now if asked else was) is not None:
            yield f"{where}: {field} was {was}, is {now}"


def _fields(where: str, old: Node, new: Node, *, asked: bool) -> Iterator[str]:
    now = new.parts("properties")
    for name, field in old.parts("properties").items():
        if name not in now:
            yield f"{where}.{name}: is gone"
        else:
            yield from _schema(f"{where}.{name}", field, now[name], asked=asked)
    needed, needed_now = set(old.content.get("required", ())), set(new.content.get("required", ()))
    for name in sorted(needed_now - needed if asked else needed - needed_now):
        yield f"{where}.{name}: {'is required' if asked else 'may be left out'}"
