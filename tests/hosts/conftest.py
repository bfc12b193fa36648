"""Fixtures of the host tests.

host        a fresh disposable host for one test
make_host   a function that makes more of them, with options; all are removed after the test
scene       a server with an organization and its people, to enlist hosts with
"""

import contextlib
import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import endtoend  # noqa: E402
from disposable import lifecycle, machine  # noqa: E402
from disposable.host import Host  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def host_machine(request):
    """Skips by name where hosts cannot run; else builds their root filesystem if it is missing and
    clears away what a killed test run left behind."""
    missing = machine.missing_features()
    if missing:
        pytest.skip("; ".join(missing))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # building takes minutes: its progress must show
        machine.base_root()
    lifecycle.down_all(only_stale=True)


@pytest.fixture
def make_host(host_machine):
    """make_host(plain=False, links={port in the host: port on the machine}) -> Host"""
    made = []

    def make(**options):
        host = Host(f"test-{os.getpid()}-{next(_numbers)}", **options)
        made.append(host)
        return host

    yield make
    with contextlib.ExitStack() as last:  # each runs, whatever another raises
        for host in made:
            last.callback(host.down)
            for look in host.farewells:
                last.callback(look)


@pytest.fixture
def host(make_host):
    return make_host()


@pytest.fixture
def scene(tmp_path):
    missing = endtoend.missing_programs()
    if missing:
        pytest.skip("; ".join(missing))
    made = endtoend.Scene(tmp_path)
    yield made
    made.close()
