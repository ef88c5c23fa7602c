"""How programs with a blocking client end: forgotten subscriptions, Ctrl-C, forks. In processes of their own."""

import asyncio
import os
import signal
import subprocess
import sys

from tests.client.blocking import open_till
from tests.processes import clean_environment
from tests.system import System

DEADLINE_S = 30.0
FORGOTTEN = """
import sys
from stockwire import Client
subscription = Client().subscribe(sys.argv[1])
subscription.__enter__()
subscription.listen(print)
subscription.ready()
stuck = Client().subscribe(sys.argv[1], token=lambda: __import__("time").sleep(3600))
stuck.__enter__()
print("forgotten")
"""
INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this run has inherited
from stockwire import Client, State
with Client() as client, client.subscribe(sys.argv[1]) as subscription:
    subscription.ready()
    try:
        print("reading", flush=True)
        for event in subscription:
            pass
    except KeyboardInterrupt:
        while subscription.view.state is not State.FRESH:
            subscription.next_event(10)
        print("interrupted", subscription.view.state.value, client.stock.get(sys.argv[1], sys.argv[1]).on_hand)
"""
FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of what this is about
from stockwire import Client
name = sys.argv[1]
client = Client()
with client.subscribe(name) as subscription:
    view = subscription.ready()
    child = os.fork()
    if child == 0:
        for use in (lambda: client.stock.get(name, name), subscription.ready, lambda: next(subscription),
                    lambda: subscription.listen(print), lambda: len(view), lambda: client.subscribe(name).ready(1)):
            try:
                use()
            except RuntimeError as error:
                print(str(error).replace(str(os.getppid()), "N"))
        with Client() as own, own.subscribe(name) as mine:
            print(len(mine.ready()), flush=True)
        sys.exit()
    os.waitpid(child, 0)
    client.stock.sell(name, name)
    while view[name, name].on_hand != 999:
        subscription.next_event(10)
    print("the parent goes on")
"""


def test_a_forgotten_subscription_keeps_no_process_alive(shared_system: System, unique_name: str) -> None:
    open_till(shared_system, unique_name).client.close()
    done = run(FORGOTTEN, shared_system, unique_name)
    assert (done.returncode, done.stderr) == (0, "")
    assert "forgotten" in done.stdout  # its listener prints at the same time, perhaps into the same line


def test_ctrl_c_ends_the_iterator_and_leaves_the_client_usable(shared_system: System, unique_name: str) -> None:
    open_till(shared_system, unique_name).client.close()
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, unique_name],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(shared_system),
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "reading\n"
        os.kill(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, printed) == (0, "interrupted fresh 1000\n")


def test_after_a_fork_the_child_is_told_and_the_parent_goes_on(shared_system: System, unique_name: str) -> None:
    open_till(shared_system, unique_name).client.close()
    done = run(FORKED, shared_system, unique_name)
    assert (done.returncode, done.stderr) == (0, "")
    *refusals, own, parent = done.stdout.splitlines()
    told = "this {} belongs to process N: after a fork, make another in the child"
    assert refusals == [told.format("client"), *[told.format("subscription")] * 4, "use `with` first"]
    assert (own, parent) == ("1", "the parent goes on")


def run(program: str, system: System, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, name],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(system),
    )


def environment(system: System) -> dict[str, str]:
    key = asyncio.run(system.admin_key())
    return clean_environment({"STOCKWIRE_URL": system.ledger_url, "STOCKWIRE_API_KEY": key})
