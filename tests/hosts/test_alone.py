"""One host, no server: root surveys, proposes, checks, applies, verifies and undoes by command line."""

import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import time

import pytest

from disposable import probes
from disposable.footholds import (MARKS, UNITS, plant_cron_line, plant_service, plant_timer,
                                  plant_user)
from disposable.snapshot import diff
from endtoend import Agent, wait_until
from test_path import keys_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DISLODGE_BUILD", ROOT / "build"))
AGENT = "/usr/local/sbin/dislodge-agent"
STATE = "/var/lib/dislodge"
PLAN = "/root/plan.json"
NOISE = [MARKS, STATE, AGENT, "/root", "/root/*", "/var/log/*", "/var/lib/systemd/timers/*"]
DONE, FAILED, USAGE, PARTLY, REFUSED = range(5)


class Alone:
    def __init__(self, host):
        self.host = host
        host.write_file(AGENT, (BUILD / "agent/dislodge-agent").read_bytes(), mode=0o755)

    def run(self, *words, code=DONE, **options):
        done = self.host.run([AGENT, *words], check=False, timeout=180, **options)
        said = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == code, f"exit {done.returncode}: {said}"
        return done.stdout.decode() if "--json" in words else said

    def json(self, *words, code=DONE):
        return json.loads(self.run(*words, "--json", code=code))

    def footholds(self, *names):
        survey = json.loads(self.host.run([AGENT, "survey", "--json"], check=False).stdout)
        found = [foothold for foothold in survey["footholds"]
                 if foothold.get("name") in names or foothold["location"] in names]
        assert len(found) >= len(names), f"{names} in {survey['footholds']}"
        return found

    def keys(self, *names):
        return [foothold["key"] for foothold in self.footholds(*names)]

    def propose(self, *names, code=DONE):
        return self.json("propose", *self.keys(*names), "--output", PLAN, code=code)

    def terminal(self, *words, types=b"", columns=80):
        """Runs a command as at a terminal; the exit code and what stood on it."""
        ours, theirs = pty.openpty()
        argv = self.host.argv(["env", "TERM=xterm", f"COLUMNS={columns}", AGENT, *words])
        child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, types)
        shown, limit = b"", time.monotonic() + 120
        while time.monotonic() < limit:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    break
            elif child.poll() is not None:
                break
        os.close(ours)
        return child.wait(timeout=10), shown.decode(errors="replace")


@pytest.fixture
def alone(host):
    return Alone(host)


def states(result):
    return {run["state"] for run in result["runs"]}


CHAIN = ("beacon.timer", "beacon.service", "keeper.service", "/var/spool/cron/crontabs/alice")


def plant_chain(host):
    plant_user(host, "alice")
    timer = plant_timer(host, "beacon")
    keeper = plant_service(host, "keeper")
    line = plant_cron_line(host, "alice")
    probes.wait_fires(host, timer.fired, 10)
    probes.wait_fires(host, keeper.fired, 10)
    return timer, keeper, line


def test_goes_the_whole_way_alone_and_back_to_the_same_bytes(host, alone):
    timer, keeper, line = plant_chain(host)
    before = host.snapshot()

    plan = alone.propose(*CHAIN)
    assert host.lstat(PLAN).st_mode & 0o7777 == 0o600
    assert states(alone.json("check", PLAN)) == {"removed"}
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []

    assert states(alone.json("apply", PLAN, "--yes")) == {"removed"}
    for unit in CHAIN[:3]:
        assert probes.unit_gone(host, unit)
    assert line.payload.encode() not in probes.crontab(host, "alice")
    assert probes.stays_silent(host, keeper.fired, 3)
    for marker in keeper.hooks.values():
        assert not host.exists(marker)

    proof = alone.json("verify", PLAN)
    assert {step["state"] for step in proof["plans"][0]["steps"]} == {"gone"}
    assert alone.json("verify")["plans"][0]["plan_id"] == plan["plan_id"]

    assert states(alone.json("undo", PLAN, "--yes")) == {"restored"}
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    probes.wait_fires(host, keeper.fired, 15)
    probes.wait_fires(host, timer.fired, 15)
    assert "was put back" in alone.run("verify", PLAN)


def test_carries_a_plan_out_only_once_and_undoes_it_only_once(host, alone):
    plant_service(host, "keeper")
    alone.propose("keeper.service")
    alone.run("apply", PLAN, "--yes")
    assert "carried out before" in alone.run("apply", PLAN, "--yes", code=REFUSED)
    alone.run("undo", PLAN, "--yes")
    assert "nothing of this is in quarantine" in alone.run("undo", PLAN, "--yes", code=REFUSED)


def test_leaves_a_foothold_alone_that_changed_since_the_proposal(host, alone):
    plant_service(host, "keeper")
    alone.propose("keeper.service")
    host.run(["sh", "-c", f"echo '# another' >>{UNITS}/keeper.service"])
    before = host.snapshot()
    checked = alone.json("check", PLAN, code=REFUSED)
    assert "stale" in states(checked)
    applied = alone.json("apply", PLAN, "--yes", code=REFUSED)
    assert states(applied) <= {"stale", "skipped"}
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    alone.json("verify", PLAN, code=FAILED)


def test_refuses_a_plan_that_was_made_on_another_host(host, alone):
    plant_service(host, "keeper")
    plan = alone.propose("keeper.service")
    plan["hostname"] = "elsewhere"
    host.write_file(PLAN, json.dumps(plan), mode=0o600)
    assert "elsewhere" in alone.run("apply", PLAN, "--yes", code=REFUSED)
    assert not probes.unit_gone(host, "keeper.service")


def test_asks_at_a_terminal_and_does_nothing_without_a_yes(host, alone):
    plant_service(host, "keeper")
    alone.propose("keeper.service")
    before = host.snapshot()
    for answer in (b"no\n", b"\n", b"y\n", b"\x04"):
        code, shown = alone.terminal("apply", PLAN, types=answer)
        assert code == REFUSED and "Type yes" in shown and "keeper.service" in shown, shown
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    code, shown = alone.terminal("apply", PLAN, types=b"yes\n")
    assert code == DONE and "removed" in shown, shown
    assert probes.unit_gone(host, "keeper.service")
    code, shown = alone.terminal("undo", PLAN, types=b"no\n")
    assert code == REFUSED and probes.unit_gone(host, "keeper.service")


def test_refuses_to_act_where_nobody_can_be_asked(host, alone):
    plant_service(host, "keeper")
    alone.propose("keeper.service")
    assert "--yes" in alone.run("apply", PLAN, code=REFUSED, input=b"yes\n")
    alone.run("apply", PLAN, "--json", code=REFUSED)
    assert not probes.unit_gone(host, "keeper.service")


def test_shows_hostile_names_without_a_control_character(host, alone):
    payload = "/usr/local/lib/\x1b]0;owned\x07\u202egnp.\r\n%41"
    host.run(["sh", "-c", 'printf "#!/bin/sh\\n" >"$1"; chmod 755 "$1"', "sh", payload])
    host.write_file(f"{UNITS}/bad.service",
                    "[Service]\nExecStart=\"/usr/local/lib/\\x1b]0;owned\\x07\\u202egnp.\\r\\n"
                    "%%41\"\n[Install]\nWantedBy=multi-user.target\n")
    host.run(["systemctl", "enable", "bad.service"])
    alone.run("propose", *alone.keys("bad.service"), "--output", PLAN)
    shown = alone.terminal("propose", *alone.keys("bad.service"), "--output", PLAN)[1]
    shown += alone.terminal("apply", PLAN, types=b"yes\n")[1]
    shown += alone.terminal("quarantine", "list")[1]
    plain = shown
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"):
        plain = plain.replace(code, "")
    left = {c for c in plain if (ord(c) < 32 and c not in "\r\n") or c in "\x7f\u202e"}
    assert not left, f"{left!r} in {plain!r}"
    assert "bad.service" in plain


def test_says_why_a_step_is_manual_and_refuses_a_plan_of_those_only(host, alone):
    host.run(["sh", "-c", "echo '# changed' >>/lib/systemd/system/cron.service"])
    survey = json.loads(host.run([AGENT, "survey", "--json"], check=False).stdout)
    key = next(foothold["key"] for foothold in survey["footholds"]
               if foothold.get("name") == "cron.service")
    shown = alone.run("propose", key[:12], "--output", PLAN, code=REFUSED)
    assert "by hand" in shown
    assert "by hand" in alone.run("apply", PLAN, "--yes", code=REFUSED)


def test_refuses_keys_that_no_foothold_has_and_plans_that_are_none(host, alone):
    alone.run("propose", "0" * 64, code=FAILED)
    alone.run("propose", "nonsense", code=FAILED)
    alone.run("propose", code=USAGE)
    alone.run("apply", code=USAGE)
    alone.run("check", "/root/none.json", code=FAILED)
    for text in (b"", b"{}", b'{"dislodge_plan":1}', b"[" * 100000, b"\x00"):
        host.write_file("/root/bad.json", text, mode=0o600)
        alone.run("apply", "/root/bad.json", "--yes", code=FAILED)
    alone.run("undo", "0" * 32, "--yes", code=FAILED)
    alone.run("quarantine", "show", "0" * 32, code=FAILED)
    alone.run("quarantine", "purge", "../../etc/passwd", "--yes", code=FAILED)
    assert host.exists("/etc/passwd")


def test_needs_root(host, alone):
    plant_user(host, "alice")
    for words in (["propose", "0" * 64], ["status"], ["verify"], ["quarantine", "list"],
                  ["apply", PLAN, "--yes"], ["undo", "0" * 32, "--yes"]):
        done = host.run(["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups", AGENT,
                         *words], check=False)
        assert done.returncode == REFUSED and b"root" in done.stderr, (words, done.stderr)
    assert not host.exists(STATE)


def test_quarantine_lists_shows_restores_and_purges_by_decision(host, alone):
    service = plant_service(host, "keeper")
    alone.propose("keeper.service")
    before = host.read_file(service.payload)
    alone.run("apply", PLAN, "--yes")
    items = {item["path"]: item for item in alone.json("quarantine", "list")["items"]}
    payload = items[service.payload]
    assert payload["sha256"] and payload["taken"] > 0

    assert host.lstat(f"{STATE}/quarantine").st_mode & 0o7777 == 0o700
    assert host.lstat(f"{STATE}/quarantine").st_uid == 0
    assert service.payload in alone.run("quarantine", "show", payload["id"])

    alone.run("quarantine", "restore", payload["id"], code=REFUSED)
    alone.run("quarantine", "restore", payload["id"], "--yes")
    assert host.read_file(service.payload) == before
    alone.run("quarantine", "show", payload["id"], code=FAILED)

    unit = items[f"{UNITS}/keeper.service"]
    alone.run("quarantine", "purge", unit["id"], code=REFUSED)
    assert host.exists(f"{STATE}/quarantine/{unit['id']}")
    answer = alone.json("quarantine", "purge", unit["id"], "--yes")
    assert [item["state"] for item in answer["items"]] == ["purged"]
    assert not host.exists(f"{STATE}/quarantine/{unit['id']}")
    alone.run("quarantine", "purge", unit["id"], "--yes", code=FAILED)


def test_restores_nothing_onto_a_name_that_is_taken(host, alone):
    service = plant_service(host, "keeper")
    alone.propose("keeper.service")
    alone.run("apply", PLAN, "--yes")
    items = {item["path"]: item for item in alone.json("quarantine", "list")["items"]}
    host.write_file(service.payload, "mine")
    alone.run("quarantine", "restore", items[service.payload]["id"], "--yes", code=FAILED)
    assert host.read_file(service.payload) == b"mine"


def test_refuses_before_the_quarantine_grows_past_its_cap(host, alone):
    service = plant_service(host, "keeper")
    host.run(["sh", "-c", f"head -c 3000000 /dev/zero >>{service.payload}"])
    host.run(["mkdir", "-p", "/etc/dislodge"])
    host.write_file("/etc/dislodge/agent.conf", "[quarantine]\nmax_mib = 1\n")
    alone.propose("keeper.service")
    assert "max_mib" in alone.run("apply", PLAN, "--yes", code=REFUSED)
    assert not probes.unit_gone(host, "keeper.service")
    host.write_file("/etc/dislodge/agent.conf", "[quarantine]\nmax_mb = 100\n")
    assert "line 2" in alone.run("apply", PLAN, "--yes", code=FAILED)
    host.write_file("/etc/dislodge/agent.conf", "[quarantine]\nmax_mib = 100\n")
    alone.run("apply", PLAN, "--yes")
    assert probes.unit_gone(host, "keeper.service")


def test_finishes_what_a_killed_command_began(host, alone):
    plant_chain(host)
    before = host.snapshot()
    alone.propose(*CHAIN)
    plan_id = json.loads(host.read_file(PLAN))["plan_id"]
    killed = host.run(["timeout", "-s", "KILL", "0.15", AGENT, "apply", PLAN, "--yes"], check=False)
    assert killed.returncode != 0, "it was done before it could be killed"
    told = alone.run("status", code=PARTLY)
    assert "In quarantine" in told
    done = host.run([AGENT, "undo", plan_id, "--yes", "--json"], check=False)
    if done.returncode == 0:
        assert states(json.loads(done.stdout)) == {"restored"}
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []


def test_status_tells_that_no_service_runs_and_what_is_kept(host, alone):
    told = alone.json("status", code=PARTLY)
    assert told["service"] is None and told["quarantine"]["objects"] == 0
    assert "commands work alone" in alone.run("status", code=PARTLY)


# ---- beside the service and a server ----

@pytest.fixture
def enlisted(scene, host):
    agent, view = scene.enlist(host)
    return scene, host, agent, view["id"]


@pytest.fixture
def installed_only(host):
    Agent(host)
    return host


def local_events(scene):
    return [event for event in scene.analyst.items("/api/audit")
            if event["action"].startswith("local.")]


def test_goes_through_the_running_service_and_the_server_learns_of_it(enlisted):
    scene, host, _, host_id = enlisted
    alone = Alone(host)
    plant_service(host, "keeper")
    plan = alone.propose("keeper.service")
    executor = host.text("systemctl show -P MainPID dislodge-executor")
    assert states(alone.json("apply", PLAN, "--yes")) == {"removed"}
    assert probes.unit_gone(host, "keeper.service")
    assert states(alone.json("undo", plan["plan_id"], "--yes")) == {"restored"}
    assert host.text("systemctl show -P MainPID dislodge-executor") == executor

    wait_until(lambda: len(local_events(scene)) == 2, 30, "the server learns of both acts")
    done = {event["action"]: event for event in local_events(scene)}
    assert done["local.applied"]["detail"]["plan_id"] == plan["plan_id"]
    assert done["local.applied"]["detail"]["ends"] == {"removed": 2}
    assert done["local.applied"]["detail"]["login"] == "root"
    assert done["local.applied"]["object"] == f"host {host_id}"
    assert done["local.undone"]["detail"]["of"] == plan["plan_id"]
    assert "running as agent" in alone.run("status")


def test_what_was_done_while_the_service_was_stopped_is_reported_at_the_next_contact(enlisted):
    scene, host, agent, _ = enlisted
    alone = Alone(host)
    plant_service(host, "keeper")
    agent.stop()
    alone.propose("keeper.service")
    alone.run("apply", PLAN, "--yes")
    assert local_events(scene) == []
    agent.start()
    wait_until(lambda: local_events(scene), 30, "the server learns of it")


def test_a_plan_of_the_server_is_undone_by_the_hosts_root(enlisted):
    scene, host, _, host_id = enlisted
    alone = Alone(host)
    service = plant_service(host, "keeper")
    before = host.snapshot()
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, service))
    scene.approve(incident)
    plan_id = scene.wait_order(incident["id"])["orders"][0]["plan_id"]
    assert probes.unit_gone(host, "keeper.service")
    assert states(alone.json("undo", plan_id, "--yes")) == {"restored"}
    noise = [*NOISE, "/run/*"]
    assert diff(before, host.snapshot(), ignore=noise, directory_mtimes=False) == []
    probes.wait_fires(host, service.fired, 15)


def test_the_network_half_may_not_ask_for_a_local_act(enlisted):
    _, host, _, _ = enlisted
    uid = int(host.text("id -u dislodge"))
    frame = json.dumps({"request": "local", "ask": {"act": "items"}}).encode()
    program = ("import os,socket,struct,sys\n"
               "os.chdir(sys.argv[1])\n"
               "uid, frame = int(sys.argv[2]), sys.argv[3].encode()\n"
               "os.setgroups([]); os.setgid(uid); os.setuid(uid)\n"
               "s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect('executor.sock')\n"
               "s.sendall(struct.pack('>I', len(frame)) + frame)\n"
               "print(len(s.recv(1000)))\n")
    folder = f"/proc/{host.record.leader.pid}/root/run/dislodge"
    group = int(host.text("id -g dislodge"))
    assert uid == group, "the program takes both for one number"

    def answered(number):
        return int(subprocess.run([sys.executable, "-c", program, folder, str(number),
                                   frame.decode()], capture_output=True, check=True).stdout)

    assert answered(uid) == 0, "the connection is closed without a word"
    assert answered(0) > 0


def test_a_host_that_is_not_enrolled_does_not_start_the_service_again_and_again(installed_only):
    host = installed_only
    Alone(host).run("status", code=PARTLY)
    host.run(["systemctl", "start", "dislodge-executor"], check=False)
    wait_until(lambda: host.text("systemctl is-failed dislodge-executor", check=False).strip()
               == "failed", 20, "the service gives up")
    assert host.text("systemctl show -P NRestarts dislodge-executor").strip() == "0"
