"""python -m tests.channels.amazon [--queues URL] [--pace 1] [--token-s 3600] [--queue-s 0] [--progress-s 0.05]"""

import argparse

from tests.channels.amazon.market import Amazon
from tests.channels.shared.serving import run


def create(options: argparse.Namespace) -> Amazon:
    return Amazon(options.queues, options.pace, options.token_s, options.queue_s, options.progress_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queues", help="where SQS answers; without, no notice arrives anywhere")
    parser.add_argument("--token-s", type=float, default=3600.0, help="how long an access token is good")
    parser.add_argument("--queue-s", type=float, default=0.0, help="how long a feed waits in the queue")
    parser.add_argument("--progress-s", type=float, default=0.05, help="how long it is processed")
    run("amazon", create, parser)
