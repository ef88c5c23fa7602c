"""What brokers show that are on loopback, and what they ask for."""

from pathlib import Path

from tests.server.tls.certificates import Authority

ELSEWHERE = "elsewhere.example"


class Certificates:
    """``good``, ``expired`` and ``elsewhere`` (another host's): shown by brokers, each by an authority of its own,
    whose ``file`` believes it. ``ours``: shown to brokers. ``stranger``: nobody believes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.good = Authority(folder / "good")
        self.expired = Authority(folder / "expired")
        self.expired.issue(days=-1)
        self.elsewhere = Authority(folder / "elsewhere", ELSEWHERE)
        self.ours = Authority(folder / "ours", "relay.internal")
        self.stranger = Authority(folder / "stranger")

    def settings(self, *, believed: Authority | None = None, shown: Authority | None = None) -> dict[str, object]:
        """Of whoever talks to a broker that shows ``good``, and is shown ``ours``, if nothing else is said."""
        shown = shown or self.ours
        return {
            "STOCKWIRE_BROKER_CA_FILE": (believed or self.good).file,
            "STOCKWIRE_BROKER_CERT_FILE": shown.chain,
            "STOCKWIRE_BROKER_KEY_FILE": shown.key,
        }
