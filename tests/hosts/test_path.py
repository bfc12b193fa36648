"""The whole path on real hosts: survey, report, approval, removal, proof, undo, and what must not be.

One name for each thing the first milestone promises; the questions go to systemd, cron and the disk.
"""

import time

import pytest

from disposable import footholds, probes, snapshot
from endtoend import Refused, statuses, target, wait_until

# What the agent, systemd and cron write on an idle host while a test compares its disk.
AGENTS_OWN = ("/var/lib/dislodge", "/var/lib/dislodge-link", "/var/log", footholds.MARKS,
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


def run_times(incident, path_or_unit):
    run = next(step["run"] for step in incident["steps_view"] if target(step) == path_or_unit)
    return run["started"], run["finished"]


def undo(scene, incident):
    scene.technician.post(f"/api/orders/{incident['orders'][0]['plan_id']}/undo",
                          legitimate=False, comment="it was a test")
    return scene.wait_order(incident["id"])


# ---- 1 and 2 ----

def test_removes_a_timer_chain_and_a_cron_line_proves_it_and_gives_all_of_it_back(enlisted):
    scene, host, _, host_id = enlisted
    timer = footholds.plant_timer(host, "beacon", stop_hooks=False)
    service = footholds.plant_service(host, "minder")
    footholds.plant_user(host, "bob")
    cron = footholds.plant_cron_line(host, "bob")
    probes.wait_fires(host, timer.fired, 10)
    probes.wait_cron_fires(host, cron.fired)
    scene.survey(host_id)
    before = host.snapshot()

    incident = scene.report(host_id, keys_of(scene, host_id, timer, service, cron))
    scene.approve(incident)
    incident = scene.wait_order(incident["id"])
    assert set(statuses(incident).values()) == {"removed"}, statuses(incident)
    assert in_order(incident, "beacon.timer", "beacon.service", timer.payload)

    for unit in ("beacon.timer", "beacon.service", "minder.service"):
        assert probes.unit_gone(host, unit), unit
    assert not any(host.exists(marker) for marker in service.hooks.values())
    assert cron.payload.encode() not in probes.crontab(host, "bob")
    assert changed_paths(before, host.snapshot()) == {
        *timer.paths, *service.paths, *cron.paths}
    scene.wait_incident(incident["id"], "resolved")
    assert probes.cron_stays_silent(host, cron.fired)
    assert probes.stays_silent(host, timer.fired, 5) and probes.stays_silent(host, service.fired, 3)

    incident = undo(scene, incident)
    assert set(statuses(incident).values()) == {"restored"}, statuses(incident)
    assert changed_paths(before, host.snapshot()) == set()
    probes.wait_fires(host, timer.fired, 10)
    probes.wait_fires(host, service.fired, 10)
    probes.wait_cron_fires(host, cron.fired)
    scene.wait_incident(incident["id"], "open")


def in_order(incident, *targets):
    starts = [run_times(incident, one)[0] for one in targets]
    return starts == sorted(starts)


# ---- 3 ----

def test_an_edited_unit_of_a_package_cannot_be_assisted_and_says_why(enlisted):
    scene, host, _, host_id = enlisted
    unit = "/usr/lib/systemd/system/e2scrub_reap.service"
    host.run(f"echo '# edited' >>{unit}")
    scene.survey(host_id)
    keys = [one["key"] for one in scene.footholds(host_id) if one["location"] == unit]
    assert keys, "an edited unit of a package is no longer passed over"

    incident = scene.report(host_id, keys)
    assert incident["review"]["possible"] is False
    assert "package" in incident["review"]["because"] or "package" in str(incident["steps_view"])
    with pytest.raises(Refused) as refused:
        scene.approve(incident)
    assert 400 <= refused.value.status < 500
    with pytest.raises(Refused):
        scene.approve(incident, steps=[1])
    assert scene.incident(incident["id"])["orders"] == []


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


def test_an_order_cancelled_while_the_host_is_down_never_runs(enlisted):
    scene, host, _, host_id = enlisted
    timer = footholds.plant_timer(host, "beacon")
    scene.survey(host_id)
    incident = scene.report(host_id, keys_of(scene, host_id, timer))
    host.offline()
    approved = scene.approve(incident)
    plan_id = approved["orders"][0]["plan_id"]
    scene.technician.post(f"/api/orders/{plan_id}/cancel")
    host.online()

    scene.survey(host_id)  # the agent is back and was heard
    incident = scene.incident(incident["id"])
    assert incident["orders"][0]["state"] == "cancelled"
    assert set(statuses(incident).values()) == {"cancelled"}
    assert probes.unit_state(host, "beacon.timer")["ActiveState"] == "active"
    assert all(host.exists(path) for path in timer.paths)


@pytest.mark.parametrize("delay", [0, 0.03, 0.08, 0.2, 0.5, 1.0])
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
