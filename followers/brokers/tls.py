"""What is wrong with TLS between a broker and us, in a few words and with the fix."""

import socket
import ssl

from followers.brokers.broker import CA_FILE, CERT_FILE, KEY_FILE, Broker

ALERT_S, PROBE_S = 1.0, 5.0
"""A broker says only behind the handshake (of TLS 1.3) that it does not take our certificate, and else nothing."""
# X509_V_ERR_... of OpenSSL, which Python does not name.
NOT_YET_VALID, EXPIRED, ANOTHER_HOST, ANOTHER_ADDRESS = 9, 10, 62, 64
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNEXPECTED_EOF_WHILE_READING")
OF_OURS = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE")


def why_no_tls(error: ssl.SSLError) -> str:
    """To be read behind the broker's name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _why_not_believed(error)
    reason = error.reason or str(error)
    if "ALERT" in reason and any(word in reason for word in OF_OURS):
        return f"it does not take our certificate ({reason}): see {CERT_FILE} and {KEY_FILE}"
    if reason in NOT_TLS:
        return f"it speaks no TLS ({reason}): see the scheme and the port in the URL"
    return f"no TLS with it ({reason})"


def _why_not_believed(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.rstrip(".")
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        return f"its certificate is not valid now ({said}): renew it there"
    if error.verify_code in (ANOTHER_HOST, ANOTHER_ADDRESS):
        return f"its certificate is of another host ({said}): write a name into the URL that stands in it"
    return f"its certificate is not believed ({said}): name who signed it in {CA_FILE}"


def tried(broker: Broker, host: str, port: int) -> str | None:
    """What a handshake of our own finds there, None if nothing is wrong; for a client that does not say. Blocks for
    ``ALERT_S``, and for twice ``PROBE_S`` at most beside."""
    try:
        context = broker.context_now()
        if context is None:
            return None
        with (
            socket.create_connection((host, port), PROBE_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.settimeout(ALERT_S)
            connection.recv(1)
    except TimeoutError:
        return None
    except ssl.SSLError as error:
        return why_no_tls(error)
    except OSError as error:
        return str(error)
    return None
