"""Commands from NATS JetStream: the stream ``<prefix>-commands``, by its durable consumer ``intake``.

A consumer gives its messages to whoever asks, and those of a client that is gone only when it has waited ``ACK_WAIT_S``
for them: ``in_order`` keeps what came later from overtaking them. Whoever comes while another is at work stands by.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, Header, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from followers.brokers.broker import Broker
from followers.brokers.nats_client import NatsConnection, UserRefused
from followers.brokers.tls import NoTls
from followers.intake.answering import Dead
from followers.intake.applying import Applying, Outcome
from followers.intake.in_order import InOrder
from followers.intake.laid_aside import PROBLEM_HEADER, laid_aside, size_as_line
from followers.intake.source import SourceAway, SourceRefused
from followers.intake.sources.nats_begun import Begun
from followers.intake.sources.nats_results import NatsResults
from stockwire.streams.cloud_event import CloudEvent
from wire.bindings import nats_headers

CONSUMER = "intake"
ACK_WAIT_S = 3.0
"""After which the server delivers again what somebody has in hand who says nothing."""
PROGRESS_S = 0.7
"""Between two words of ours that we are at it."""
PULL_S = 5.0
"""For how long a request for messages stands at the server."""
LOOK_S = 0.1
STANDBY_S = 0.3
"""Between two looks whether somebody is at work, with as much again at random."""
STANDBY_LOOKS = 3
"""In a row without a request of anybody and without a change, before one goes to work."""
MESSAGE_ID = "Nats-Msg-Id"
INBOX = re.compile(r"_INBOX(\.[A-Za-z0-9_-]{1,64}){1,8}", re.ASCII)
"""Where an answer may be sent to beside ``results``. Nowhere else: with the intake's rights, whoever may send commands
could delete streams by it."""
PAYLOAD_BYTES = 2**20
"""The server's default, which any result fits into."""
NONE_CAME = ("404", "408")
"""What a request for messages ends with, all being well."""
AWAY = ("409 Server Shutdown", "409 Leadership Change")
"""What it ends with where the consumer will be given out again, by this server or by another."""
SERVERS = "nats-"
"""What headers begin with, in small letters, that are for the server: what a write expects, how long it is kept."""
HEADERS_BYTES_MAX = 2**16 - 1
"""Of one message that a stream keeps (error 10097)."""
HEADERS_BYTES = 128
"""Of these, beside those that came and the problem: their first and last line, and the message's id."""
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""Of a header. nats-py writes no others, and a server passes them on."""


class NatsSource:
    def __init__(self, broker: Broker, prefix: str, window: int) -> None:
        self._broker = broker
        self._prefix = prefix
        self._window = window

    async def run(self, applying: Applying, stopping: asyncio.Event, reached: Callable[[], None]) -> None:
        with _told():
            async with NatsConnection(self._broker, f"{self._prefix} intake") as connection:
                results, dead_bytes_max = await self._make(connection)
                begun = Begun(connection, f"{self._prefix}-commands", self._consumer())
                await begun.make()
                working = _Working(self._prefix, connection, applying, self._window, results, dead_bytes_max, begun)
                reached()
                await working.stand_by(stopping)
                try:
                    await working.run(stopping)
                finally:
                    await working.cancel()

    async def _make(self, connection: NatsConnection) -> tuple[NatsResults, int]:
        """Makes the streams that are missing. The second: how many bytes a dead message may have."""
        jetstream = connection.jetstream
        batches, dead_bytes_max = False, connection.client.max_payload
        for name in ("commands", "results", "dead"):
            stream = f"{self._prefix}-{name}"
            subjects = [f"{self._prefix}.{name}", *([f"{self._prefix}.{name}.>"] if name == "commands" else ())]
            try:
                info = await connection.within(jetstream.stream_info(stream))
            except NotFoundError:
                atomic = (name == "results" and connection.has_batches) or None
                config = StreamConfig(name=stream, subjects=subjects, storage=StorageType.FILE, allow_atomic=atomic)
                info = await connection.within(jetstream.add_stream(config))
            batches |= name == "results" and bool(info.config.allow_atomic)
            if name == "dead" and (info.config.max_msg_size or -1) > 0:
                dead_bytes_max = min(dead_bytes_max, info.config.max_msg_size or 0)
        return NatsResults(connection, f"{self._prefix}.results", batches=batches), dead_bytes_max

    def _consumer(self) -> ConsumerConfig:
        return ConsumerConfig(
            durable_name=CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_deliver=-1,
            max_ack_pending=self._window,
            deliver_policy=DeliverPolicy.ALL,
        )


class _Working:
    """What is in hand."""

    def __init__(
        self,
        prefix: str,
        connection: NatsConnection,
        applying: Applying,
        window: int,
        results: NatsResults,
        dead_bytes_max: int,
        begun: Begun,
    ) -> None:
        self._prefix = prefix
        self._begun = begun
        self._results = results
        self._dead_bytes_max = dead_bytes_max
        self._stream = f"{prefix}-commands"
        self._connection = connection
        self._applying = applying
        self._window = window
        self._in_order = InOrder(0)
        self._messages: dict[int, Msg] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_by_one = True
        self._asked = 0
        self._asked_until = 0.0
        self._gone: str | None = None
        self._stirred = asyncio.Event()

    async def stand_by(self, stopping: asyncio.Event) -> None:
        before, quiet = None, 0
        while not stopping.is_set() and quiet < STANDBY_LOOKS:
            info = await self._info()
            now = (info.delivered, info.ack_floor)
            quiet = 0 if info.num_waiting or (before is not None and now != before) else quiet + 1
            before = now
            await asyncio.sleep(STANDBY_S * (1 + random.random()))

    async def run(self, stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        inbox = self._connection.client.new_inbox()
        await self._connection.client.subscribe(inbox, cb=self._come)
        await self._begun.read()
        await self._look()
        told_at = looked_at = loop.time()
        while not stopping.is_set():
            self._check()
            await self._ask(inbox)
            self._stirred.clear()
            self._ended()
            await self._begin()
            if loop.time() - told_at > PROGRESS_S:
                told_at = loop.time()
                for message in list(self._messages.values()):
                    await message.in_progress()
            if self._in_order.held and loop.time() - looked_at > LOOK_S:
                looked_at = loop.time()
                await self._look()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._stirred.wait()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._applying.end_s)
        self._ended()
        await self._connection.client.flush(1)

    def _check(self) -> None:
        """Raises ConnectionError, and SourceAway where nothing can come of the consumer any more."""
        self._connection.check()
        if self._gone in AWAY:
            raise SourceAway(f"NATS is away: {self._gone}")
        if self._gone is not None:
            raise SourceAway(
                f"the consumer {CONSUMER} of the stream {self._stream} gives nothing ({self._gone}): see that nobody "
                "deletes them; what is missing is made anew"
            )

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _ask(self, inbox: str) -> None:
        """Always for as many as the consumer lets anybody have in hand; one by one while commands come again."""
        loop = asyncio.get_running_loop()
        if self._asked > 0 and loop.time() < self._asked_until:
            return
        if self._one_by_one and self._in_order.begun:
            return
        self._asked = 1 if self._one_by_one else self._window
        self._asked_until = loop.time() + PULL_S + 1
        request = {"batch": self._asked, "expires": int(PULL_S * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{CONSUMER}"
        await self._connection.client.publish(subject, json.dumps(request).encode(), reply=inbox)

    async def _come(self, message: Msg) -> None:
        self._stirred.set()
        if not message.reply.startswith("$JS.ACK."):
            self._asked = 0  # a word of the server: nothing more comes of that request
            self._gone = _gone(message.headers or {})
            return
        self._asked -= 1
        sequence = message.metadata.sequence.stream
        if self._in_order.come(sequence):
            self._messages[sequence] = message

    async def _begin(self) -> None:
        most = self._window if not self._one_by_one else 1 - self._in_order.begun
        for sequence in self._in_order.begin(most):
            message = self._messages[sequence]
            again = (message.metadata.num_delivered or 1) > 1
            self._one_by_one &= again
            times = await self._begun.times(sequence) if again else 1
            end = partial(self._end, sequence, message)
            self._tasks.add(self._applying.begin(message.data, partial(event_of, message), times, end))

    async def _end(self, sequence: int, message: Msg, outcome: Outcome) -> None:
        await self._tell(sequence, message, outcome)
        await message.ack()
        self._in_order.end(sequence)
        del self._messages[sequence]
        self._stirred.set()

    async def _tell(self, sequence: int, message: Msg, outcome: Outcome) -> None:
        """Told twice of one message, within two minutes, it stands there once: the server drops the second."""
        if isinstance(outcome, Dead):
            subject = f"{self._prefix}.dead"
            headers, data = dead_of(message.headers or {}, message.data, outcome, self._dead_bytes_max)
            headers[MESSAGE_ID] = f"dead-{sequence}-{_kept_at(message)}"
            await self._connection.within(self._connection.jetstream.publish(subject, data, headers=headers))
        else:
            headers = nats_headers(outcome.attributes)
            id_ = f"{outcome.attributes['id']}.{sequence}-{_kept_at(message)}"
            await self._results.tell({**headers, MESSAGE_ID: id_}, outcome.data)
            if outcome.reply_to is not None and INBOX.fullmatch(outcome.reply_to):
                # nobody answers: whoever waits there may have gone
                answer = self._connection.client.publish(outcome.reply_to, outcome.data, headers=headers)
                await self._connection.within(answer)

    async def _look(self) -> None:
        """Who has what; nothing is begun meanwhile, but more may come."""
        held, last = self._in_order.held, self._in_order.last
        info = await self._info()
        self._in_order.told(_floor(info), info.num_ack_pending or 0, held, last)

    async def _info(self) -> ConsumerInfo:
        return await self._connection.within(self._connection.jetstream.consumer_info(self._stream, CONSUMER))

    def _ended(self) -> None:
        """Raises what a task raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()


def event_of(message: Msg) -> CloudEvent:
    """Raises Unreadable."""
    return CloudEvent.of_nats(message.headers, message.data)


def dead_of(headers: Mapping[str, str], data: bytes, dead: Dead, bytes_max: int) -> tuple[dict[str, str], bytes]:
    """The headers and data of a dead message: as it came, but without what told the server how to keep it, and without
    what does not fit any more into the server's limits; ``bytes_max``: of headers and data."""
    kept = [(name, value) for name, value in headers.items() if not name.lower().startswith(SERVERS)]
    headers_max = min(HEADERS_BYTES_MAX, bytes_max) - HEADERS_BYTES
    fitting = laid_aside(kept, data, dead.problem, _size, headers_max, bytes_max - HEADERS_BYTES)
    return {**dict(fitting.headers), PROBLEM_HEADER: fitting.problem}, fitting.body


def _size(name: str, value: str) -> int:
    return size_as_line(name, value) if NAME.fullmatch(name) else 0


def _kept_at(message: Msg) -> int:
    """So that what stands at the same place of a stream that was made anew is another message."""
    return int(message.metadata.timestamp.timestamp() * 1e6)


def _gone(word: Mapping[str, str]) -> str | None:
    """What the server says, where that is more than that none came while the request stood."""
    status = word.get(Header.STATUS, "")
    return None if status in NONE_CAME else f"{status} {word.get(Header.DESCRIPTION, '')}".strip()


def _floor(info: ConsumerInfo) -> int:
    return 0 if info.ack_floor is None else info.ack_floor.stream_seq


@contextmanager
def _told() -> Iterator[None]:
    """What nats-py raises, as SourceError."""
    try:
        yield
    except UserRefused as error:
        raise SourceRefused(f"NATS refuses: {error} (docs/how-to/commands.md has the rights)") from error
    except NoTls as error:
        raise (SourceRefused if error.refused else SourceAway)(f"NATS: {error}") from error
    except ServiceUnavailableError as error:
        raise SourceAway(f"JetStream is away: {error.description}") from error
    except NotFoundError as error:
        raise SourceAway(f"JetStream says: {error.description}; what is missing is made anew") from error
    except APIError as error:
        raise SourceRefused(f"JetStream refuses: {error.description} ({error.code})") from error
    except nats.errors.MaxPayloadError as error:
        raise SourceRefused(f"a result is above the server's max_payload: set that to {PAYLOAD_BYTES}") from error
    except (OSError, nats.errors.Error) as error:
        raise SourceAway(f"NATS is away: {str(error) or type(error).__name__}") from error
