"""Each line of Standard Webhooks 1.0 that speaks of keys and signatures, as other people's libraries read it."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import svix
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from followers.webhooks.key_ring import KEYS_MAX, OVERLAP_S, HeldKey, KeyRing, TooManyRotations
from followers.webhooks.secrets import new_secret, new_signing_key
from followers.webhooks.signature import AsymmetricKey, KeyUnusable, SymmetricKey, key_of, sign

ID = "f81d4fae_2_118"
BODY = '{"type":"stock.changed","timestamp":"2026-11-30T10:00:00.000000Z","data":{"sku":"Käse"}}'.encode()
Headers = dict[str, str]
Reader = Callable[[SymmetricKey, Headers, bytes], Any]


def standard(key: SymmetricKey, headers: Headers, body: bytes) -> Any:
    return standardwebhooks.Webhook(key.text).verify(body, headers)


def of_svix(key: SymmetricKey, headers: Headers, body: bytes) -> Any:
    svix.Webhook(key.text).verify(body, headers)
    return json.loads(body)


readers = pytest.mark.parametrize("read", [standard, of_svix])


def signed(*keys: SymmetricKey | AsymmetricKey, timestamp_s: int | None = None) -> Headers:
    at_s = int(time.time()) if timestamp_s is None else timestamp_s
    return {
        "webhook-id": ID,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(keys, ID, at_s, BODY),
    }


def verify_v1a(public_text: str, headers: Headers, body: bytes) -> None:
    """As the specification has it: one of the signatures of the version that one knows. Raises InvalidSignature."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_text.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for one in headers["webhook-signature"].split(" "):
        version, _, signature = one.partition(",")
        if version == "v1a":
            public.verify(base64.b64decode(signature), content)
            return
    raise InvalidSignature


def test_the_example_of_the_specification_comes_out_to_the_letter() -> None:
    """The one that all libraries of Standard Webhooks hold in their own tests."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@readers
def test_a_message_is_verified_by_the_libraries_of_receivers(read: Reader) -> None:
    key = new_secret()
    assert read(key, signed(key), BODY)["data"] == {"sku": "Käse"}


@readers
@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_a_message_of_which_a_part_was_changed_is_refused(read: Reader, part: str) -> None:
    key = new_secret()
    headers, body = signed(key), BODY
    if part == "body":
        body = BODY.replace(b"stock", b"stack")
    elif part == "secret":
        key = new_secret()
    else:
        headers[part] = {"webhook-id": f"{ID}0", "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}[part]
    with pytest.raises((standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)):
        read(key, headers, body)


@readers
@pytest.mark.parametrize("off_s", [-600, 600])
def test_an_old_message_that_somebody_plays_again_is_refused(read: Reader, off_s: int) -> None:
    """It can be, because the timestamp is that of the attempt and is signed with the rest."""
    key = new_secret()
    with pytest.raises((standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)):
        read(key, signed(key, timestamp_s=int(time.time()) + off_s), BODY)


def test_our_signature_is_the_one_that_their_library_makes() -> None:
    key, at_s = new_secret(), 1_790_000_000
    theirs = standardwebhooks.Webhook(key.text).sign(ID, datetime.fromtimestamp(at_s, UTC), BODY.decode())
    assert sign([key], ID, at_s, BODY) == theirs


@readers
def test_while_keys_change_a_receiver_with_either_is_content(read: Reader) -> None:
    old, new = new_secret(), new_secret()
    ring = KeyRing((HeldKey(old),)).rotated(new, now_s=1_000)
    within, behind = ring.signing(1_000 + OVERLAP_S - 1), ring.signing(1_000 + OVERLAP_S)
    assert (within, behind) == ((new, old), (new,))
    headers = signed(*within)
    assert headers["webhook-signature"].count(" ") == 1
    assert read(old, headers, BODY) == read(new, headers, BODY)
    with pytest.raises((standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)):
        read(old, signed(*behind), BODY)


@readers
def test_an_endpoint_may_go_over_from_one_kind_of_key_to_the_other(read: Reader) -> None:
    """Libraries that know v1 alone pass over v1a, as the specification asks."""
    secret, pair = new_secret(), new_signing_key()
    headers = signed(*KeyRing((HeldKey(secret),)).rotated(pair, 0).signing(1))
    read(secret, headers, BODY)
    verify_v1a(pair.public_text, headers, BODY)


def test_a_message_under_an_asymmetric_key_is_verified_by_its_public_half() -> None:
    pair = new_signing_key()
    headers = signed(pair)
    assert pair.public_text.startswith("whpk_")
    assert headers["webhook-signature"].startswith("v1a,")
    verify_v1a(pair.public_text, headers, BODY)
    with pytest.raises(InvalidSignature):
        verify_v1a(pair.public_text, headers, BODY + b" ")
    with pytest.raises(InvalidSignature):
        verify_v1a(new_signing_key().public_text, headers, BODY)


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_has_24_to_64_bytes(size: int) -> None:
    text = "whsec_" + base64.b64encode(bytes(range(size))).decode()
    assert key_of(text).text == text


def test_a_signing_key_is_read_with_and_without_its_public_half() -> None:
    pair = new_signing_key()
    seed, public = pair.private.private_bytes_raw(), pair.private.public_key().public_bytes_raw()
    for raw in (seed, seed + public):
        read = key_of("whsk_" + base64.b64encode(raw).decode())
        assert isinstance(read, AsymmetricKey)
        assert read.public_text == pair.public_text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must begin with whsec_ or whsk_"),
        ("secret", "must begin with whsec_ or whsk_"),
        ("whpk_" + base64.b64encode(bytes(32)).decode(), "must begin with whsec_ or whsk_"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "has 23 bytes: a whsec_ secret has 24 to 64, in base64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "has 65 bytes: a whsec_ secret has 24 to 64, in base64"),
        ("whsec_" + "not base64!", "is no base64 behind its prefix"),
        ("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "is no base64 behind its prefix"),
        ("whsk_" + base64.b64encode(bytes(31)).decode(), "has 31 bytes: a whsk_ key has 32"),
        ("whsk_" + base64.b64encode(bytes(64)).decode(), "has a public half that is not its own"),
        ("whsec_é", "is no base64 behind its prefix"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str, says: str) -> None:
    with pytest.raises(KeyUnusable) as refused:
        key_of(text)
    assert str(refused.value).startswith(says)
    assert not text or text not in str(refused.value)


def test_keys_do_not_show_themselves_in_a_log() -> None:
    for key in (new_secret(), new_signing_key()):
        assert key.text not in repr(KeyRing((HeldKey(key),)))
        assert key.text[8:40] not in repr(key)


def test_an_id_with_a_dot_is_never_signed() -> None:
    """The receiver puts id, timestamp and body together with dots: one in the id would make two readings of it."""
    with pytest.raises(AssertionError):
        sign([new_secret()], "a.b", 1, b"")


def test_rotations_in_a_row_are_bounded_and_each_old_key_keeps_its_own_end() -> None:
    ring = KeyRing((HeldKey(new_secret()),))
    for count in range(1, KEYS_MAX):
        ring = ring.rotated(new_secret(), count)
    assert [one.ends_s for one in ring.held] == [None, *(OVERLAP_S + count for count in range(KEYS_MAX - 1, 0, -1))]
    with pytest.raises(TooManyRotations):
        ring.rotated(new_secret(), KEYS_MAX)
    assert len(ring.rotated(new_secret(), OVERLAP_S + 1).held) == KEYS_MAX
