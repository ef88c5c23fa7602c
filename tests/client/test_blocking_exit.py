"""How programs with a client end: forgotten subscriptions, Ctrl-C, forks. In processes of their own."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from stockwire.sync.fork import ForkCheck, OwnCondition
from tests.client.blocking import open_till
from tests.harness.processes import clean_environment
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

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
FORKED_IN_A_LOOP = """
import asyncio, os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from stockwire import AsyncClient
name = sys.argv[1]

def told_to(run, *uses):
    for use in uses:
        async def work():
            return await use()
        try:
            print("went on:", run(work()))
        except RuntimeError as error:
            print(error)

async def sells(client):
    return (await client.stock.sell(name, name)).levels[0].on_hand

async def own():
    async with AsyncClient() as client, client.subscribe(name) as subscription:
        print(len(await subscription.ready()))

async def watches():
    async with AsyncClient() as client, client.subscribe(name) as subscription:
        view = await subscription.ready()
        await sells(client)  # its connection is open, as the hub's is
        child = os.fork()
        if child == 0:
            told_to(asyncio.run, lambda: sells(client), subscription.ready, subscription.close)
            asyncio.run(client.close())
            asyncio.run(own())
            sys.stdout.flush()
            os._exit(0)
        await asyncio.to_thread(os.waitpid, child, 0)
        sold = await sells(client)
        while view[name, name].on_hand != sold:
            await subscription.next_event(10)
        print("the parent goes on at", sold)

loop, client = asyncio.new_event_loop(), AsyncClient()
loop.run_until_complete(sells(client))
child = os.fork()
if child == 0:  # the very same loop, and yet another process
    told_to(loop.run_until_complete, lambda: sells(client))
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
print("the parent goes on at", loop.run_until_complete(sells(client)), flush=True)
loop.run_until_complete(client.close())
loop.close()
asyncio.run(watches())
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
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, printed) == (0, "interrupted fresh 1000\n")


def test_ctrl_c_while_a_wait_has_let_go_of_its_lock_is_told_as_such() -> None:
    """A wait lets go and takes back in Python; Ctrl-C may come in between."""
    changed = OwnCondition(ForkCheck("this subscription"))

    def wait() -> None:
        with changed:
            changed.release()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait()
    with pytest.raises(RuntimeError, match="un-acquired"), changed:
        changed.release()


def test_after_a_fork_the_child_is_told_and_the_parent_goes_on(shared_system: System, unique_name: str) -> None:
    open_till(shared_system, unique_name).client.close()
    done = run(FORKED, shared_system, unique_name)
    assert (done.returncode, done.stderr) == (0, "")
    *refusals, own, parent = done.stdout.splitlines()
    told = "this {} belongs to process N: after a fork, make another in the child"
    assert refusals == [told.format("client"), *[told.format("subscription")] * 4, "use `with` first"]
    assert (own, parent) == ("1", "the parent goes on")


def test_after_a_fork_an_async_client_tells_the_child_and_the_parent_goes_on(
    shared_system: System, unique_name: str
) -> None:
    """In the same event loop, which a fork copies, and in one of the child's own."""
    open_till(shared_system, unique_name).client.close()
    done = run(FORKED_IN_A_LOOP, shared_system, unique_name)
    assert (done.returncode, done.stderr) == (0, "")
    one_loop, same_client, *refusals, own, parent = done.stdout.splitlines()
    told = "this {} belongs to another event loop: one client, one loop. "
    assert one_loop.startswith(told.format("AsyncClient"))
    assert same_client == "the parent goes on at 998"
    whose = ["AsyncClient", "subscription", "subscription"]
    assert [line.startswith(told.format(what)) for what, line in zip(whose, refusals, strict=True)] == [True] * 3
    assert (own, parent) == ("1", "the parent goes on at 996")


def run(program: str, system: System, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, name],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment(system),
    )


def environment(system: System) -> dict[str, str]:
    key = asyncio.run(system.admin_key())
    return clean_environment({"STOCKWIRE_URL": system.ledger_url, "STOCKWIRE_API_KEY": key})
