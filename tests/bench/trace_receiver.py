"""``python -m tests.bench.trace_receiver``: a collector in a process of its own, which reads what it is sent and keeps
none of it.

Says where it listens, then takes spans until its standard input ends.
"""

import sys

from tests.harness.otlp import OtlpReceiver, Received


class Forgetful(OtlpReceiver):
    def take(self, data: bytes) -> None:
        super().take(data)
        self.received = Received()


if __name__ == "__main__":
    with Forgetful() as receiver:
        sys.stdout.write(receiver.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()
