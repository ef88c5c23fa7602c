"""What is answered instead of what was asked for. Pure: how HTTP says it is in ``server.http.problems``.

Every error carries its numbers; ``wire.problems`` maps each type to its status and title. A process adds its own.

Problem
├── Invalid                 field, reason
├── Unauthorized
├── Forbidden               scope
├── NotFound                field, value
├── TooLarge                bytes_max
├── UnsupportedEncoding     header, encoding
├── Misdirected             host
└── Later                   retry_after_s
    ├── RateLimited         quota, window_s
    ├── Overloaded
    └── Unavailable
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from wire.problems import PROBLEMS


class Problem(Exception):
    """``numbers`` stand beside type, title, status and detail in the document (RFC 9457)."""

    type: ClassVar[str]

    def __init__(self, detail: str, **numbers: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.numbers = numbers

    @property
    def status(self) -> int:
        return PROBLEMS[self.type][0]

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    def document(self) -> dict[str, Any]:
        title = PROBLEMS[self.type][1]
        return {"type": self.type, "title": title, "status": self.status, "detail": self.detail, **self.numbers}


class Invalid(Problem):
    """``status`` is 400 for what cannot be read at all, 422 for what can be read and is wrong."""

    type = "invalid"

    def __init__(self, field: str, reason: str, status: int = 422) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)
        self._status = status

    @property
    def status(self) -> int:
        return self._status


class Unauthorized(Problem):
    """``expired``: the key or token was good and has ended."""

    type = "unauthorized"

    def __init__(self, detail: str, *, expired: bool = False) -> None:
        super().__init__(detail)
        self.expired = expired

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The same whether or not there is what the scope is about."""

    type = "forbidden"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}", scope=scope)


class NotFound(Problem):
    type = "not-found"

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"there is no {field} {value}", field=field, value=value)


class TooLarge(Problem):
    type = "too-large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"the body may have at most {bytes_max} bytes", bytes_max=bytes_max)


class UnsupportedEncoding(Problem):
    """415 for a ``Content-Encoding`` (RFC 9110, 15.5.16), 501 for a ``Transfer-Encoding`` (RFC 9112, 6.1)."""

    type = "unsupported-encoding"

    def __init__(self, header: str, encoding: str) -> None:
        super().__init__(f"{header}: {encoding} is not taken, send the body as it is", header=header, encoding=encoding)

    @property
    def status(self) -> int:
        return 415 if self.numbers["header"] == "Content-Encoding" else 501

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Accept-Encoding": "identity"}


class Misdirected(Problem):
    """``Host`` names somebody else: a page that had its name pointed here, or a proxy that is not ours."""

    type = "misdirected"

    def __init__(self, host: str) -> None:
        super().__init__("STOCKWIRE_ALLOWED_HOSTS does not name this host", host=host)


class Later(Problem):
    """Nothing is wrong with the request: the same one may be sent again."""

    def __init__(self, detail: str, retry_after_s: int = 1, **numbers: Any) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, **numbers)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


class RateLimited(Later):
    """``sender``: an owner, or what else the limit counts."""

    type = "rate-limited"

    def __init__(self, sender: str, retry_after_s: int, quota: int, window_s: int) -> None:
        detail = f"{sender} may send {quota} requests in {window_s} s"
        super().__init__(detail, retry_after_s, quota=quota, window_s=window_s)


class Overloaded(Later):
    type = "overloaded"


class Unavailable(Later):
    type = "unavailable"
