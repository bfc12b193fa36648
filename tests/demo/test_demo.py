"""./demo with a person who ends it, starts it twice, or picks a port that somebody has."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "hosts"))

from disposable import machine  # noqa: E402
from disposable.record import Record, all_names  # noqa: E402

READY_SECONDS, END_SECONDS = 1200, 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    """One ./demo under way, its words in a file."""

    def __init__(self, folder, *words):
        self.log = folder / f"demo-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([ROOT / "demo", *words], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, words):
        deadline = time.monotonic() + READY_SECONDS
        while words not in self.said():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()[-2000:]
            time.sleep(0.2)

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    def hosts(self):
        """Return the names of the hosts that belong to this demonstration."""
        owned = []
        for name in all_names():
            with contextlib.suppress(machine.HostError):
                owner = Record.load(name).owner
                owned += [name] if owner and owner.pid == self.process.pid else []
        return owned

    def left(self):
        """Return what it made and did not remove."""
        servers = [pid for pid in filter(str.isdigit, os.listdir("/proc"))
                   if f"/dislodge-demo.{self.mark()}" in command_of(pid)]
        folders = [str(one) for one in pathlib.Path("/tmp").glob(f"dislodge-demo.{self.mark()}*")]
        return self.hosts() + servers + folders

    def mark(self):
        return str(self.process.pid)


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def demo(tmp_path):
    made = []

    def make(*words):
        made.append(Demo(tmp_path, *words))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


@pytest.mark.parametrize("number, status, words", [
    (signal.SIGINT, 130, "ended by Ctrl-C"), (signal.SIGHUP, 1, "ended by SIGHUP")])
def test_ended_half_way_it_fails_and_leaves_nothing(demo, number, status, words):
    auto = demo("--auto")
    auto.wait_for("approval")
    assert auto.hosts() and auto.left()
    assert auto.end(number) == status
    assert words in auto.said() and "Traceback" not in auto.said()
    assert auto.left() == []


def test_a_second_one_leaves_the_first_alone_and_says_which_port_is_taken(demo):
    port = free_port()
    first = demo("--port", str(port))
    first.wait_for("Ctrl-C ends and removes everything")
    hosts = first.hosts()
    second = demo("--port", str(port))
    assert second.process.wait(READY_SECONDS) == 1
    assert f"127.0.0.1:{port} cannot be had" in second.said() and "--port" in second.said()
    third = demo("--port", str(free_port()))
    third.wait_for("Ctrl-C ends and removes everything")
    assert third.end(signal.SIGINT) == 0 and third.left() == []

    assert first.hosts() == hosts and Record.load(hosts[0]).running()
    assert re.search(r"technician +tom +\S+", first.said())
    command = re.search(r"\| (\S+/cli/dislodge)", first.said())[1]
    assert (ROOT / command).exists()
    assert first.end(signal.SIGINT) == 0 and first.left() == []


def test_it_says_so_when_its_host_is_gone(demo):
    one = demo("--port", str(free_port()))
    one.wait_for("Ctrl-C ends and removes everything")
    os.kill(Record.load(one.hosts()[0]).leader.pid, signal.SIGKILL)
    assert one.process.wait(END_SECONDS) == 1
    assert "demo: the host is gone" in one.said() and one.left() == []
