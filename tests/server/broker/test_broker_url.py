"""What users of Redis write as a URL is taken, or refused in one line; a URL overrides nothing that the program set."""

import re
from pathlib import Path

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as some

from server.broker.broker_url import SETTING, broker_url_of, read_broker_url
from server.settings.environment import Environment, SettingsError
from tests.server.tls.certificates import Authority


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("redis://h", "redis://h"),
        ("redis://u:p%40@h:6380/2", "redis://u:p%40@h:6380/2"),
        ("redis:///3", "redis:///3"),
        ("redis://h/2/?db=4", "redis://h/2?db=4"),
        ("redis://h?protocol=3&socket_timeout=9&decode_responses=true&health_check_interval=30", "redis://h"),
        ("rediss://h?ssl_cert_reqs=CERT_NONE&protocol=2", "rediss://h?ssl_cert_reqs=none"),
        ("rediss://h?ssl_check_hostname=False", "rediss://h?ssl_check_hostname=false"),
        ("unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=1"),
        ("unix://u:p@/run/valkey.sock", "unix://u:p@/run/valkey.sock"),
    ],
)
def test_what_can_be_honoured_is_and_what_we_set_ourselves_is_left_out(url: str, kept: str) -> None:
    assert read_broker_url(url) == kept
    redis.asyncio.Redis.from_url(kept).connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis has none


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hidden@h", "must begin with redis:// or rediss:// or unix://"),
        ("redis://:hidden@h:x", "host or port that cannot be read"),
        ("redis://:hid#den@h", "host or port that cannot be read"),
        ("redis://h/abc", "a database that is no number"),
        ("redis://h?db=x", "a database that is no number"),
        ("redis://h?db=-1", "a database that is no number"),
        ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs encrypts nothing here: begin the URL with rediss://"),
        ("rediss://h?ssl_cert_reqs=perhaps", "ssl_cert_reqs is not known"),
        ("rediss://h?ssl_check_hostname=perhaps", "ssl_check_hostname is neither"),
        ("rediss://h?ssl_ca_certs=/nonexistent", "ssl_ca_certs=/nonexistent cannot be used (No such file"),
        ("rediss://h?ssl_ciphers=NULL", "ssl_ciphers is no parameter that can be honoured"),
        ("redis://h?nonsense=1", "nonsense is no parameter that can be honoured"),
        ("redis://h?db=1&db=2", "db twice"),
        ("redis://h?db", "not name=value"),
        ("unix://run/valkey.sock", "names no socket"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_name_and_the_fix(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_broker_url(url)
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)


PARAMETERS = (
    "db",
    "protocol",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ca_certs",
    "socket_timeout",
    "username",
    "x",
)


@given(
    some.sampled_from(["redis://h", "rediss://h", "unix:///s", "redis://"]),
    some.text(alphabet="u:/[]@.#?%a0\r\n\udcff 9"),
    some.lists(some.tuples(some.sampled_from(PARAMETERS), some.text() | some.sampled_from(["1", "none", "true"]))),
)
def test_any_text_is_a_url_that_redis_takes_or_refused_in_one_line(
    begin: str, middle: str, parameters: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    url, said = None, ""
    try:
        url = broker_url_of(Environment({SETTING: f"{begin}{middle}?{query}"}))
    except SettingsError as refused:
        said = str(refused)
    assert not re.search(r"[\r\n]", said)
    if url:
        redis.asyncio.Redis.from_url(url).connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis has none


def test_certificates_are_tried_at_the_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    assert read_broker_url(
        f"rediss://h?ssl_ca_certs={authority.file}&ssl_certfile={authority.chain}&ssl_keyfile={authority.key}"
    )
    with pytest.raises(SettingsError, match=r"ssl_certfile=.* cannot be used"):
        read_broker_url(f"rediss://h?ssl_certfile={authority.chain}")
