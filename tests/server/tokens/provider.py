"""An identity provider for tests: a real HTTP server with a key set, which may break in every way."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from wire.tokens import Issuer

ISSUER = Issuer("https://login.example/", "stock.example", names_key=False)
TO_JWK: dict[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


@cache
def private_key(kind: str, name: str = "") -> Any:
    """``kind``: RSA, EC or OKP. The same name gives the same key: making RSA keys is slow."""
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_pem(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half. A member that is ``...`` is left out."""
    kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC" if hasattr(key, "curve") else "OKP"
    public: dict[str, Any] = TO_JWK[kind].to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    stated = {**public, "kid": kid, "use": "sig", **members}
    return {name: value for name, value in stated.items() if value is not ...}


def token(signing_key: Any, algorithm: str, kid: str | None, *scopes: str, headers: Any = None, **claims: Any) -> str:
    """Of ``ISSUER``, good for an hour. A claim that is ``...`` is left out."""
    stated = {
        "iss": ISSUER.name,
        "aud": ISSUER.audience,
        "sub": "visitor",
        "exp": int(time.time()) + 3_600,
        "scope": " ".join(scopes),
        **claims,
    }
    named = {} if kid is None else {"kid": kid}
    content = {name: value for name, value in stated.items() if value is not ...}
    return jwt.encode(content, signing_key, algorithm=algorithm, headers={**named, **(headers or {})})


@dataclass(eq=False)
class IdentityProvider:
    """``keys``: its key set. ``raw``: answered instead, as it is. ``held``: while clear, nothing is answered. ``tls``:
    None over plain HTTP."""

    port: int = 0
    keys: list[dict[str, Any]] = field(default_factory=list)
    raw: bytes | None = None
    requests: int = 0
    tls: ssl.SSLContext | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/keys"

    async def start(self) -> None:
        self.held.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Safe if it is not running."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self.held.wait()
            writer.write(self.raw or answer(json.dumps({"keys": self.keys}).encode()))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers])
    return head.encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def identity_provider(
    *keys: dict[str, Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider(keys=list(keys), tls=tls)
    await provider.start()
    try:
        yield provider
    finally:
        provider.held.set()
        await provider.stop()
