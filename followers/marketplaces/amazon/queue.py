"""The queue of Amazon's (SQS) into which notices are put: requests are signed, messages are proven to be its own.

Its protocol: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from followers.marketplaces.adapter import Notice, Remote, RemoteAway
from followers.marketplaces.amazon.access import understood

ARN = re.compile(r"arn:aws:sqs:([a-z0-9-]{1,40}):([0-9]{12}):([A-Za-z0-9_-]{1,80})")
MESSAGES_MAX = 10
WAIT_S, HIDDEN_S = 5, 60
"""How long it waits for a first message, and how long nobody else is given what it gave."""
PROOF, RECEIPT = "x-stockwire-pulled", "x-stockwire-receipt"


@dataclass(frozen=True, slots=True)
class Queue:
    """``endpoint``: of the service in the queue's region. ``key``: what proves that a message was taken from it."""

    remote: Remote
    arn: str
    endpoint: str
    access_key: str
    secret_key: str
    key: bytes

    async def receive(self) -> list[Notice]:
        asked = {"MaxNumberOfMessages": MESSAGES_MAX, "WaitTimeSeconds": WAIT_S, "VisibilityTimeout": HIDDEN_S}
        messages = (await self._ask("ReceiveMessage", asked)).get("Messages") or []
        with understood():
            return [self._notice(one["Body"].encode(), one["ReceiptHandle"]) for one in messages]

    async def delete(self, notices: Sequence[Notice]) -> None:
        """What is not deleted comes again."""
        entries = [
            {"Id": str(number), "ReceiptHandle": one.headers[RECEIPT]}
            for number, one in enumerate(notices)
            if RECEIPT in one.headers
        ]
        for begin in range(0, len(entries), MESSAGES_MAX):
            await self._ask("DeleteMessageBatch", {"Entries": entries[begin : begin + MESSAGES_MAX]})

    async def check(self) -> None:
        """Raises RemoteAway if it cannot be asked."""
        await self._ask("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})

    def proves(self, notice: Notice) -> bool:
        """Whether it came out of the queue: anybody may post one to our address."""
        return hmac.compare_digest(notice.headers.get(PROOF, "").encode(), self._proof(notice.body).encode())

    def _notice(self, body: bytes, receipt: str) -> Notice:
        return Notice({PROOF: self._proof(body), RECEIPT: receipt}, body)

    def _proof(self, body: bytes) -> str:
        return hmac.new(self.key, body, hashlib.sha256).hexdigest()

    async def _ask(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        region, account, name = ARN.fullmatch(self.arn).groups()  # type: ignore[union-attr]  # checked when it was set
        body = orjson.dumps({"QueueUrl": f"{self.endpoint}/{account}/{name}", **asked})
        headers = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
        request = AWSRequest("POST", f"{self.endpoint}/", data=body, headers=headers)
        SigV4Auth(Credentials(self.access_key, self.secret_key), "sqs", region).add_auth(request)
        answer = await self.remote.request(
            "POST", f"{self.endpoint}/", quota=None, headers=dict(request.headers), body=body
        )
        told = answer.json() if answer.body else {}
        if answer.status != 200 or not isinstance(told, dict):
            reason = str(told.get("message") or told.get("__type"))[:200] if isinstance(told, dict) else "no reason"
            raise RemoteAway(f"the queue answers {answer.status} to {action}: {reason}")
        return told
