"""`stockwire intake` in the test's own process, and commands for it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from followers.intake.process import SCOPES, Intake
from followers.intake.settings import read_settings
from stockwire.streams.cloud_event import CloudEvent
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until
from wire.bindings import kafka_headers

SOURCE = "/shop"


@dataclass(frozen=True, slots=True)
class Sent:
    """A command in binary mode: attributes by name."""

    attributes: dict[str, str]
    data: bytes

    @property
    def id(self) -> str:
        return self.attributes["id"]


def command(name: str, id_: str, data: Any, **attributes: str) -> Sent:
    """``partitionkey``: what keeps commands in order on Kafka."""
    said = {"specversion": "1.0", "id": id_, "source": SOURCE, "type": f"stockwire.command.{name}.v1", **attributes}
    return Sent(said, data if isinstance(data, bytes) else orjson.dumps(data))


def sale(id_: str, location: str, sku: str, quantity: int = 1) -> Sent:
    data = {"sku": sku, "location": location, "quantity": -quantity, "kind": "sale", "reference": id_}
    return command("movement", id_, data, partitionkey=f"{location}/{sku}")


def event_of(sent: Sent) -> CloudEvent:
    """Raises Unreadable."""
    return CloudEvent.of_kafka(kafka_headers(sent.attributes), sent.data)


async def settings_of(system: System, **more: object) -> dict[str, object]:
    return {
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_INTAKE_KEY": await system.key("intake", *SCOPES),
        **more,
    }


async def readiness(intake: Intake) -> str | None:
    """Why it is not ready."""
    return await intake._why_not_ready()


async def until_ready(intake: Intake) -> None:
    async def ready() -> bool:
        return await readiness(intake) is None

    await wait_until(ready, what="the intake is ready")


@asynccontextmanager
async def running(system: System, **more: object) -> AsyncIterator[Intake]:
    """Until the block ends, when it stops as on SIGTERM."""
    given = {"STOCKWIRE_INTAKE_PORT": 0, **await settings_of(system, **more)}
    intake = Intake(read_settings({name: str(value) for name, value in given.items()}))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            started = asyncio.Event()
            task = tasks.create_task(intake.run(listener, started.set))
            await started.wait()
            try:
                yield intake
            finally:
                intake.stop()
                async with asyncio.timeout(PATIENCE_S):
                    await task
