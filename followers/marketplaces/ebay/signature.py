"""Whether a notice is eBay's: its challenge and its signature. Pure.

https://developer.ebay.com/marketplace-account-deletion, https://github.com/eBay/event-notification-nodejs-sdk
"""

import base64
import hashlib
import hmac
import re

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from followers.marketplaces.errors import NoticeRefused

BEGIN, END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
DIGESTS = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
"""As a key names its own; SHA1 is what eBay uses."""


class Signature(msgspec.Struct, frozen=True):
    """What X-EBAY-SIGNATURE carries, as JSON in base64."""

    kid: str
    signature: str
    alg: str = "ecdsa"
    digest: str = "SHA1"


def signature_of(header: str | None) -> Signature:
    """Raises NoticeRefused."""
    try:
        found = msgspec.json.decode(base64.b64decode(header or "", validate=True), type=Signature)
    except ValueError:
        raise NoticeRefused("X-EBAY-SIGNATURE is missing or cannot be read") from None
    if not KEY_ID.fullmatch(found.kid):
        raise NoticeRefused("X-EBAY-SIGNATURE names no key")
    return found


def verify(body: bytes, signature: str, key: str, digest: str) -> None:
    """``key``: PEM in one line, as eBay answers. Raises NoticeRefused."""
    whole = key.replace(BEGIN, f"{BEGIN}\n").replace(END, f"\n{END}\n")
    try:
        public = load_pem_public_key(whole.encode("ascii"))
        if not isinstance(public, ec.EllipticCurvePublicKey) or digest.upper() not in DIGESTS:
            raise NoticeRefused(f"eBay's key is of a kind that is not documented: {digest}")
        public.verify(base64.b64decode(signature), body, ec.ECDSA(DIGESTS[digest.upper()]()))
    except (InvalidSignature, ValueError):
        raise NoticeRefused("the signature is not of this body") from None


def verification_token(client_secret: str) -> str:
    """What eBay is told beside our address, 32 to 80 letters: nobody has to make one up and keep it."""
    return hmac.new(client_secret.encode(), b"stockwire: eBay's verification token", hashlib.sha256).hexdigest()


def challenge_answer(code: str, token: str, endpoint: str) -> bytes:
    """``endpoint``: the address as it was registered, letter by letter."""
    hashed = hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()
    return msgspec.json.encode({"challengeResponse": hashed})
