"""Where the client goes, and with which key; what is missing is said with its fix."""

from pathlib import Path

import httpx
import pytest
import websockets.uri
from hypothesis import given
from hypothesis.strategies import text

from stockwire.errors import ConfigurationError
from stockwire.settings import Settings, resolve
from stockwire.sync.client import Client


def run_json(folder: Path, text: str) -> dict[str, str]:
    (folder / "run.json").write_text(text)
    return {"STOCKWIRE_DATA": str(folder)}


def test_arguments_come_before_the_environment_and_that_before_a_running_system(tmp_path: Path) -> None:
    run = run_json(tmp_path, '{"ready":true,"ledger":"http://run:1","key":"sw_run"}')
    named = {"STOCKWIRE_URL": "http://named:2/", "STOCKWIRE_API_KEY": "sw_named"}
    assert resolve(None, None, run) == Settings("http://run:1", "sw_run")
    assert resolve(None, None, run | named) == Settings("http://named:2", "sw_named")
    assert resolve("https://given", "sw_given", run | named) == Settings("https://given", "sw_given")


def test_the_key_of_a_running_system_goes_nowhere_else(tmp_path: Path) -> None:
    run = run_json(tmp_path, '{"ready":true,"ledger":"http://run:1","key":"sw_run"}')
    assert resolve("http://elsewhere", None, run) == Settings("http://elsewhere", None)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"ledger":"http://a"}', "{"])
def test_a_run_json_that_names_nothing_is_said_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="STOCKWIRE_URL"):
        resolve(None, None, run_json(tmp_path, text))


def test_nothing_named_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="stockwire up"):
        resolve(None, None, {"STOCKWIRE_DATA": str(tmp_path)})


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", " ", "/\n"])
def test_a_line_end_behind_a_url_is_no_part_of_it(tmp_path: Path, end: str) -> None:
    assert resolve(None, None, {"STOCKWIRE_URL": f"http://named:2{end}"}) == Settings("http://named:2", None)


@given(text() | text(alphabet="htps:/[]@.#?%a0\r\n\udcff 9").map("http://{}".format))
def test_any_url_is_good_or_refused_in_one_line(url: str) -> None:
    """Good: what opens connections takes it."""
    settings, said = None, ""
    try:
        settings = resolve(url or "x", None, {})
    except ConfigurationError as refused:
        said = str(refused)
    assert not {"\n", "\r"} & set(said)
    if settings:
        assert httpx.URL(settings.url).host
        websockets.uri.parse_uri(settings.url.replace("http", "ws", 1))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "localhost:8080",
            "ws://x",
            "http://",
            "http://[",
            "file:///etc",
            "http://a:99999",
            "http://a:x",
            "http://a:0",
        ),
        *("http://a b", "http://a/\tb", "http://u:s3cret@a", "http://a?key=s3cret", "http://a#b", "http://a..b"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http") as refused:
        resolve(url, None, {})
    assert "s3cret" not in str(refused.value) or "@" not in url


@pytest.mark.parametrize("key", ["sw_a b", "sw_\u201cquoted\u201d", "sw_\x00"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        resolve("http://a", key, {})
    assert key not in str(refused.value)


@pytest.mark.parametrize("proxy", ["socks5://user:s3cret@proxy:1080", "socks5h://user:s3/cr@et@proxy/s3cret?s3cret"])
def test_a_proxy_of_another_kind_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.delenv("all_proxy", raising=False)
    with pytest.raises(ConfigurationError, match=r"//proxy(:1080)? is none of HTTP") as refused:
        Client("http://ledger.example", "key")
    assert "user" not in str(refused.value)
    assert "s3" not in str(refused.value)
