"""An identity provider's key set over HTTPS."""

import asyncio
import ssl

import httpx

from server.errors import KeysUnavailable
from server.tokens.key_set import SET_BYTES_MAX
from server.tokens.keys import FETCH_S


class Endpoint:
    """Trusts the authorities that this machine trusts. A redirect is an error: it could lead anywhere."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._authorities = ssl.create_default_context()

    async def __call__(self) -> bytes:
        """At most ``SET_BYTES_MAX``, within ``FETCH_S``. Raises KeysUnavailable."""
        try:
            async with asyncio.timeout(FETCH_S):
                return await self._get()
        except TimeoutError:
            raise KeysUnavailable(f"no answer within {FETCH_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise KeysUnavailable(f"{type(error).__name__} {error}".strip()) from None

    async def _get(self) -> bytes:
        # Nothing is unpacked: a few bytes could become gigabytes before they are counted.
        headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(verify=self._authorities, trust_env=False, timeout=FETCH_S) as client,
            client.stream("GET", self._url, headers=headers, follow_redirects=False) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise KeysUnavailable(f"it answered {answer.status_code}")
            document = b""
            async for part in answer.aiter_raw():
                document += part
                if len(document) > SET_BYTES_MAX:
                    raise KeysUnavailable(f"the answer has more than {SET_BYTES_MAX} bytes")
            return document
