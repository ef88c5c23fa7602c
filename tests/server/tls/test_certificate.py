"""Certificate files that would not do are refused at the start, in one line that names the setting and the fix."""

import ssl
import subprocess
from pathlib import Path

import pytest

from server.settings.environment import Environment, SettingsError
from server.tls.certificate import FILE_BYTES_MAX, Certificate, Tls, certificate_of, refuse_unencrypted, trusting
from tests.harness.waiting import PATIENCE_S
from tests.server.tls.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def refusal(certificate: Certificate) -> str:
    with pytest.raises(SettingsError) as refused:
        certificate.context()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_good_pair_makes_a_context_for_tls_1_2_and_later_with_forward_secrecy(authority: Authority) -> None:
    context = Certificate(authority.chain, authority.key).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    ciphers = [cipher["name"] for cipher in context.get_ciphers()]
    assert ciphers
    assert all(name.startswith(("TLS_", "ECDHE-")) and "CBC" not in name and "SHA1" not in name for name in ciphers)


@pytest.mark.parametrize(("given", "missing"), [("CERT", "KEY"), ("KEY", "CERT")])
def test_one_file_without_the_other_is_refused(given: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"^STOCKWIRE_TLS_{missing}_FILE is not set, and STOCKWIRE_TLS_{given}"):
        certificate_of(Environment({f"STOCKWIRE_TLS_{given}_FILE": "/some.pem"}))
    assert certificate_of(Environment({})) is None


def test_files_that_cannot_be_read_are_refused(authority: Authority, tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    said = refusal(Certificate(none, authority.key))
    assert said.startswith(f"STOCKWIRE_TLS_CERT_FILE={none} cannot be read (No such file")
    said = refusal(Certificate(authority.chain, none))
    assert said.startswith(f"STOCKWIRE_TLS_KEY_FILE={none} cannot be read (No such file")
    said = refusal(Certificate(tmp_path, authority.key))
    assert said.startswith(f"STOCKWIRE_TLS_CERT_FILE={tmp_path} cannot be read (Is a directory")


def test_what_is_no_certificate_and_what_is_no_key_is_refused(authority: Authority, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.touch(mode=0o600)
    nonsense.write_text("nonsense\n")
    said = refusal(Certificate(nonsense, authority.key))
    assert said == f"STOCKWIRE_TLS_CERT_FILE={nonsense} holds no certificate: name a file in PEM"
    said = refusal(Certificate(authority.chain, nonsense))
    assert said.startswith(f"STOCKWIRE_TLS_KEY_FILE={nonsense} cannot be used")
    assert said.endswith("name a certificate and its private key, both PEM")
    nonsense.write_bytes(b"x" * (FILE_BYTES_MAX + 1))
    assert "has more than 1,048,576 bytes" in refusal(Certificate(nonsense, authority.key))


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_key_that_is_open_to_every_user_is_refused_with_the_fix(authority: Authority, mode: int) -> None:
    authority.key.chmod(mode)
    said = refusal(Certificate(authority.chain, authority.key))
    assert said.endswith(f"(mode {mode:04o}): chmod o= {authority.key}")
    subprocess.run(said.rpartition(": ")[2].split(), check=True)
    Certificate(authority.chain, authority.key).context()


def test_a_key_for_the_group_is_taken(authority: Authority) -> None:
    authority.key.chmod(0o640)
    Certificate(authority.chain, authority.key).context()


def test_a_key_of_another_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    said = refusal(Certificate(authority.chain, other.key))
    assert said.startswith(f"STOCKWIRE_TLS_KEY_FILE={other.key} is not the key of STOCKWIRE_TLS_CERT_FILE")


@pytest.mark.usefixtures("processes")
def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(authority: Authority) -> None:
    locked = authority.key.with_name("locked.pem")
    command = ["openssl", "ec", "-aes256", "-passout", "pass:hidden", "-in", str(authority.key), "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    locked.chmod(0o600)
    said = refusal(Certificate(authority.chain, locked))
    assert said == f"STOCKWIRE_TLS_KEY_FILE={locked} wants a passphrase: name a key without one"


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "has expired: renew it"), (90, "is not valid yet: name one for a server, valid now")]
)
def test_a_certificate_outside_of_its_time_is_refused(authority: Authority, days: float, said: str) -> None:
    authority.issue(days=days)
    found = refusal(Certificate(authority.chain, authority.key))
    assert found == f"STOCKWIRE_TLS_CERT_FILE={authority.chain} {said}"


def test_renewed_files_that_would_not_do_change_nothing(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = Tls(Certificate(authority.chain, authority.key))
    context = tls.context
    authority.issue(days=-1)
    tls.renew()
    assert "was not renewed, the one before stays reason='STOCKWIRE_TLS_CERT_FILE" in caplog.text
    assert tls.context is context


def test_a_file_of_authorities_that_would_not_do_is_refused(authority: Authority, tmp_path: Path) -> None:
    trusting(authority.file)
    with pytest.raises(SettingsError, match=r"STOCKWIRE_LEDGER_CA_FILE=.* holds no certificate"):
        trusting(authority.key)
    with pytest.raises(SettingsError, match=r"STOCKWIRE_LEDGER_CA_FILE=.* cannot be read"):
        trusting(tmp_path / "none")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "localhost"])
def test_loopback_needs_no_certificate(host: str) -> None:
    refuse_unencrypted({"HOST": host}, None, behind_proxy=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "stock.example", "fe80::1%eth0", "localhost.example"])
def test_what_other_machines_reach_needs_a_certificate_or_a_proxy(host: str, authority: Authority) -> None:
    with pytest.raises(SettingsError, match=r"^HOST=.* set STOCKWIRE_TLS_CERT_FILE and .*STOCKWIRE_BEHIND_PROXY=1"):
        refuse_unencrypted({"INSIDE": "127.0.0.1", "HOST": host}, None, behind_proxy=False)
    refuse_unencrypted({"HOST": host}, None, behind_proxy=True)
    refuse_unencrypted({"HOST": host}, Certificate(authority.chain, authority.key), behind_proxy=False)
