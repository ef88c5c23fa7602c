"""SQS for tests: the one of moto, a process of its own."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.harness.children import die_with_parent
from tests.harness.peers import need_peer
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

REGION, ACCOUNT = "us-east-1", "123456789012"
ACCESS_KEY, SECRET_KEY = "amazon", "amazon"


@asynccontextmanager
async def queue_service(folder: Path) -> AsyncIterator[str]:
    """Its endpoint. Skips the test where moto is not installed."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    process = _start(port, folder / "queues.log")
    try:
        async with aiohttp.ClientSession() as session:
            await wait_until(lambda: _answers(session, endpoint), swallow=aiohttp.ClientError)
        yield endpoint
    finally:
        process.kill()
        await asyncio.to_thread(process.wait, PATIENCE_S)


def _start(port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [need_peer("amazon"), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.defpath},
            preexec_fn=die_with_parent(signal.SIGKILL),
        )


async def create_queue(endpoint: str, name: str) -> str:
    """Its ARN."""
    async with aiohttp.ClientSession() as session:
        status, _ = await ask_queue(session, endpoint, REGION, "CreateQueue", {"QueueName": name})
    assert status == 200, status
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


async def ask_queue(
    session: aiohttp.ClientSession, endpoint: str, region: str, action: str, asked: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Status and answer."""
    url, body = f"{endpoint}/", orjson.dumps(asked)
    headers = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", url, data=body, headers=headers)
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "sqs", region).add_auth(request)
    async with session.post(url, data=body, headers=dict(request.headers)) as answer:
        content = await answer.read()
        return answer.status, orjson.loads(content) if content else {}


async def _answers(session: aiohttp.ClientSession, endpoint: str) -> bool:
    status, _ = await ask_queue(session, endpoint, REGION, "ListQueues", {})
    return status == 200
