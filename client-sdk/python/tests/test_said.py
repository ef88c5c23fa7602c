"""An error of a connection says where to look."""

import ssl

from stockwire.said import said


def test_a_certificate_that_is_not_believed_names_the_setting() -> None:
    error = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
    )
    assert "STOCKWIRE_LEDGER_CA_FILE" in said(error)
    assert "self-signed certificate" in said(error)


def test_what_has_no_words_is_called_by_its_kind() -> None:
    assert said(TimeoutError()) == "TimeoutError"
    assert said(OSError("gone")) == "gone"
