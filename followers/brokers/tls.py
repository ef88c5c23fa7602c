"""What is wrong with TLS between a broker and us, in a few words and with the fix."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from followers.brokers.broker import CA_FILE, CERT_FILE, KEY_FILE, Broker

ALERT_S, PROBE_S = 1.0, 5.0
"""A broker says only behind the handshake (of TLS 1.3) that it does not take our certificate, and else nothing."""
GREETING_BYTES = 4_096
# X509_V_ERR_... of OpenSSL, which Python does not name.
NOT_YET_VALID, EXPIRED, ANOTHER_HOST, ANOTHER_ADDRESS = 9, 10, 62, 64
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNEXPECTED_EOF_WHILE_READING")
OF_OURS = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE")


class NoTls(ConnectionError):
    """To be read behind the broker's name. ``refused``: it does not come right by itself, somebody has to mend a
    certificate."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


def no_tls(error: ssl.SSLError) -> NoTls:
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoTls(_why_not_believed(error), refused=True)
    reason = error.reason or str(error)
    if "ALERT" in reason and any(word in reason for word in OF_OURS):
        return NoTls(f"it does not take our certificate ({reason}): see {CERT_FILE} and {KEY_FILE}", refused=True)
    if reason in NOT_TLS:
        return NoTls(f"it speaks no TLS ({reason}): see the scheme and the port in the URL", refused=False)
    return NoTls(f"no TLS with it ({reason})", refused=False)


def _why_not_believed(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.rstrip(".")
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        return f"its certificate is not valid now ({said}): renew it there"
    if error.verify_code in (ANOTHER_HOST, ANOTHER_ADDRESS):
        return f"its certificate is of another host ({said}): write a name into the URL that stands in it"
    return f"its certificate is not believed ({said}): name who signed it in {CA_FILE}"


def tried(broker: Broker, host: str, port: int, *, greets: bool = False) -> NoTls | None:
    """What a handshake of our own finds there, None if nothing is wrong; for a client that does not say. ``greets``:
    the broker says a line before. Blocks for ``ALERT_S``, and for some times ``PROBE_S`` at most beside."""
    try:
        context = broker.context_now()
        if context is None:
            return None
        with socket.create_connection((host, port), PROBE_S) as plain:
            if greets:
                plain.recv(GREETING_BYTES)
            with context.wrap_socket(plain, server_hostname=host) as connection:
                connection.settimeout(ALERT_S)
                connection.recv(1)
    except ssl.SSLError as error:
        return no_tls(error)
    except OSError:  # it is away, or says nothing because all is well
        pass
    return None


@asynccontextmanager
async def connecting(
    broker: Broker, host: str, port: int, failures: tuple[type[Exception], ...], *, greets: bool = False
) -> AsyncIterator[None]:
    """Around a try to connect that fails with one of ``failures``: raises NoTls instead where it is for TLS."""
    try:
        yield
    except NoTls:
        raise
    except failures as error:
        why = no_tls(error) if isinstance(error, ssl.SSLError) else None
        if why is None and broker.address.tls:
            why = await asyncio.to_thread(tried, broker, host, port, greets=greets)
        if why is None:
            raise
        raise why from error
