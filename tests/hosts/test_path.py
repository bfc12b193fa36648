"""The whole path on real hosts: survey, report, approval, removal, proof, undo, and what must not be.

One name for each thing the first milestone promises; the questions go to systemd, cron and the disk.
"""

import contextlib
import json
import sqlite3
import time

import pytest

from disposable import footholds, probes, snapshot, watch
from endtoend import Refused, statuses, target, wait_until

# What the agent, systemd and cron write on an idle host while a test compares its disk.
AGENTS_OWN = ("/var/lib/dislodge", "/var/lib/dislodge-link", "/var/log/journal", footholds.MARKS,
              *snapshot.BOOT_NOISE)


@pytest.fixture
def enlisted(scene, host):
    """A host with the agent, and the id the server gave it."""
    agent, view = scene.enlist(host)
    return scene, host, agent, view["id"]


def keys_of(scene, host_id, *planted):
    paths = {path for one in planted for path in one.paths}
    return [foothold["key"] for foothold in scene.footholds(host_id)
            if foothold["location"] in paths]


def changed_paths(before, after):
    found = snapshot.diff(before, after, ignore=AGENTS_OWN, directory_mtimes=False)
    return {difference.path.decode(errors="backslashreplace") for difference in found}


def status_of(incident, path_or_unit):
    """Return the status of the step whose target it is."""
    return next(step["status"] for step in incident["steps_view"] if target(step) == path_or_unit)


def undo(scene, incident):
    scene.technician.post(f"/api/orders/{incident['orders'][0]['plan_id']}/undo",
                          legitimate=False, comment="it was a test")
    return scene.wait_order(incident["id"])


# ---- 1 and 2 ----

# What a file carries beside its bytes and mode; the capability is cap_net_raw, effective.
ATTRIBUTES = {"user.note": "0x6d696e65", "trusted.mark": "0x00ff",
              "security.capability": "0x0100000200200000000000000000000000000000"}


def dress(host, path, attributes=ATTRIBUTES, acl="u:daemon:r"):
    """Give a file extended attributes, an ACL and an odd time: undo owes all of it."""
    host.run(["setfacl", "-m", acl, path])
    for name, value in attributes.items():
        host.run(["setfattr", "-n", name, "-v", value, path])
    host.run(["touch", "-d", "2021-03-04 05:06:07.123456789", path])


def plant_all(host):
    """A timer with a short service, one with a lasting service, a service and a user's line, all of
    them at work, with attributes on each kind of file."""
    beacon = footholds.plant_timer(host, "beacon")
    lurker = footholds.plant_timer(host, "lurker", lasting=True)
    minder = footholds.plant_service(host, "minder")
    footholds.plant_user(host, "bob")
    cron = footholds.plant_cron_line(host, "bob")
    for path in (beacon.paths[0], beacon.payload, minder.paths[0], minder.payload, cron.payload):
        dress(host, path)
    # cron takes no crontab that others may read: an ACL entry that gives nothing
    crontab = cron.paths[0]
    dress(host, crontab, {"user.note": "0x6d696e65"}, "u:daemon:-")
    for planted in (beacon, lurker, minder):
        probes.wait_fires(host, planted.fired, 10)
    probes.wait_cron_fires(host, cron.fired)
    return beacon, lurker, minder, cron


def test_removes_a_timer_chain_and_a_cron_line_proves_it_and_gives_all_of_it_back(enlisted):
    scene, host, _, host_id = enlisted
    beacon, lurker, minder, cron = planted = plant_all(host)
    scene.survey(host_id)
    before = host.snapshot()
    carried = before[beacon.payload.encode()].xattrs
    assert {"user.note", "security.capability", "system.posix_acl_access"} <= dict(carried).keys()

    incident = scene.report(host_id, keys_of(scene, host_id, *planted))
    with watch.departures(host, footholds.UNITS, "/usr/local/lib") as departed:
        scene.approve(incident)
        incident = scene.wait_order(incident["id"])
        order = departed()
    assert set(statuses(incident).values()) == {"removed"}, statuses(incident)
    for timer in (beacon, lurker):
        assert_follow(order, timer.paths[0], timer.paths[1], timer.payload)
    assert_follow(order, minder.paths[0], minder.payload)
    assert_stopped_after_the_reload(host, "beacon.timer", "lurker.service", "minder.service")

    for unit in ("beacon.timer", "beacon.service", "lurker.timer", "lurker.service",
                 "minder.service"):
        assert probes.unit_gone(host, unit), unit
    hooks = [marker for one in (beacon, lurker, minder) for marker in one.hooks.values()
             if one is not beacon]  # a short job runs its hook each time it ends
    assert len(hooks) == 4 and not any(host.exists(marker) for marker in hooks)
    assert cron.payload.encode() not in probes.crontab(host, "bob")
    after = host.snapshot()
    assert changed_paths(before, after) == {path for one in planted for path in one.paths}
    was, now = before[cron.paths[0].encode()], after[cron.paths[0].encode()]
    assert now == was._replace(mtime_ns=now.mtime_ns, size=now.size, sha256=now.sha256), \
        "of the crontab only content and time may differ"
    scene.wait_incident(incident["id"], "resolved")
    assert probes.cron_stays_silent(host, cron.fired)
    for one in (beacon, lurker, minder):
        assert probes.stays_silent(host, one.fired, 3)

    incident = undo(scene, incident)
    assert set(statuses(incident).values()) == {"restored"}, statuses(incident)
    assert changed_paths(before, host.snapshot()) == set()
    for one in (beacon, lurker, minder):
        probes.wait_fires(host, one.fired, 10)
    probes.wait_cron_fires(host, cron.fired)
    scene.wait_incident(incident["id"], "open")


def assert_follow(order, *paths):
    """Each of the paths left its folder once, and in this order."""
    assert [path for path in order if path in paths] == list(paths), order


def assert_stopped_after_the_reload(host, *units):
    """Asked of systemd's own journal, whose entries stand in the order in which they were made."""
    lines = host.text("journalctl -q --no-pager -o json -b _PID=1").splitlines()
    entries = [json.loads(line) for line in lines]
    reload = max(place for place, entry in enumerate(entries)
                 if str(entry["MESSAGE"]).startswith("Reloading"))
    for unit in units:
        stops = [place for place, entry in enumerate(entries) if entry.get("UNIT") == unit
                 and str(entry["MESSAGE"]).startswith(("Stopped", "Stopping", f"{unit}: "))]
        assert stops and min(stops) > reload, (unit, entries[reload - 5:])


# ---- hostile names ----

def test_hostile_names_come_through_the_whole_chain_and_go(enlisted):
    scene, host, _, host_id = enlisted
    hostile = footholds.plant_hostile_names(host)
    probes.wait_fires(host, hostile.fired, 10)
    scene.survey(host_id)
    before = host.snapshot()
    found = {one["location"]: one for one in scene.footholds(host_id)}
    named = [found[hostile.spelled[name]] for name in ("service", "cron", "ignored")]
    assert named[1]["line"] == hostile.spelled["line"]
    assert [one["assisted"] for one in named] == [True, True, False]

    incident = scene.report(host_id, [one["key"] for one in named])
    paths = {thing["path"] for step in incident["steps_view"] for thing in step["objects"]}
    assert {hostile.spelled["payload"], hostile.spelled["tool"]} <= paths, paths
    scene.approve(incident)
    incident = scene.wait_order(incident["id"])
    results = {(step["assisted"], step["status"]) for step in incident["steps_view"]}
    assert results == {(True, "removed"), (False, "manual_todo")}, statuses(incident)
    assert not any(host.exists(path) for path in hostile.paths[:-1])
    assert host.read_file("/etc/cron.d/hostile") == b"" and host.exists(hostile.ignored)

    incident = undo(scene, incident)
    assert changed_paths(before, host.snapshot()) == set()
    probes.wait_fires(host, hostile.fired, 10)


# ---- 3 ----

def test_an_edited_unit_of_a_package_cannot_be_assisted_and_says_why(enlisted):
    scene, host, _, host_id = enlisted
    unit = "/usr/lib/systemd/system/e2scrub_reap.service"
    host.run(f"echo '# edited' >>{unit}")
    scene.survey(host_id)
    keys = [one["key"] for one in scene.footholds(host_id) if one["location"] == unit]
    assert keys, "an edited unit of a package is no longer passed over"
    before = host.snapshot()

    incident = scene.report(host_id, keys)
    assert incident["review"]["possible"] is False
    assert [step["manual_because"] for step in incident["steps_view"]] == ["modified_existing"]
    assert "package" in incident["review"]["because"]
    with pytest.raises(Refused) as refused:
        scene.approve(incident)
    assert (refused.value.status, refused.value.code) == (409, "state")
    with pytest.raises(Refused) as refused:
        scene.approve(incident, steps=[1])
    assert (refused.value.status, refused.value.code) == (409, "state")
    assert scene.incident(incident["id"])["orders"] == []
    scene.survey(host_id)  # an order would have come before it
    assert changed_paths(before, host.snapshot()) == set()


# ---- 4 ----

def test_a_payload_changed_after_the_approval_is_stale_what_requires_it_skipped_the_rest_done(
        enlisted):
    scene, host, _, host_id = enlisted
    one = footholds.plant_cron_file(host, "one")
    two = footholds.plant_cron_file(host, "two")
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, one, two),
                            requires=[{"step": two.payload, "requires": one.payload}])
    host.offline()
    scene.approve(incident)
    changed = b"#!/bin/sh\n# somebody's own program now\n"
    host.write_file(one.payload, changed, mode=0o755)
    host.online()
    incident = scene.wait_order(incident["id"])

    assert status_of(incident, one.payload) == "stale"
    assert host.read_file(one.payload) == changed
    assert status_of(incident, two.payload) == "skipped"
    assert host.exists(two.payload)
    lines = [step["status"] for step in incident["steps_view"]
             if step["verb"] == "cron.line_remove"]
    assert lines == ["removed", "removed"]


# ---- 5 ----

def test_a_host_that_was_down_when_approved_does_the_work_when_it_comes_back(enlisted):
    scene, host, _, host_id = enlisted
    timer = footholds.plant_timer(host, "beacon")
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, timer))
    host.stop()
    wait_until(lambda: not scene.analyst.get(f"/api/hosts/{host_id}")["online"], 15,
               "the server sees that the host is off")
    scene.approve(incident)

    incident = scene.incident(incident["id"])
    assert set(statuses(incident).values()) == {"queued"}
    assert incident["host"]["online"] is False and incident["host"]["last_contact"]
    host.start()
    incident = scene.wait_order(incident["id"])
    assert set(statuses(incident).values()) == {"removed"}
    assert probes.unit_gone(host, "beacon.timer")
    scene.wait_incident(incident["id"], "resolved")


def cable_out(host):
    host.offline()
    return host.online


def power_off(host):
    host.stop()
    return host.start


@pytest.mark.parametrize("take_away", [cable_out, power_off])
def test_an_order_cancelled_while_the_host_is_down_never_runs(enlisted, take_away):
    scene, host, _, host_id = enlisted
    timer = footholds.plant_timer(host, "beacon")
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, timer))
    bring_back = take_away(host)
    wait_until(lambda: not scene.analyst.get(f"/api/hosts/{host_id}")["online"], 15,
               "the server sees that the host is away")
    approved = scene.approve(incident)
    assert approved["orders"][0]["state"] == "queued"
    plan_id = approved["orders"][0]["plan_id"]
    scene.technician.post(f"/api/orders/{plan_id}/cancel")
    bring_back()

    scene.survey(host_id)  # the agent is back and was heard
    incident = scene.incident(incident["id"])
    assert incident["orders"][0]["state"] == "cancelled"
    assert set(statuses(incident).values()) == {"cancelled"}
    assert probes.unit_state(host, "beacon.timer")["ActiveState"] == "active"
    assert all(host.exists(path) for path in timer.paths)


def newest_order(scene, incident):
    return scene.incident(incident["id"])["orders"][0]


def cut_power_at(scene, incident, state):
    """Kill the server the moment its newest order is in the state, and be sure that it was: the
    database is asked while nobody can write to it."""
    wait_until(lambda: newest_order(scene, incident)["state"] == state, 30,
               f"the order is {state}", pause=0)
    plan_id = scene.incident(incident["id"])["orders"][0]["plan_id"] if state == "queued" else None
    scene.server.kill()
    with contextlib.closing(sqlite3.connect(scene.server.folder / "dislodge.db")) as database:
        stored = database.execute("SELECT plan_id, state FROM plan_order "
                                  "ORDER BY created DESC, rowid DESC").fetchone()
    assert stored[1] == state and plan_id in (None, stored[0])
    scene.server.start()


@pytest.mark.parametrize("stage", ["queued", "claimed", "finished"])
def test_a_server_killed_at_a_stage_of_removal_and_undo_loses_nothing_does_nothing_twice(
        enlisted, stage):
    scene, host, _, host_id = enlisted
    timers = [footholds.plant_timer(host, f"beacon{number}") for number in range(3)]
    scene.survey(host_id)
    before = host.snapshot()
    incident = scene.report(host_id, keys_of(scene, host_id, *timers))
    paths = sorted(path for timer in timers for path in timer.paths)

    with watch.departures(host, footholds.UNITS, f"{footholds.UNITS}/timers.target.wants",
                          "/usr/local/lib") as departed:
        interrupted(scene, host, incident, stage, lambda: scene.approve(incident))
        incident = scene.wait_order(incident["id"])
        assert sorted(path for path in departed() if path in paths) == paths, "each left once"
    assert set(statuses(incident).values()) == {"removed"}
    taken = [item["path"] for step in incident["steps_view"] for item in step["run"]["quarantine"]]
    assert sorted(taken) == paths
    scene.wait_incident(incident["id"], "resolved")

    plan_id = incident["orders"][0]["plan_id"]
    interrupted(scene, host, incident, stage, lambda: scene.technician.post(
        f"/api/orders/{plan_id}/undo", legitimate=False))
    incident = scene.wait_order(incident["id"])
    assert set(statuses(incident).values()) == {"restored"}
    assert [order["kind"] for order in incident["orders"]] == ["undo", "remove"]
    assert changed_paths(before, host.snapshot()) == set()
    assert scene.server.sign_in("ada").get("/api/audit/verify")["ok"]


def interrupted(scene, host, incident, stage, act):
    if stage == "queued":
        host.offline()  # else it would not stay so
    act()
    cut_power_at(scene, incident, stage)
    host.online()


@pytest.mark.parametrize("delay", [0, 0.05, 0.15])
def test_a_server_killed_after_the_approval_loses_nothing_and_does_nothing_twice(enlisted, delay):
    scene, host, _, host_id = enlisted
    timer = footholds.plant_timer(host, "beacon")
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, timer))
    scene.approve(incident)
    time.sleep(delay)
    scene.server.kill()
    scene.server.start()

    incident = scene.wait_order(incident["id"])
    assert set(statuses(incident).values()) == {"removed"}
    assert len(incident["orders"]) == 1
    taken = [item["path"] for step in incident["steps_view"] for item in step["run"]["quarantine"]]
    assert sorted(taken) == sorted(timer.paths)
    scene.wait_incident(incident["id"], "resolved")
    assert scene.server.sign_in("ada").get("/api/audit/verify")["ok"]


def test_a_server_killed_at_every_stage_before_goes_on_from_there(enlisted):
    scene, host, _, host_id = enlisted

    def power_cut():
        scene.server.kill()
        scene.server.start()

    timer = footholds.plant_timer(host, "beacon")
    scene.survey(host_id)
    power_cut()
    incident = scene.report(host_id, keys_of(scene, host_id, timer))
    power_cut()
    assert scene.incident(incident["id"])["state"] == "open"
    host.offline()
    scene.approve(incident)
    power_cut()
    assert scene.incident(incident["id"])["orders"][0]["state"] == "queued"
    host.online()
    incident = scene.wait_order(incident["id"])
    power_cut()
    incident = scene.wait_incident(incident["id"], "resolved")
    incident = undo(scene, incident)
    assert set(statuses(incident).values()) == {"restored"}
    assert len(incident["orders"]) == 2
