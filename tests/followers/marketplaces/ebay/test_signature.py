"""Notices are eBay's, or nobody's: its own signed example is taken, and nothing that differs in a byte."""

import base64
import hashlib
import json

import pytest

from followers.marketplaces.ebay.signature import challenge_answer, signature_of, verification_token, verify
from followers.marketplaces.errors import NoticeRefused
from tests.channels.ebay.destinations import TOKEN
from tests.channels.ebay.signing import SigningKey

HEADER = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJ"
    "V3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1"
    "dyIsImRpZ2VzdCI6IlNIQTEifQ=="
)
BODY = (
    b'{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":'
    b'{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d",'
    b'"eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","publishAttemptCount":1,'
    b'"data":{"username":"test_user","userId":"ma8vp1jySJC",'
    b'"eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}'
)
KEY = (
    "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKI"
    "KheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----"
)
"""What eBay signed itself: test/test.json of https://github.com/eBay/event-notification-nodejs-sdk."""


def test_what_ebay_signed_itself_is_taken() -> None:
    signature = signature_of(HEADER)
    assert signature.kid == "9936261a-7d7b-4621-a0f1-96ccb428af49"
    verify(BODY, signature.signature, KEY, signature.digest)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (BODY.replace(b"test_user", b"test_uses"), KEY),
        (BODY + b"\n", KEY),
        (BODY, SigningKey().public["key"]),
        (BODY, "-----BEGIN PUBLIC KEY-----bm8ga2V5-----END PUBLIC KEY-----"),
    ],
)
def test_another_body_or_another_key_is_refused(body: bytes, key: str) -> None:
    with pytest.raises(NoticeRefused, match="not of this body"):
        verify(body, signature_of(HEADER).signature, key, "SHA1")


def test_a_digest_that_ebay_does_not_document_is_refused() -> None:
    with pytest.raises(NoticeRefused, match="MD5"):
        verify(BODY, signature_of(HEADER).signature, KEY, "MD5")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "not base64!",
        base64.b64encode(b"not json").decode(),
        base64.b64encode(b'{"kid": "../config", "signature": ""}').decode(),
        base64.b64encode(b'{"signature": ""}').decode(),
    ],
)
def test_a_header_that_names_no_key_is_refused(header: str | None) -> None:
    with pytest.raises(NoticeRefused, match="X-EBAY-SIGNATURE"):
        signature_of(header)


def test_a_challenge_is_answered_as_documented_with_a_token_that_ebay_takes() -> None:
    token, url = verification_token("secret"), "https://shop.example/v1/channels/ebay/notices"
    assert TOKEN.fullmatch(token)
    assert token != verification_token("another")
    expected = hashlib.sha256(b"a8628072" + token.encode() + url.encode()).hexdigest()
    assert json.loads(challenge_answer("a8628072", token, url)) == {"challengeResponse": expected}
