"""Consumer keys: who may read, who may write."""

import base64
import binascii
import hmac

from starlette.requests import Request

from tests.channels.woocommerce.errors import Wrong

KEY, SECRET = "ck_of_the_tests", "cs_of_the_tests"
READ_KEY, READ_SECRET = "ck_that_reads", "cs_that_reads"
_SECRETS = {KEY: SECRET, READ_KEY: READ_SECRET}
_READS = ("GET", "HEAD", "OPTIONS")


def check(request: Request, *, revoked: bool, tls: bool) -> None:
    """Raises Wrong."""
    key, secret = _given(request)
    if key is None or not tls:
        message = "Sorry, you cannot list resources."
        raise Wrong("auth.missing" if tls else "auth.plain", 401, "woocommerce_rest_cannot_view", message)
    if revoked or key not in _SECRETS:
        raise Wrong("auth.key", 401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
    if not hmac.compare_digest(secret.encode(), _SECRETS[key].encode()):
        raise Wrong("auth.key", 401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")
    if key == READ_KEY and request.method not in _READS:
        message = "The API key provided does not have write permissions."
        raise Wrong("auth.read_only", 401, "woocommerce_rest_authentication_error", message)


def _given(request: Request) -> tuple[str | None, str]:
    query = request.query_params
    if "consumer_key" in query:
        return query["consumer_key"], query.get("consumer_secret", "")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None, ""
    try:
        key, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return key, secret
