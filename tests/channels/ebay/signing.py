"""The key with which eBay signs notices, and the header that carries a signature.

https://github.com/eBay/event-notification-nodejs-sdk: base64 of {"alg", "kid", "signature", "digest"}, ECDSA over the
body with SHA-1; the public key is written in one line.
"""

import base64
import json
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class SigningKey:
    """One that was just made. ``kid``: its id."""

    def __init__(self) -> None:
        self.kid = str(uuid.uuid4())
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> dict[str, str]:
        """As getPublicKey answers."""
        written = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {"key": "".join(written.splitlines()), "algorithm": "ECDSA", "digest": "SHA1"}

    def header(self, body: bytes) -> str:
        # SHA-1 is what eBay signs with
        signature = base64.b64encode(self._key.sign(body, ec.ECDSA(hashes.SHA1()))).decode()
        said = {"alg": "ecdsa", "kid": self.kid, "signature": signature, "digest": "SHA1"}
        return base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()
