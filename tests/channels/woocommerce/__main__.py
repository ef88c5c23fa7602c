"""A WooCommerce shop: ``python -m tests.channels.woocommerce [--utc-offset H] [--no-tls]``, until SIGTERM."""

import argparse

from tests.channels.shared.serving import run
from tests.channels.woocommerce.marketplace import WooCommerce

parser = argparse.ArgumentParser(prog="python -m tests.channels.woocommerce")
parser.add_argument("--utc-offset", type=float, default=2.0, help="hours that the site's zone is ahead of UTC")
parser.add_argument("--no-tls", action="store_true", help="what comes over HTTP is plain: keys are not taken")
run("woocommerce", lambda options: WooCommerce(options.pace, options.utc_offset, tls=not options.no_tls), parser)
