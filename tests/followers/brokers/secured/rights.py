"""What the how-to pages say that a user needs: their own lines, read."""

import argparse
import re
import shlex
from typing import NamedTuple

from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from tests.docs.pages import blocks
from tests.harness.source import ROOT

HOW_TOS = ROOT / "docs" / "how-to"
KAFKA_ACLS, SET_PERMISSIONS = "kafka-acls.sh", "rabbitmqctl set_permissions"
WORD = "stockwire"
"""What names begin with on the pages."""
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
}
CLUSTER = "kafka-cluster"


def kafka_rights(page: str, user: str, prefix: str) -> list[AclBinding]:
    """Those that ``kafka-acls.sh`` gives there to ``user``, for names that begin with ``prefix``."""
    found: list[AclBinding] = []
    for block in blocks(HOW_TOS / page):
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith(KAFKA_ACLS):
                found += _bindings(line, user, prefix)
    assert found, f"{page} gives {user} nothing"
    return found


class Permissions(NamedTuple):
    """Regular expressions, of names of exchanges and queues."""

    configure: str
    write: str
    read: str


def rabbitmq_rights(page: str, user: str) -> Permissions:
    """Those that ``rabbitmqctl set_permissions`` gives there to ``user``."""
    for block in blocks(HOW_TOS / page):
        for line in block.text.splitlines():
            if line.startswith(f"{SET_PERMISSIONS} {user} "):
                return Permissions(*shlex.split(line.removeprefix(f"{SET_PERMISSIONS} {user} ")))
    raise AssertionError(f"{page} gives {user} nothing")


class Subjects(NamedTuple):
    """Of NATS, which a user may publish to, and subscribe to."""

    publish: list[str]
    subscribe: list[str]


def nats_rights(page: str, user: str) -> Subjects:
    """Those that the ``authorization`` block of the page gives to ``user``."""
    for block in blocks(HOW_TOS / page):
        if found := re.search(rf"user: {user}\b.*?publish: (\[.*?\]).*?subscribe: (\[.*?\])", block.text, re.DOTALL):
            return Subjects(*(re.findall(r'"([^"]+)"', group) for group in found.groups()))
    raise AssertionError(f"{page} gives {user} nothing")


def _bindings(line: str, user: str, prefix: str) -> list[AclBinding]:
    parser = argparse.ArgumentParser(KAFKA_ACLS, exit_on_error=False)
    parser.add_argument("--bootstrap-server")
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", default="literal")
    parser.add_argument("--cluster", action="store_true")
    for name in RESOURCES:
        parser.add_argument(f"--{name.replace('_', '-')}", action="append", default=[])
    given = parser.parse_args(shlex.split(line)[1:])
    if given.allow_principal != f"User:{user}":
        return []
    pattern = ResourcePatternType[given.resource_pattern_type.upper()]
    on = [(kind, _named(name, prefix), pattern) for each, kind in RESOURCES.items() for name in getattr(given, each)]
    if given.cluster:
        on.append((ResourceType.BROKER, CLUSTER, ResourcePatternType.LITERAL))
    return [
        AclBinding(kind, name, how, given.allow_principal, "*", _operation(operation), AclPermissionType.ALLOW)
        for kind, name, how in on
        for operation in given.operation
    ]


def _operation(name: str) -> AclOperation:
    """``DescribeConfigs``, as the tool calls it."""
    return next(one for one in AclOperation if one.name.replace("_", "") == name.upper())


def _named(name: str, prefix: str) -> str:
    assert name.startswith(WORD), f"{name} is none of ours"
    return prefix + name.removeprefix(WORD)
