"""What libpq users write as a URL is taken with its meaning, or refused in one line, and never passed over."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from server.settings import database_parameters
from server.settings.database_parameters import SETTING
from server.settings.database_url import DatabaseUrl, Host, database_url_of, read_database_url
from server.settings.environment import Environment, SettingsError
from tests.server.tls.certificates import Authority

_LIBPQ = """
    host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding
    options application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count
    tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey
    sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version
    ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key
    scram_server_key service target_session_attrs load_balance_hosts oauth_issuer oauth_client_id oauth_client_secret
    oauth_scope
"""
LIBPQ = tuple(_LIBPQ.split())
"""PostgreSQL 18, "Parameter Key Words"."""


def read(query: str) -> DatabaseUrl:
    return read_database_url(f"postgresql://u:p@h/db?{query}")


def refusal_of(url: str) -> str:
    """Empty for a URL that is taken."""
    try:
        database_url_of(Environment({SETTING: url}))
    except SettingsError as refused:
        return str(refused)
    return ""


def refusal(url: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read_database_url(url)
    said = str(refused.value)
    assert said.startswith(SETTING)
    assert "\n" not in said
    assert "hidden" not in said
    return said


@pytest.mark.parametrize(
    ("url", "hosts", "user", "password", "database"),
    [
        ("postgresql://", (), None, None, None),
        ("postgres:///db", (), None, None, "db"),
        ("postgresql://u@h", (Host("h", 5432),), "u", None, None),
        ("postgresql://u:p@h:6000/db", (Host("h", 6000),), "u", "p", "db"),
        ("postgresql://u:p%40%2F%3A%25@h/d%20b", (Host("h", 5432),), "u", "p@/:%", "d b"),
        ("postgresql://u:p#1?2:3@h/db", (Host("h", 5432),), "u", "p#1?2:3", "db"),
        ("postgresql://u:p@h1,h2:6000/db", (Host("h1", 5432), Host("h2", 6000)), "u", "p", "db"),
        (
            "postgresql://[::1]:6000,[fe80::1%eth0]/db",
            (Host("::1", 6000), Host("fe80::1%eth0", 5432)),
            None,
            None,
            "db",
        ),
        ("postgresql://%2Frun%2Fpostgresql/db", (Host("/run/postgresql", 5432),), None, None, "db"),
        ("postgresql:///db?host=/run/pg", (Host("/run/pg", 5432),), None, None, "db"),
        ("postgresql:///db?host=h1,h2&port=6000", (Host("h1", 6000), Host("h2", 6000)), None, None, "db"),
        ("postgresql:///db?host=h1,h2&port=6000,6001", (Host("h1", 6000), Host("h2", 6001)), None, None, "db"),
        ("postgresql:///db?host=h1:6000&host=h2:6001", (Host("h1", 6000), Host("h2", 6001)), None, None, "db"),
        ("postgresql:///db?host=::1", (Host("::1", 5432),), None, None, "db"),
        ("postgresql://h/db?user=u2&password=a%26b&dbname=other", (Host("h", 5432),), "u2", "a&b", "other"),
        ("postgresql:///db?port=6000", (Host("", 6000),), None, None, "db"),
    ],
)
def test_a_url_is_taken_apart_as_libpq_does_it(
    url: str, hosts: tuple[Host, ...], user: str | None, password: str | None, database: str | None
) -> None:
    found = read_database_url(url)
    assert (found.hosts, found.user, found.password, found.database) == (hosts, user, password, database)


def test_what_can_be_honoured_is() -> None:
    assert read("sslmode=verify-full&sslrootcert=/ca").ssl_mode == "verify-full"
    assert read("ssl=true").ssl_mode == "require"
    assert read("sslrootcert=system").ssl_mode == "verify-full"
    assert read("sslmode=require&sslnegotiation=direct").tls == {"sslnegotiation": "direct"}
    assert read("connect_timeout=3").connect_timeout_s == 3
    assert read("connect_timeout=0").connect_timeout_s is None, "for ever would be no bound"
    assert read("fallback_application_name=a").session == {"application_name": "a"}
    assert read("options=-c%20statement_timeout%3D5s").session == {"options": "-c statement_timeout=5s"}
    assert read("passfile=/p").passfile == "/p"
    assert read("sslmode=&channel_binding=").ssl_mode is None, "an empty value says nothing"


@pytest.mark.parametrize(
    "query",
    [
        "channel_binding=prefer&gssencmode=prefer&target_session_attrs=read-write",
        "target_session_attrs=any&load_balance_hosts=random&client_encoding=UTF8",
        "keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=9000",
        "sslcompression=0&sslsni=1&sslcertmode=allow&replication=false&min_protocol_version=3.0",
    ],
)
def test_what_says_what_is_done_anyway_is_taken(query: str) -> None:
    assert read(query) == read("")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("channel_binding=require", "channel_binding=require cannot be honoured: write channel_binding=prefer"),
        ("gssencmode=require", "gssencmode=require cannot be honoured"),
        ("require_auth=scram-sha-256", "require_auth cannot be honoured"),
        ("requirepeer=postgres", "requirepeer cannot be honoured"),
        ("target_session_attrs=standby", "target_session_attrs=standby cannot be honoured: write read-write"),
        ("sslmode=full", "sslmode=full is not known: write one of disable, allow"),
        ("sslmode=require&sslrootcert=system", "sslrootcert=system cannot be honoured with sslmode=require"),
        ("sslmode=disable&ssl=true", "differ"),
        ("sslnegotiation=direct", "needs sslmode=require"),
        ("ssl_min_protocol_version=TLSv9", "ssl_min_protocol_version is not known"),
        ("connect_timeout=soon", "connect_timeout is no whole number"),
        ("options=-c%20lock_timeout%3D9s", "options set lock_timeout"),
        ("options=--idle-in-transaction-session-timeout%3D9s", "options set idle_in_transaction_session_timeout"),
        ("statement_timeout=5", "statement_timeout is no parameter of a connection"),
        ("sslmdoe=require", "sslmdoe is no parameter"),
        ("sslmode", "not name=value"),
        ("a=b=c", "not name=value"),
        ("sslmode=require&sslmode=disable", "sslmode twice"),
        ("user=%00", "control character"),
        ("user=%ff", "no UTF-8"),
        ("user=%zz", "write it as %25"),
        ("port=1,2,3", "3 ports for 1 hosts"),
        ("port=x", "host or port that cannot be read"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_name_and_the_fix(query: str, said: str) -> None:
    assert said in refusal(f"postgresql://u:hidden@h/db?{query}")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "mysql://u:hidden@h/db",
            "postgresql:/u:hidden@h",
            "postgresql://u:hid/den@h/db",
            "postgresql://u:hidden@x@h/db",
        ),
        *("postgresql://u:hidden@h:99999/db", "postgresql://u:hidden@h:x/db", "postgresql://u:hidden@[::1/db"),
        *("postgresql://u:hidden@h1,,h2/db", "postgresql://u:hidden@h\r/db", "postgresql://u:hidden@h/d\udcff"),
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    refusal(url)


def test_each_parameter_of_libpq_stands_in_exactly_one_table() -> None:
    tables = (database_parameters.HONOURED, database_parameters.TAKEN, database_parameters.REFUSED)
    for name in LIBPQ:
        assert sum(name in table for table in tables) == 1, name


PARAMETERS = some.tuples(
    some.sampled_from([*LIBPQ, "ssl", "x"]), some.text() | some.sampled_from(["1", "require", "h"])
)


@given(some.text() | some.text(alphabet="pu:/[]@.#?%a0=&,\r\n\udcff 9").map("postgresql://{}".format))
@example("postgresql://?host=:")
def test_any_text_is_a_url_or_refused_in_one_line(url: str) -> None:
    assert not re.search(r"[\r\n]", refusal_of(url))


@given(some.lists(PARAMETERS, max_size=4))
def test_any_parameters_are_honoured_or_refused_in_one_line(parameters: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    said = refusal_of(f"postgresql://u:hidden@h/db?{query}")
    assert not re.search(r"[\r\n]", said)
    assert "hidden" not in said


def test_files_that_cannot_be_used_are_refused_at_the_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    (tmp_path / "text").write_text("no PEM")

    def read(query: str) -> str:
        return database_url_of(Environment({SETTING: f"postgresql://h/db?{query}"}))

    assert read(f"sslrootcert={authority.file}&sslcert={authority.chain}&sslkey={authority.key}&sslmode=verify-ca")
    assert read("sslrootcert=system")
    for query, said in {
        "sslrootcert=/nonexistent": "sslrootcert=/nonexistent cannot be read (No such file",
        f"sslrootcert={tmp_path}/text": "cannot be used",
        f"sslcrl={tmp_path}": "cannot be read (Is a directory)",
        f"sslcert={authority.chain}": "name a certificate and its key",
        f"sslcert={authority.chain}&sslkey={tmp_path}/text": "name a certificate and its key",
    }.items():
        with pytest.raises(SettingsError, match=re.escape(said)):
            read(query)
