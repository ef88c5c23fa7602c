"""`python -m tests.channels.ebay`: prints {"url", "control"} when it is ready, and ends on SIGTERM."""

import argparse

from tests.channels.ebay.app import Ebay
from tests.channels.ebay.tokens import LIFE_S
from tests.channels.shared.serving import run


def _create(options: argparse.Namespace) -> Ebay:
    return Ebay(
        options.pace,
        options.fewer,
        options.token_s,
        out_of_stock_control=not options.no_out_of_stock_control,
        local=not options.public_endpoints,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.channels.ebay", description=__doc__)
    parser.add_argument("--fewer", type=int, default=1, help="quotas of calls are so many times as small")
    parser.add_argument("--token-s", type=float, default=LIFE_S, help="how long an access token lives")
    parser.add_argument("--no-out-of-stock-control", action="store_true", help="published offers never go to 0")
    parser.add_argument("--public-endpoints", action="store_true", help="notices go to public https endpoints only")
    run("ebay", _create, parser)
