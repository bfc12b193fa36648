"""A server without a signing key and a captured link, talking to a real executor without end."""

import json
import os

import pytest

from endtoend import wait_until
from executor_client import Executor
from hostile_messages import Forger
from test_refusals import Captured

MESSAGES = 1_000_000 if os.environ.get("DISLODGE_LONG") else 100_000
RESIDENT_MAX_KIB = 64 * 1024
if os.environ.get("DISLODGE_SANITIZED"):
    MESSAGES = 5_000  # each costs several times as much, and the count is shown without it
    RESIDENT_MAX_KIB = 1024 * 1024  # of which the sanitizer keeps freed memory back, 256 MiB


@pytest.fixture
def besieged(scene, host):
    """A captured host, its genuine order, and a genuine ticket whose nonce is dead by a restart:
    nothing that exists can start the work any more, unless somebody can sign."""
    captured = Captured(scene, host)
    answer = captured.upstream.claim(captured.offer()["claim"])
    host.run(["systemctl", "restart", "dislodge-executor"])
    captured.reconnect()
    return captured, answer


class Siege:
    """Sends frames as the link's user does; connects again whenever the executor has closed, as it
    should for junk."""

    def __init__(self, captured):
        self.captured, self.closed, self.accepted = captured, 0, []
        self.ids = [int(captured.host.text(f"id {which} dislodge")) for which in ("-u", "-g")]
        self._connect()

    def _connect(self):
        self.executor = Executor(self.captured.host, self.ids)

    def send(self, frame):
        try:
            self.executor.send_bytes(frame)
            answer = self.executor.receive()
            while answer is not None and "event" in answer:
                answer = self.executor.receive()
        except (ConnectionError, BrokenPipeError):
            answer = None
        if answer is None:
            self.closed += 1
            self.executor.close()
            self._connect()
        elif answer["ok"]:
            self.accepted.append(json.loads(frame[4:]))


def test_no_message_without_a_signing_key_changes_anything(besieged):
    captured, answer = besieged
    host = captured.host
    process = captured._executor_pid()
    forger, siege = Forger(captured.signed, answer, seed=20), Siege(captured)
    for _ in range(MESSAGES):
        siege.send(forger.frame())

    genuine = captured.signed["order"]["body"]
    wrong = [one for one in siege.accepted if one.get("request") != "order"
             or one["order"]["body"] != genuine]
    changes = len(wrong)
    captured.nothing_changed()
    print(f"hostile: {MESSAGES} messages, {siege.closed} connections closed, {changes} changes")
    assert wrong == [], wrong[:3]
    assert captured._executor_pid() == process, "the executor never ended"
    status = host.text(f"cat /proc/{process}/status")
    resident = int(next(line.split()[1] for line in status.splitlines() if "VmRSS" in line))
    assert resident < RESIDENT_MAX_KIB
    # and what is genuine still works; a claim that has become old by now is made anew once
    def start():
        claim = captured.executor.ask("status")["claims"][0]
        return captured.show(captured.upstream.claim(claim))["ok"]

    wait_until(start, 10, "the genuine order starts")
    wait_until(lambda: not host.exists("/etc/systemd/system/beacon.timer"), 20, "the work is done")
