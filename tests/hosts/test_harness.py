"""The harness itself: that a disposable host is what the other tests take it for."""

import errno
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from disposable import lifecycle, probes
from disposable.footholds import (MARKS, plant_cron_file, plant_cron_line, plant_service,
                                  plant_timer, plant_user)
from disposable.host import Host
from disposable.record import Record
from disposable.snapshot import BOOT_NOISE, diff

SAMPLE = "/usr/local/sample"


class EchoServer:
    """A server on the machine's loopback that says back what it is told."""

    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection):
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self.listener.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def echo_server():
    server = EchoServer()
    yield server
    server.close()


ASK = "exec 3<>/dev/tcp/127.0.0.1/{port} && echo hello >&3 && head -n 1 <&3"


def ask(host, port, check=True):
    return host.run(["bash", "-c", ASK.format(port=port)], check=check, timeout=10)


# --- booting, switching off and on ---


def test_runs_systemd_as_pid_1_and_comes_up_without_failed_units(host):
    assert host.text("cat /proc/1/comm") == "systemd"
    assert host.text("systemctl is-system-running") == "running"
    assert host.text("systemctl is-active cron atd dbus").split() == ["active"] * 3


def test_a_plain_overlay_host_cannot_rename_an_old_folder_and_the_usual_one_can(make_host):
    rename = ["perl", "-e", "rename('/usr/share/perl5', '/usr/share/renamed') or exit $!+0"]
    assert make_host(plain=True).run(rename, check=False).returncode == errno.EXDEV
    assert make_host().run(rename, check=False).returncode == 0


def test_keeps_its_disk_and_machine_id_but_gets_a_new_boot_id_when_switched_off_and_on(host):
    host.write_file("/etc/kept", "still here\n", mode=0o600)
    machine_id, boot_id = host.text("cat /etc/machine-id /proc/sys/kernel/random/boot_id").split()
    before = host.snapshot()
    host.stop()
    assert not host.record.running()
    assert host.read_file("/etc/kept") == b"still here\n"
    host.start()
    assert host.text("cat /etc/machine-id") == machine_id
    assert host.text("cat /proc/sys/kernel/random/boot_id") != boot_id
    assert diff(before, host.snapshot(), ignore=BOOT_NOISE, directory_mtimes=False) == []


def test_stopping_ends_every_process_of_the_host(host):
    running = subprocess.Popen(host.argv(["sleep", "1000"]))
    host.run("setsid -f sleep 1001 >/dev/null 2>&1")
    host.stop()
    assert running.wait(timeout=10) != 0
    assert not host.record.cgroup.exists()


def test_a_host_that_switched_itself_off_can_be_started_again(host):
    host.run(["systemctl", "poweroff"], check=False)
    deadline = time.monotonic() + 20
    while host.record.running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not host.record.running()
    host.start()
    assert host.text("systemctl is-system-running") == "running"


def test_a_host_whose_owner_died_is_replaced_by_the_next_of_its_name(host_machine):
    name = f"test-{os.getpid()}-stale"
    owner = subprocess.Popen(["sleep", "1000"])
    first = Host(name, owner=owner.pid)
    first.write_file("/etc/first", "")
    try:
        with pytest.raises(lifecycle.machine.HostError, match="exists and is running"):
            Host(name)
        old_leader = first.record.leader
        owner.kill()
        owner.wait()
        assert first.record.stale()
        second = Host(name)
        assert not old_leader.alive()
        assert not second.exists("/etc/first")
    finally:
        first.down()


def test_clearing_stale_hosts_leaves_those_of_living_owners(host):
    owner = subprocess.Popen(["sleep", "1000"])
    stale = Host(f"test-{os.getpid()}-orphan", owner=owner.pid)
    owner.kill()
    owner.wait()
    assert stale.name in lifecycle.down_all(only_stale=True)
    assert not stale_folder_exists(stale.name)
    assert host.record.running()


def stale_folder_exists(name):
    return Record(name).folder.exists()


def test_down_removes_processes_mounts_disk_and_cgroup_even_with_immutable_files(host):
    host.write_file(SAMPLE, "x")
    host.run(["chattr", "+i", SAMPLE])
    record = host.record
    host.down()
    assert not record.leader.alive()
    assert _ends_soon(record.relay)
    assert str(record.folder) not in pathlib.Path("/proc/self/mounts").read_text()
    assert not record.folder.exists()
    assert not record.cgroup.exists()


def _ends_soon(process):
    deadline = time.monotonic() + 5
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not process.alive()


# --- isolation ---


def test_sees_neither_files_nor_processes_nor_network_of_the_machine(host, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the machine's own")
    assert host.run(["cat", str(secret)], check=False).returncode != 0
    assert not host.exists(pathlib.Path(__file__))
    mounted = {line.split()[1] for line in host.text("cat /proc/mounts").splitlines()}
    assert not {path for path in mounted
                if not path.startswith(("/proc", "/sys", "/dev", "/run")) and path != "/"}
    argvs = probes.processes(host).values()
    assert [b"/sbin/init"] in argvs
    assert not any(b"pytest" in word for argv in argvs for word in argv)
    assert host.text("ls /sys/class/net") == "lo"


def test_a_link_to_an_absolute_path_never_leads_the_harness_out_of_the_host(host, tmp_path):
    outside = tmp_path / "victim"
    outside.write_text("untouched")
    host.run(["ln", "-s", str(tmp_path), "/etc/way-out"])
    with pytest.raises(FileNotFoundError):
        host.write_file("/etc/way-out/victim", "overwritten")
    with pytest.raises(FileNotFoundError):
        host.read_file("/etc/way-out/victim")
    assert outside.read_text() == "untouched"


def test_cannot_load_modules_or_set_the_machines_clock(host):
    bounding = int(host.text("sed -n 's/^CapBnd:\\t//p' /proc/1/status"), 16)
    sys_module, sys_rawio, sys_time, linux_immutable = 16, 17, 25, 9
    assert not bounding & (1 << sys_module | 1 << sys_rawio | 1 << sys_time)
    assert bounding & 1 << linux_immutable


def test_a_command_gets_input_and_exit_code_through_and_a_clean_environment(host, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "1")
    noise = bytes(range(256)) * 300
    assert host.run(["cat"], input=noise).stdout == noise
    assert host.run("exit 37", check=False).returncode == 37
    names = {line.partition("=")[0] for line in host.text("env").splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "container", "PWD", "SHLVL", "_", "OLDPWD"}


# --- snapshots ---


CHANGES = {
    "a byte, size and mtime kept": ("printf y | dd of={f} conv=notrunc status=none; touch -d @7 {f}", "sha256"),
    "the mode": ("chmod 4755 {f}", "mode"),
    "the owner": ("chown 5:7 {f}", "uid 0 -> 5, gid 0 -> 7"),
    "the mtime by a nanosecond": ("touch -d @7.000000001 {f}", "mtime_ns"),
    "a user xattr": ("setfattr -n user.x -v 1 {f}", "xattrs"),
    "a security xattr": ("setfattr -n security.x -v 1 {f}", "xattrs"),
    "an ACL": ("setfacl -m u:daemon:r {f}", "xattrs"),
    "an attribute flag": ("chattr +i {f}", "flags"),
    "the type": ("rm {f}; ln -s x {f}", "kind file -> symlink"),
    "its being there": ("rm {f}", "gone"),
}


@pytest.fixture(scope="module")
def canvas(host_machine):
    """One host for all the small changes; each change has a file of its own there."""
    host = Host(f"test-{os.getpid()}-canvas")
    yield host
    host.down()


@pytest.mark.parametrize("what", CHANGES)
def test_a_snapshot_sees_a_change_of(canvas, what):
    path = f"{SAMPLE}-{list(CHANGES).index(what)}"
    canvas.write_file(path, "x" * 100, mtime_ns=7_000_000_000)
    before = canvas.snapshot()
    command, words = CHANGES[what]
    canvas.run(command.format(f=path))
    differences = diff(before, canvas.snapshot(), directory_mtimes=False)
    assert [d.path for d in differences] == [path.encode()]
    assert words in differences[0].words


def test_a_snapshot_sees_a_changed_link_target_and_a_new_name_that_is_no_text(canvas):
    name = b"/usr/local/\xff\xfe'\"\n<b>"
    canvas.run(["ln", "-s", "one", f"{SAMPLE}-link"])
    before = canvas.snapshot()
    canvas.run(["ln", "-sfn", "two", f"{SAMPLE}-link"])
    canvas.write_file(name, b"\0\xff", mode=0o640, owner=(1, 2))
    seen = {d.path: d.words for d in diff(before, canvas.snapshot(), directory_mtimes=False)}
    assert seen.keys() == {name, f"{SAMPLE}-link".encode()}
    assert canvas.read_file(name) == b"\0\xff"


def test_a_snapshot_forgives_directory_mtimes_and_ignored_paths_only_when_asked(canvas):
    canvas.run(["mkdir", "-p", "/srv/one/deep"])
    before = canvas.snapshot()
    canvas.run("touch -d @1 /srv/one; echo >/srv/one/deep/new")
    after = canvas.snapshot()
    changed = {b"/srv/one", b"/srv/one/deep", b"/srv/one/deep/new"}
    assert {d.path for d in diff(before, after)} == changed
    assert {d.path for d in diff(before, after, directory_mtimes=False)} == {b"/srv/one/deep/new"}
    assert diff(before, after, ignore=["/srv/o*"]) == []


def test_an_idle_host_does_not_change_and_a_snapshot_takes_less_than_three_seconds(host):
    before = host.snapshot()
    start = time.monotonic()
    after = host.snapshot()
    assert time.monotonic() - start < 3
    assert len(after) > 5000
    assert diff(before, after) == []


# --- planted footholds and the consumers' answers ---


def test_a_planted_service_runs_comes_back_and_its_hooks_tell_that_it_was_stopped(host):
    service = plant_service(host, "beacon")
    probes.wait_fires(host, service.fired, 10)
    state = probes.unit_state(host, service.name)
    assert (state["LoadState"], state["ActiveState"]) == ("loaded", "active")
    host.run(["kill", "-9", state["MainPID"]])
    probes.wait_fires(host, service.fired, 10, count=3)
    assert probes.unit_state(host, service.name)["MainPID"] not in ("0", state["MainPID"])
    assert not host.exists(service.hooks["ExecStop"])
    host.run(["systemctl", "stop", service.name])
    assert host.exists(service.hooks["ExecStop"]) and host.exists(service.hooks["ExecStopPost"])
    assert probes.stays_silent(host, service.fired, 3)
    assert not probes.unit_gone(host, service.name)


def test_a_planted_timer_fires_until_it_is_removed_and_then_systemd_knows_it_no_more(host):
    timer = plant_timer(host, "chime", every=1)
    probes.wait_fires(host, timer.fired, 15, count=2)
    assert probes.timer_next(host, timer.name) is not None
    host.run(["systemctl", "disable", "--now", timer.name])
    for path in timer.paths:
        host.run(["rm", "-f", path])
    host.run(["systemctl", "daemon-reload"])
    assert probes.unit_gone(host, timer.name) and probes.unit_gone(host, "chime.service")
    assert probes.timer_next(host, timer.name) is None
    assert probes.stays_silent(host, timer.fired, 4)


def test_planted_footholds_are_what_changed_and_nothing_else(host):
    before = host.snapshot()
    service = plant_service(host, "beacon")
    timer = plant_timer(host, "chime")
    file = plant_cron_file(host, "dropper")
    seen = {d.path for d in diff(before, host.snapshot(), ignore=[MARKS], directory_mtimes=False)}
    assert seen == {path.encode() for path in (*service.paths, *timer.paths, *file.paths)}


def test_planted_footholds_start_by_themselves_after_a_reboot(host):
    service, timer = plant_service(host, "beacon"), plant_timer(host, "chime", every=1)
    host.stop()
    assert probes.stays_silent(host, service.fired, 2)
    host.start()
    probes.wait_fires(host, service.fired, 10)
    probes.wait_fires(host, timer.fired, 10)


def test_cron_runs_a_users_line_and_a_cron_d_file_each_minute_until_they_are_removed(host):
    uid, gid = plant_user(host, "alice")
    line = plant_cron_line(host, "alice")
    file = plant_cron_file(host, "dropper")
    assert line.payload.encode() in probes.crontab(host, "alice")
    probes.wait_cron_fires(host, line.fired)
    assert probes.fires(host, file.fired) >= 1
    owner = host.lstat(line.fired)
    assert (owner.st_uid, owner.st_gid) == (uid, gid)
    host.run(["crontab", "-u", "alice", "-r"])
    host.run(["rm", "/etc/cron.d/dropper"])
    assert probes.cron_stays_silent(host, line.fired)
    assert probes.crontab(host, "alice") == b""


# --- the cable to the machine ---


def test_reaches_a_server_on_the_machine_through_its_own_loopback(make_host, echo_server):
    host = make_host(links={8443: echo_server.port})
    assert ask(host, 8443).stdout == b"hello\n"
    host.link(9000, echo_server.port)
    assert ask(host, 9000).stdout == b"hello\n"
    assert ask(host, 9001, check=False).returncode != 0


def test_offline_resets_open_connections_and_refuses_new_ones_and_online_restores(make_host, echo_server):
    host = make_host(links={8443: echo_server.port})
    held = subprocess.Popen(host.argv(["bash", "-c", ASK.format(port=8443) + "; echo up; cat <&3"]),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert held.stdout.readline() == b"hello\n" and held.stdout.readline() == b"up\n"
    host.offline()
    _, complaint = held.communicate(timeout=10)
    assert held.returncode != 0 and b"reset" in complaint
    refused = ask(host, 8443, check=False)
    assert refused.returncode != 0 and b"refused" in refused.stderr
    host.online()
    assert ask(host, 8443).stdout == b"hello\n"


def test_the_cable_survives_a_restart_of_the_server_and_of_the_host(make_host, echo_server):
    host = make_host(links={8443: echo_server.port})
    echo_server.close()
    assert ask(host, 8443, check=False).stdout == b""
    again = EchoServer(echo_server.port)
    try:
        assert ask(host, 8443).stdout == b"hello\n"
        host.stop()
        host.start()
        assert ask(host, 8443).stdout == b"hello\n"
    finally:
        again.close()


def test_the_cable_carries_megabytes_both_ways_over_many_connections(make_host, echo_server):
    host = make_host(links={8443: echo_server.port})
    each = 3_000_000
    transfer = ("exec 3<>/dev/tcp/127.0.0.1/8443; head -c {n} /dev/zero >&3 & head -c {n} <&3 | wc -c; wait")
    line = transfer.format(n=each)
    all_at_once = f"for i in $(seq 8); do ({line}) & done; wait"
    assert host.text(["bash", "-c", all_at_once], timeout=60).split() == [str(each)] * 8


def test_the_cable_ends_with_its_host(host):
    relay = host.record.relay
    assert relay.alive()
    os.kill(host.record.leader.pid, signal.SIGKILL)
    assert _ends_soon(relay)
