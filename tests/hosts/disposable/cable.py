"""The launcher's end of relay.py: starts it for a host and tells it to plug and unplug."""

import json
import socket
import subprocess
import sys
import time

from . import machine
from .record import Process

REPLY_TIMEOUT = 10
START_TIMEOUT = 10


def start(record, online=True):
    """Start the relay of a running host and return when it answers."""
    record.relay_socket.unlink(missing_ok=True)
    pairs = [f"{inside}:{outside}" for inside, outside in record.links.items()]
    with open(record.folder / "relay.log", "ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", machine.HERE / "disposable" / "relay.py",
             str(record.leader.pid), record.relay_socket, "online" if online else "offline", *pairs],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers(record):
        if child.poll() is not None or time.monotonic() > deadline:
            said = (record.folder / "relay.log").read_text(errors="replace")
            raise machine.HostError(f"the relay of host '{record.name}' did not start: {said}")
        time.sleep(0.01)
    record.relay = Process.of(child.pid)


def _answers(record):
    with socket.socket(socket.AF_UNIX) as control:
        return control.connect_ex(str(record.relay_socket)) == 0


def tell(record, request):
    """Send one request to a host's relay and return when it has been carried out."""
    try:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(REPLY_TIMEOUT)
            control.connect(str(record.relay_socket))
            control.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(control.makefile("rb").readline())
    except (OSError, ValueError) as failure:
        raise machine.HostError(f"the relay of host '{record.name}' is gone: {failure}") from None
    if not reply["ok"]:
        raise machine.HostError(f"the relay of host '{record.name}' refused: {reply['error']}")
