"""What an agent's executor refuses from a link that was captured, on a real host.

Each refusal is followed by a look at the disk: nothing may have changed.
"""

import time

import pytest

from disposable import footholds, probes
from endtoend import wait_until
from executor_client import Executor, Upstream, flip
from test_path import changed_paths, keys_of

BAD, TARGET, SEEN = "bad_signature", "wrong_target", "precondition"


class Captured:
    """A host whose link is in the test's hands, with one approved order under way."""

    def __init__(self, scene, host):
        self.scene, self.host = scene, host
        self.agent, view = scene.enlist(host)
        self.timer = footholds.plant_timer(host, "beacon")
        scene.survey(view["id"])
        self.incident = scene.report(view["id"], keys_of(scene, view["id"], self.timer))
        host.run(["systemctl", "stop", "dislodge-link"])
        scene.approve(self.incident)
        self.upstream = Upstream(host, scene.server.agent_port)
        self.executor = Executor(host)
        self.status = self.executor.ask("status")
        self.signed = self.upstream.orders(self.status)[0]
        self.before = host.snapshot()

    def offer(self, order=None, key=None):
        return self.executor.ask("order", key=key or self.signed["key"],
                                 order=order or self.signed["order"])

    def show(self, answer):
        return self.executor.ask("ticket", **answer)

    def reconnect(self):
        self.executor.close()
        self.executor = wait_until(self._connected, 15, "the executor is back")

    def kill_executor(self):
        """SIGKILL is only sent when systemctl returns: wait until another process stands there."""
        old = self._executor_pid()
        self.agent.kill("executor")
        wait_until(lambda: self._executor_pid() not in ("0", old), 15, "a new executor runs")
        self.reconnect()

    def _executor_pid(self):
        return probes.unit_state(self.host, "dislodge-executor")["MainPID"]

    def _connected(self):
        try:
            return Executor(self.host)
        except (ConnectionError, FileNotFoundError):
            return None

    def nothing_changed(self):
        assert changed_paths(self.before, self.host.snapshot()) == set()
        assert probes.unit_state(self.host, "beacon.timer")["ActiveState"] == "active"


@pytest.fixture
def captured(scene, host):
    return Captured(scene, host)


def assert_refused(answer, reason):
    assert answer["ok"] is False and answer["reason"] == reason, answer
    assert answer["message"]


def test_an_order_with_one_flipped_bit_is_refused_and_nothing_changes(captured):
    for place in (0, 40, len(captured.signed["order"]["body"]) - 2):
        assert_refused(captured.offer(order=flip(captured.signed["order"], place)), BAD)
    assert_refused(captured.offer(key=flip(captured.signed["key"], 20)), BAD)
    captured.nothing_changed()
    assert captured.executor.ask("status")["held"] == []


def test_an_order_for_another_agent_is_refused_and_nothing_changes(captured, make_host):
    other = Captured(captured.scene, make_host())
    assert_refused(captured.offer(order=other.signed["order"], key=other.signed["key"]), TARGET)
    captured.nothing_changed()
    results = [record for record in captured.executor.records() if record["type"] == "result"]
    assert [one["content"]["state"] for one in results] == ["refused"]
    # the other agent's order is none of this agent's business: the server keeps it for its owner
    captured.upstream.post("/agent/v1/records", {
        "records": captured.executor.ask("outbox", limit_bytes=1 << 20)["records"]})
    assert other.scene.incident(other.incident["id"])["orders"][0]["state"] == "queued"


def test_no_order_starts_without_its_ticket(captured):
    assert captured.offer()["ok"]
    time.sleep(3)
    captured.nothing_changed()
    assert captured.executor.ask("status")["held"]


def test_a_ticket_that_was_changed_or_answers_no_present_claim_starts_nothing(captured):
    claim = captured.offer()["claim"]
    answer = captured.upstream.claim(claim)
    assert_refused(captured.show({**answer, "ticket": flip(answer["ticket"], 30)}), BAD)

    captured.host.run(["systemctl", "restart", "dislodge-executor"])
    captured.reconnect()
    assert_refused(captured.show(answer), TARGET)  # its nonce was made before this start
    time.sleep(1)
    captured.nothing_changed()


def test_a_fresh_ticket_starts_the_work_once_and_a_replay_starts_nothing(captured):
    claim = captured.offer()["claim"]
    answer = captured.upstream.claim(claim)
    assert captured.upstream.claim(claim) == answer, "the same nonce gets the same ticket"
    assert captured.show(answer)["ok"]
    wait_until(lambda: probes.unit_gone(captured.host, "beacon.timer"), 20, "the timer is gone")

    assert_refused(captured.show(answer), TARGET)
    assert_refused(captured.offer(), SEEN)
    after = captured.host.snapshot()
    captured.host.run(["systemctl", "restart", "dislodge-executor"])
    captured.reconnect()
    assert_refused(captured.offer(), SEEN)
    assert captured.executor.ask("status")["claims"] == []
    assert changed_paths(after, captured.host.snapshot()) == set()
    captured.host.run(["systemctl", "start", "dislodge-link"])
    captured.scene.wait_incident(captured.incident["id"], "resolved")


def test_after_a_restart_the_executor_asks_anew_and_takes_the_answer(captured):
    first = captured.offer()["claim"]
    captured.kill_executor()
    claims = captured.executor.ask("status")["claims"]
    assert len(claims) == 1 and claims[0] != first
    assert captured.show(captured.upstream.claim(claims[0]))["ok"]
    wait_until(lambda: probes.unit_gone(captured.host, "beacon.timer"), 20, "the timer is gone")


HOSTILE = {
    "a length of zero": b"\0\0\0\0",
    "a giant length": b"\xff\xff\xff\xff",
    "junk": b"\0\0\0\4junk",
    "no object": b"\0\0\0\2[]",
    "no request": b"\0\0\0\2{}",
    "an unknown request": b'\0\0\0\x11{"request":"run"}',
    "a member too many": b'\0\0\0\x1a{"request":"status","a":1}',
    "a request that is a number": b'\0\0\0\x0d{"request":1}',
    "an outbox without its limit": b'\0\0\0\x14{"request":"outbox"}',
    "an order that is a text": b'\0\0\0\x28{"request":"order","key":"","order":"x"}',
}


def test_a_hostile_frame_ends_its_connection_and_nothing_else(captured):
    for words, frame in HOSTILE.items():
        hostile = Executor(captured.host)
        hostile.send_bytes(frame)
        assert hostile.closes(), words
        hostile.close()
    assert captured.executor.ask("status")["ok"]
    captured.nothing_changed()


def test_only_root_and_the_links_account_may_connect(captured):
    host = captured.host
    footholds.plant_user(host, "eve")
    host.run(["usermod", "-a", "-G", "dislodge", "eve"])  # past the socket's mode
    script = ("use IO::Socket::UNIX; $SIG{PIPE} = 'IGNORE'; my $s = IO::Socket::UNIX->new(Peer => "
              "'/run/dislodge/executor.sock') or die \"no connection: $!\"; "
              "print $s pack('N', 20), '{\"request\":\"status\"}'; $s->flush; "
              "print sysread($s, my $got, 100) ? 'answered' : 'closed'")
    as_user = ["setpriv", "--reuid", "eve", "--regid", "eve", "--init-groups", "perl", "-e", script]
    assert host.run(as_user, check=False).stdout == b"closed"
    as_link = ["setpriv", "--reuid", "dislodge", "--regid", "dislodge", "--init-groups",
               "perl", "-e", script]
    assert host.text(as_link) == "answered"
    assert "refused a connection of uid" in captured.agent.log()
