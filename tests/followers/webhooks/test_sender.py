"""What one attempt may cost, what it sends, and what its owner sees of the answer."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from followers.outward.addresses import Addresses
from followers.webhooks.sender import ANSWER_BYTES_MAX, EXCERPT_CHARACTERS_MAX, Outcome, Sender
from server.settings.addresses import networks_of
from tests.followers.webhooks.receiving import Names, Receiver

OPEN = Addresses(networks_of(["127.0.0.0/8"]))
HURRY_S = 0.5
"""For attempts that are meant to run out of time."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver("127.0.0.1") as receiver:
        yield receiver


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with Sender(OPEN) as sender:
        yield sender


async def sent(sender: Sender, receiver: Receiver, answer: bytes, *, closes: bool = False) -> Outcome:
    receiver.answer, receiver.closes = answer, closes
    return await sender.send(f"http://127.0.0.1:{receiver.port}/hooks?a=%2F", {"webhook-id": "e_0_1"}, b'{"a": 1}')


async def test_what_is_sent_is_what_was_signed_with_the_headers_given(sender: Sender, receiver: Receiver) -> None:
    outcome = await sent(sender, receiver, b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok")
    assert (outcome.status, outcome.excerpt, outcome.failure) == (202, "ok", None)
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    assert head.startswith(b"POST /hooks?a=%2F HTTP/1.1\r\n")
    lines = head.lower().split(b"\r\n")
    assert {b"webhook-id: e_0_1", b"content-type: application/json", b"content-length: 8"} <= set(lines)
    assert not [line for line in lines if line.startswith((b"cookie", b"authorization", b"accept-encoding"))]


async def test_a_connection_is_used_again_and_no_cookie_is_kept(sender: Sender, receiver: Receiver) -> None:
    for _ in range(2):
        await sent(sender, receiver, b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\ncontent-length: 0\r\n\r\n")
    assert receiver.connections == 1
    assert not [one for one in receiver.requests if b"cookie" in one.lower()]


async def test_an_endless_answer_is_cut_and_its_status_counts(sender: Sender, receiver: Receiver) -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (50 * ANSWER_BYTES_MAX)
    outcome = await sent(sender, receiver, endless)
    assert (outcome.status, outcome.excerpt) == (200, "x" * EXCERPT_CHARACTERS_MAX)


async def test_a_compressed_answer_is_not_unpacked(sender: Sender, receiver: Receiver) -> None:
    outcome = await sent(
        sender, receiver, b"HTTP/1.1 500 Oops\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00"
    )
    assert outcome.status == 500
    assert outcome.excerpt.isprintable()


async def test_an_excerpt_holds_nothing_that_a_terminal_would_obey(sender: Sender, receiver: Receiver) -> None:
    outcome = await sent(sender, receiver, b"HTTP/1.1 400 Bad\r\ncontent-length: 8\r\n\r\n\x1b[2J\xff\x00\nb")
    assert outcome.excerpt == " [2J\ufffd \nb"


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        *((b"120", 120, 120), (b"0", 0, 0), (b"9" * 40, 1e17, 1e19)),
        (b"in an hour", 3_000, 3_600),
        (b"Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
async def test_retry_after_is_read_as_seconds_and_as_a_date(
    value: bytes, low: float, high: float, sender: Sender, receiver: Receiver
) -> None:
    if value == b"in an hour":
        value = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True).encode()
    answer = b"HTTP/1.1 503 Later\r\nretry-after: %s\r\ncontent-length: 0\r\n\r\n" % value
    waits = (await sent(sender, receiver, answer)).retry_after_s
    assert waits is not None
    assert low <= waits <= high


@pytest.mark.parametrize("value", [b"soon", b"-5", b"1.5", b"", b"Wed, 99 Oct 2015 07:28:00 GMT"])
async def test_a_retry_after_that_says_nothing_is_passed_over(value: bytes, sender: Sender, receiver: Receiver) -> None:
    answer = b"HTTP/1.1 503 Later\r\nretry-after: %s\r\ncontent-length: 0\r\n\r\n" % value
    assert (await sent(sender, receiver, answer)).retry_after_s is None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "did not answer in HTTP, or broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "did not answer in HTTP, or broke off"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", "did not answer in HTTP, or broke off"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000 + b"\r\n", "did not answer in HTTP, or broke off"),
    ],
)
async def test_what_is_no_answer_is_a_failure_in_words(
    answer: bytes, says: str, sender: Sender, receiver: Receiver
) -> None:
    outcome = await sent(sender, receiver, answer, closes=True)
    assert (outcome.status, outcome.failure) == (None, says)


async def test_a_receiver_that_says_nothing_or_drips_is_left_in_time(receiver: Receiver) -> None:
    async with Sender(OPEN, timeout_s=HURRY_S) as sender:
        silent = await sent(sender, receiver, b"")
        half_a_head = await sent(sender, receiver, b"HTTP/1.1 200 OK\r\nx: ")
        half_a_body = await sent(sender, receiver, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
    assert [silent.failure, half_a_head.failure] == ["did not answer within 0.5 s"] * 2
    assert half_a_body.status == 200
    assert silent.elapsed_ms >= HURRY_S * 1_000


async def test_nobody_at_the_port_is_a_failure_that_shows_no_address(sender: Sender) -> None:
    async with Receiver("127.0.0.1") as gone:
        pass
    outcome = await sender.send(f"http://127.0.0.1:{gone.port}/", {}, b"{}")
    assert outcome.failure == "cannot be connected to"


async def test_a_certificate_is_verified_against_the_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file := tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("shop.example").configure_cert(tls)
    names = Names({"shop.example": ("127.0.0.1",), "other.example": ("127.0.0.1",)})
    async with Receiver("127.0.0.1", tls) as receiver:
        async with Sender(OPEN, ca_file=ca_file, resolver=names) as sender:
            good = await sender.send(f"https://shop.example:{receiver.port}/", {}, b"{}")
            other = await sender.send(f"https://other.example:{receiver.port}/", {}, b"{}")
        async with Sender(OPEN, resolver=names) as sender:
            stranger = await sender.send(f"https://shop.example:{receiver.port}/", {}, b"{}")
        async with Receiver("127.0.0.1") as plain, Sender(OPEN, ca_file=ca_file, resolver=names) as sender:
            unencrypted = await sender.send(f"https://shop.example:{plain.port}/", {}, b"{}")
    assert good.status == 200
    assert other.failure is not None
    assert other.failure.startswith("has a certificate that is not trusted: Hostname mismatch")
    assert stranger.failure == "has a certificate that is not trusted: unable to get local issuer certificate"
    assert unencrypted.failure in ("does not speak TLS as it should", "did not answer within 15 s")


async def test_names_that_hang_keep_nobody_else_from_looking_names_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's own threads look up ledger and database, too."""
    answered, look_up = threading.Event(), socket.getaddrinfo

    def slow(host: str, *given: int) -> object:
        if host.endswith(".example"):
            answered.wait()
        return look_up(host, *given)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        async with Sender(OPEN, timeout_s=HURRY_S) as sender:
            hanging = [sender.send(f"https://{number}.example/", {}, b"") for number in range(50)]
            lost = asyncio.gather(*hanging)
            await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 1)
            outcomes = await lost
    finally:
        answered.set()
    assert {outcome.failure for outcome in outcomes} == {f"did not answer within {HURRY_S:g} s"}
