"""What a failed connection says, in words that say where to look. Pure."""

NOT_BELIEVED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's word; what stands behind it says why."""


def said(error: BaseException) -> str:
    """httpx's and websockets' errors name a certificate's fault, and not what can be done about it."""
    words = str(error) or type(error).__name__
    if NOT_BELIEVED not in words:
        return words
    return (
        f"{words} (the certificate is not believed: name the one that signed it in STOCKWIRE_LEDGER_CA_FILE, "
        "or the host that it was made for)"
    )
