"""The agent's remedies on real hosts: removed as approved, proved by systemd and cron, undone exactly.

They run through remedy-driver, which needs no server: survey, plan, order, apply, undo.
"""

import json
import os
import pathlib
import random
import subprocess
import time
import uuid

import pytest

from disposable import probes
from disposable.footholds import (MARKS, UNITS, plant_cron_file, plant_cron_line, plant_service,
                                  plant_timer, plant_user)
from disposable.snapshot import diff

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DISLODGE_BUILD", ROOT / "build"))
DRIVER = "/usr/local/sbin/remedy-driver"
AGENT = "/usr/local/sbin/dislodge-agent"
STATE = "/var/lib/dislodge"
NOISE = [MARKS, STATE, DRIVER, AGENT, "/var/log/*", "/var/lib/systemd/timers/*"]


class Remedies:
    """The agent's two programs in one host."""

    def __init__(self, host):
        self.host = host
        for source, target in ((BUILD / "tests/unit/agent_remedy/remedy-driver", DRIVER),
                               (BUILD / "agent/dislodge-agent", AGENT)):
            host.write_file(target, source.read_bytes(), mode=0o755)

    def survey(self):
        return json.loads(self.host.run([AGENT, "survey", "--json"], check=False).stdout)

    def driver(self, *words, given):
        text = given if isinstance(given, bytes) else json.dumps(given).encode()
        return self.host.run([DRIVER, *words], input=text, timeout=180).stdout

    def order(self, *names):
        """An order for the footholds whose name, or cron table, is among names."""
        survey = self.survey()
        chosen = [foothold for foothold in survey["footholds"]
                  if foothold.get("name") in names or foothold["location"] in names]
        found = {foothold.get("name") or foothold["location"] for foothold in chosen}
        assert found >= set(names), f"the survey did not find {set(names) - found}"
        keys = [foothold["key"] for foothold in chosen]
        return self.driver("order", uuid.uuid4().hex, *keys, given=survey)

    def undo_order(self, order):
        return self.driver("undo-order", uuid.uuid4().hex, given=order)

    def check(self, order):
        return json.loads(self.driver("check", STATE, given=order))

    def apply(self, order):
        return json.loads(self.driver("apply", STATE, given=order))

    def undo(self, order):
        return json.loads(self.driver("undo", STATE, given=order))


@pytest.fixture
def remedies(host):
    return Remedies(host)


def steps_of(order):
    return json.loads(json.loads(order)["revision"])["steps"]


def states(result):
    return [run["state"] for run in result["runs"]]


def run_of(result, order, verb, path=None):
    """The run of the step with this verb whose first object has this path."""
    for step in steps_of(order):
        if step["verb"] == verb and path in (None, step["objects"][0]["path"]):
            return next(run for run in result["runs"] if run["step"] == step["id"])
    raise AssertionError(f"no step {verb} {path}")


def plant_chain(host):
    plant_user(host, "alice")
    timer = plant_timer(host, "beacon")
    keeper = plant_service(host, "keeper")
    line = plant_cron_line(host, "alice")
    probes.wait_fires(host, timer.fired, 10)
    probes.wait_fires(host, keeper.fired, 10)
    return timer, keeper, line


def assert_no_hook_ran(host, *planted):
    for foothold in planted:
        for directive, marker in foothold.hooks.items():
            assert not host.exists(marker), f"{directive} of {foothold.name} ran"


CHAIN = ("beacon.timer", "beacon.service", "keeper.service", "/var/spool/cron/crontabs/alice")


def test_removes_a_whole_chain_without_a_hook_and_undoes_it_exactly(host, remedies):
    timer, keeper, line = plant_chain(host)
    before = host.snapshot()
    order = remedies.order(*CHAIN)

    result = remedies.apply(order)

    assert set(states(result)) == {"removed"}, json.dumps(result, indent=1)
    for unit in ("beacon.timer", "beacon.service", "keeper.service"):
        assert probes.unit_gone(host, unit)
    assert probes.timer_next(host, "beacon.timer") is None
    assert probes.stays_silent(host, timer.fired, 5)
    assert probes.stays_silent(host, keeper.fired, 3)
    assert_no_hook_ran(host, keeper)
    # a oneshot service runs ExecStop= after each ordinary run of its own: no run, no more
    assert probes.fires(host, timer.hooks["ExecStop"]) <= probes.fires(host, timer.fired)
    assert probes.crontab(host, "alice") == b""
    gone = {path.encode() for path in (*timer.paths, *keeper.paths, line.payload)}
    assert not any(host.exists(path) for path in gone)
    left = diff(before, host.snapshot(), ignore=[*NOISE, *gone, line.paths[0]],
                directory_mtimes=False)
    assert left == []
    assert probes.cron_stays_silent(host, line.fired)

    undone = remedies.undo(remedies.undo_order(order))

    assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    probes.wait_fires(host, timer.fired, 10)
    probes.wait_fires(host, keeper.fired, 10)
    probes.wait_cron_fires(host, line.fired)
    assert_no_hook_ran(host, keeper)


def test_a_dry_run_says_what_would_come_of_it_and_changes_nothing(host, remedies):
    plant_chain(host)
    order = remedies.order(*CHAIN)
    before = host.snapshot()
    result = remedies.check(order)
    assert set(states(result)) == {"removed"}, json.dumps(result, indent=1)
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    assert probes.unit_state(host, "keeper.service")["ActiveState"] == "active"


def test_a_changed_payload_is_stale_and_the_others_are_done(host, remedies):
    timer, keeper, line = plant_chain(host)
    order = remedies.order(*CHAIN)
    host.write_file(line.payload, "#!/bin/sh\n# somebody edited this\n", mode=0o755)

    result = remedies.apply(order)

    assert run_of(result, order, "file.quarantine", line.payload)["state"] == "stale"
    assert sorted(set(states(result))) == ["removed", "stale"]
    assert host.read_file(line.payload) == b"#!/bin/sh\n# somebody edited this\n"
    assert not host.exists(timer.payload) and not host.exists(keeper.payload)


def test_a_step_that_requires_a_stale_one_is_skipped(host, remedies):
    _, keeper, line = plant_chain(host)
    order = remedies.order(*CHAIN)
    unit = keeper.paths[0]
    host.write_file(unit, host.read_file(unit) + b"# edited\n")

    result = remedies.apply(order)

    assert run_of(result, order, "systemd.unit_remove", unit)["state"] == "stale"
    payload = run_of(result, order, "file.quarantine", keeper.payload)
    assert (payload["state"], payload["reason"]) == ("skipped", "requirement_failed")
    assert host.exists(keeper.payload)
    assert probes.unit_state(host, "keeper.service")["ActiveState"] == "active"
    assert run_of(result, order, "file.quarantine", line.payload)["state"] == "removed"


def test_a_hostile_generator_keeps_units_from_being_touched(host, remedies):
    _, keeper, _ = plant_chain(host)
    order = remedies.order(*CHAIN)
    generator = "/etc/systemd/system-generators/evil"
    host.run(["mkdir", "-p", "/etc/systemd/system-generators"])
    host.write_file(generator, f"#!/bin/sh\necho ran >>{MARKS}/generator\n", mode=0o755)

    result = remedies.apply(order)

    run = run_of(result, order, "systemd.unit_remove", keeper.paths[0])
    assert (run["state"], run["reason"]) == ("refused", "needs_attention")
    assert generator in run["detail"]
    assert all(host.exists(path) for path in keeper.paths)
    assert not host.exists(f"{MARKS}/generator")
    assert run_of(result, order, "cron.line_remove")["state"] == "removed"


def test_a_dropin_and_its_folder_come_back_as_they_were(host, remedies):
    keeper = plant_service(host, "keeper")
    folder = f"{UNITS}/keeper.service.d"
    host.run(["install", "-d", "-m", "0750", "-g", "mail", folder])
    host.write_file(f"{folder}/10-more.conf", "[Service]\nNice=5\n", mode=0o640)
    host.run(["systemctl", "daemon-reload"])
    before = host.snapshot()
    order = remedies.order("keeper.service")

    assert set(states(remedies.apply(order))) == {"removed"}
    assert not host.exists(folder)
    assert probes.unit_gone(host, "keeper.service")

    undone = remedies.undo(remedies.undo_order(order))
    assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    assert_no_hook_ran(host, keeper)


def test_a_crontab_that_was_edited_since_gets_its_line_back_in_its_place(host, remedies):
    plant_user(host, "alice")
    plant_cron_line(host, "alice", "# first")
    line = plant_cron_line(host, "alice")
    plant_cron_line(host, "alice", "# last")
    before = probes.crontab(host, "alice")
    order = remedies.order("/var/spool/cron/crontabs/alice")
    assert set(states(remedies.apply(order))) == {"removed"}
    plant_cron_line(host, "alice", "# added later")

    undone = remedies.undo(remedies.undo_order(order))

    assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
    assert probes.crontab(host, "alice") == before + b"# added later\n"
    assert host.exists(line.payload)


def test_a_crontab_that_was_edited_around_the_line_is_left_alone(host, remedies):
    plant_user(host, "alice")
    plant_cron_line(host, "alice", "# first")
    plant_cron_line(host, "alice")
    plant_cron_line(host, "alice", "# last")
    order = remedies.order("/var/spool/cron/crontabs/alice")
    remedies.apply(order)
    host.run(["crontab", "-u", "alice", "-"], input=b"# quite another\n")

    undone = remedies.undo(remedies.undo_order(order))

    run = run_of(undone, order, "cron.line_remove")
    assert (run["state"], run["reason"]) == ("failed", "precondition")
    assert probes.crontab(host, "alice") == b"# quite another\n"


def test_equal_lines_of_one_table_go_and_come_back_one_by_one(host, remedies):
    planted = plant_cron_file(host, "twice")
    path = planted.paths[0]
    host.write_file(path, host.read_file(path) * 2)
    before = host.read_file(path)
    order = remedies.order(path)

    assert set(states(remedies.apply(order))) == {"removed"}
    assert host.read_file(path) == b""
    assert set(states(remedies.undo(remedies.undo_order(order)))) == {"restored"}
    assert host.read_file(path) == before


def test_undo_never_overwrites_what_took_the_name(host, remedies):
    keeper = plant_service(host, "keeper")
    order = remedies.order("keeper.service")
    remedies.apply(order)
    host.write_file(keeper.payload, "somebody else's")

    undone = remedies.undo(remedies.undo_order(order))

    run = run_of(undone, order, "file.quarantine", keeper.payload)
    assert (run["state"], run["reason"]) == ("failed", "precondition")
    assert host.read_file(keeper.payload) == b"somebody else's"


def test_a_running_program_is_moved_and_named(host, remedies):
    plant_user(host, "alice")
    plant_cron_line(host, "alice", "* * * * * /usr/local/lib/sleeper 1000")
    host.run(["cp", "/bin/sleep", "/usr/local/lib/sleeper"])
    host.run("setsid /usr/local/lib/sleeper 1000 >/dev/null 2>&1 </dev/null &")
    order = remedies.order("/var/spool/cron/crontabs/alice")

    run = run_of(remedies.apply(order), order, "file.quarantine", "/usr/local/lib/sleeper")

    assert run["state"] == "removed"
    # cron may have started it for alice as well, if a minute has just begun
    assert "root" in [holder["user"] for holder in run["flags"]["still_running"]]
    assert "/usr/local/lib/sleeper" in run["flags"]["still_running"][0]["executable"]
    pid = run["flags"]["still_running"][0]["pid"]
    assert host.exists(f"/proc/{pid}") or pid in probes.processes(host)


def test_applying_an_order_again_changes_nothing(host, remedies):
    keeper = plant_service(host, "keeper")
    order = remedies.order("keeper.service")
    first = remedies.apply(order)
    host.write_file(keeper.payload, "#!/bin/sh\n", mode=0o755)
    assert remedies.apply(order) == first
    assert host.exists(keeper.payload)


def test_undo_of_a_unit_gives_back_all_of_it_or_nothing(host, remedies):
    keeper = plant_service(host, "keeper")
    order = remedies.order("keeper.service")
    remedies.apply(order)
    unit, link = keeper.paths[0], keeper.paths[1]
    host.write_file(unit, "[Service]\nExecStart=/bin/true\n")

    undone = remedies.undo(remedies.undo_order(order))

    run = run_of(undone, order, "systemd.unit_remove")
    assert (run["state"], run["reason"]) == ("failed", "precondition")
    assert unit in run["detail"]
    assert not host.exists(link)


def forged(order, path, facts):
    """The same order, but its file step names another file, with that file's true facts."""
    body = json.loads(order)
    revision = json.loads(body["revision"])
    for step in revision["steps"]:
        if step["verb"] == "file.quarantine":
            step["objects"][0].update(facts, path=path)
    body["revision"] = json.dumps(revision, separators=(",", ":"))
    return json.dumps(body, separators=(",", ":")).encode()


def facts_of(host, path):
    facts = host.lstat(path)
    return {"size": facts.st_size, "mode": facts.st_mode & 0o7777, "uid": facts.st_uid,
            "gid": facts.st_gid, "links": facts.st_nlink,
            "sha256": host.text(["sha256sum", path]).split()[0]}


@pytest.mark.parametrize("path, reason", [
    ("/etc/shadow", "protected"),
    ("/usr/bin/dash", "protected"),
    ("/srv/looks-harmless", "protected"),  # a hard link to /etc/shadow
    ("/usr/bin/id", "package_owned"),
])
def test_no_order_moves_what_the_host_itself_must_keep(host, remedies, path, reason):
    keeper = plant_service(host, "keeper")
    host.run(["cp", "-a", "/etc/shadow", "/etc/shadow.new"])  # off the lower layer, so that it links
    host.run(["mv", "/etc/shadow.new", "/etc/shadow"])
    host.run(["ln", "/etc/shadow", "/srv/looks-harmless"])
    order = forged(remedies.order("keeper.service"), path, facts_of(host, path))
    before = facts_of(host, path)

    run = run_of(remedies.apply(order), order, "file.quarantine", path)

    assert (run["state"], run["reason"]) == ("refused", reason)
    assert facts_of(host, path) == before
    assert not host.exists(keeper.paths[0])


def test_a_file_that_is_mounted_over_stays(host, remedies):
    keeper = plant_service(host, "keeper", start=False)
    order = remedies.order("keeper.service")
    host.run(["mount", "--bind", keeper.payload, keeper.payload])

    run = run_of(remedies.apply(order), order, "file.quarantine", keeper.payload)

    assert (run["state"], run["reason"]) == ("failed", "busy_mount")
    host.run(["umount", keeper.payload])
    assert host.exists(keeper.payload)


def test_folders_that_cannot_be_renamed_come_back_too(make_host):
    host = make_host(plain=True)
    remedies = Remedies(host)
    plant_service(host, "keeper")
    folder = f"{UNITS}/keeper.service.d"
    host.run(["install", "-d", "-m", "0750", "-g", "mail", folder])
    host.write_file(f"{folder}/10-more.conf", "[Service]\nNice=5\n", mode=0o640)
    host.run(["systemctl", "daemon-reload"])
    before = host.snapshot()
    order = remedies.order("keeper.service")

    result = remedies.apply(order)
    assert set(states(result)) == {"removed"}, json.dumps(result, indent=1)
    assert not host.exists(folder)
    undone = remedies.undo(remedies.undo_order(order))
    assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
    assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []


def test_a_payload_on_another_file_system_is_copied_removed_and_put_back(host, remedies):
    keeper = plant_service(host, "keeper", start=False)
    host.run("cp -a /usr/local/lib /srv/lib && mount -t tmpfs none /usr/local/lib && "
             "cp -a /srv/lib/. /usr/local/lib/ && rm -r /srv/lib")
    host.run(["systemctl", "start", "keeper.service"])
    told = f"stat -c '%a %u %g %s %y' {keeper.payload} && sha256sum {keeper.payload}"
    before = host.text(told)
    order = remedies.order("keeper.service")

    result = remedies.apply(order)

    assert set(states(result)) == {"removed"}, json.dumps(result, indent=1)
    assert host.text("ls -A /usr/local/lib | grep -e keeper -e dislodge; true") == ""
    undone = remedies.undo(remedies.undo_order(order))
    assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
    assert host.text(told) == before
    probes.wait_fires(host, keeper.fired, 10)


def kill_in_the_middle(host, word, order, after):
    """Starts the driver, kills it after so many seconds; True if it was still at work."""
    argv = host.argv([DRIVER, word, STATE])
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    process.stdin.write(order)
    process.stdin.close()
    time.sleep(after)
    killed = host.run("for p in /proc/[0-9]*; do "
                      f"[ \"$(readlink $p/exe)\" = {DRIVER} ] && kill -9 ${{p#/proc/}}; done; true",
                      check=False)
    assert killed.returncode == 0
    return process.wait(timeout=60) != 0


def test_killed_at_any_point_it_recovers_and_ends_the_same(host, remedies):
    plant_user(host, "alice")
    keeper = plant_service(host, "keeper")
    line = plant_cron_line(host, "alice")
    before = host.snapshot()
    random.seed(7)
    interrupted = 0
    for _ in range(8):
        order = remedies.order("keeper.service", "/var/spool/cron/crontabs/alice")
        interrupted += kill_in_the_middle(host, "apply", order, random.uniform(0.02, 1.2))
        result = remedies.apply(order)
        assert set(states(result)) == {"removed"}, json.dumps(result, indent=1)
        assert probes.unit_gone(host, "keeper.service")
        assert not host.exists(keeper.payload) and not host.exists(line.payload)
        undo = remedies.undo_order(order)
        interrupted += kill_in_the_middle(host, "undo", undo, random.uniform(0.02, 1.2))
        undone = remedies.undo(undo)
        assert set(states(undone)) == {"restored"}, json.dumps(undone, indent=1)
        assert diff(before, host.snapshot(), ignore=NOISE, directory_mtimes=False) == []
    assert interrupted > 0
    assert_no_hook_ran(host, keeper)
