"""The fences around both halves of the agent, as PID 1 and the kernel keep them on a real host."""

import pytest

from disposable import footholds
from endtoend import statuses
from test_path import undo

# What `systemd-analyze security` may say at most, in tenths.
EXPOSURE = {"link": 15, "executor": 35}
SECCOMP_FILTER = "2"  # proc(5), "Seccomp:"


@pytest.fixture
def enlisted(scene, host):
    agent, view = scene.enlist(host)
    return scene, host, agent, view["id"]


def status_of(host, half):
    pid = host.text(f"systemctl show -p MainPID --value dislodge-{half}").strip()
    lines = host.text(f"cat /proc/{pid}/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.parametrize("half", EXPOSURE)
def test_a_unit_gives_away_no_more_than_its_limit(enlisted, half):
    _, host, _, _ = enlisted
    unit = f"/usr/lib/systemd/system/dislodge-{half}.service"
    done = host.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                     f"--threshold={EXPOSURE[half]}", unit], check=False)
    assert done.returncode == 0, done.stdout.decode()[-200:]


def test_link_runs_without_rights_behind_a_filter(enlisted):
    _, host, agent, _ = enlisted
    status = status_of(host, "link")
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == SECCOMP_FILTER
    # systemd's own filters and the one link loads itself
    assert int(status["Seccomp_filters"]) >= 2
    assert "Landlock" not in agent.log(), "this kernel keeps all of the fence"


def test_executor_has_no_network_and_no_new_privileges(enlisted):
    _, host, _, _ = enlisted
    pid = host.text("systemctl show -p MainPID --value dislodge-executor").strip()
    assert host.text(f"readlink /proc/{pid}/ns/net") != host.text("readlink /proc/1/ns/net")
    status = status_of(host, "executor")
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == SECCOMP_FILTER


def test_executor_sees_and_removes_what_its_fences_could_have_hidden(enlisted):
    """A mount made after its start, a home, /tmp, the kernel's modules; and it gives a set-user-id
    file back as it was."""
    scene, host, _, host_id = enlisted
    host.run(["mkdir", "/mnt/later"])
    version = host.text("uname -r").strip()
    host.run(["mkdir", "-p", f"/usr/lib/modules/{version}"])
    places = ["/mnt/later/job", "/root/job", "/tmp/job", f"/usr/lib/modules/{version}/job"]
    planted = [footholds.plant_service(host, f"job{i}", payload_path=place, stop_hooks=False)
               for i, place in enumerate(places)]
    host.run("mount -t tmpfs late /mnt/later && cp -p /root/job /mnt/later/job")
    host.run(["chmod", "4755", *places])
    scene.survey(host_id)
    found = {foothold["location"]: foothold["key"] for foothold in scene.footholds(host_id)}
    before = [host.text(f"stat -c '%a %U %Y %s' {place}") for place in places]

    incident = scene.report(host_id, [found[one.paths[0]] for one in planted])
    scene.approve(incident)
    incident = scene.wait_order(incident["id"])
    assert set(statuses(incident).values()) == {"removed"}, statuses(incident)
    assert not any(host.exists(place) for place in places)

    incident = undo(scene, incident)
    assert set(statuses(incident).values()) == {"restored"}, statuses(incident)
    assert [host.text(f"stat -c '%a %U %Y %s' {place}") for place in places] == before
