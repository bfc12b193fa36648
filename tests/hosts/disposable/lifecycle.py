"""From nothing to a running host and back: up, stop, start, down.

Every wait is bounded, and every step can be repeated: a launcher that was killed half-way leaves
something that `down` removes all the same.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import time
import uuid

from . import cable, inside, machine
from .record import Process, Record, all_names

BOOT_TIMEOUT = 60
DEATH_TIMEOUT = 15
LOCK_TIMEOUT = 90
OVERLAY_LIKE_A_DISK = ",redirect_dir=on,index=on,nfs_export=on"
OVERLAY_PLAIN = ",redirect_dir=off,index=off,nfs_export=off"


def up(name, plain=False, links=None, owner=None):
    """Make and boot a host; returns its record when systemd there says that booting is over.

    owner is the pid of the process the host belongs to: once that is gone the host counts as stale
    and may be replaced. A running host that is not stale is never replaced.
    """
    record = Record(name, plain=plain, links=dict(links or {}))
    record.owner = Process.of(owner) if owner else None
    base = machine.base_root()
    machine.raise_inotify_limit()
    with _locked(name):
        _clear_the_way(name)
        try:
            _make_disk(record, base)
            _boot(record)
        except BaseException:
            _remove(name)  # it is ours, and nobody else knows of it yet
            raise
    return record


def stop(name):
    """Cut a host's power: all its processes die at once, its disk stays as it is."""
    with _locked(name):
        record = Record.load(name)
        _kill(record)
        record.leader = record.relay = None
        record.save()


def start(name):
    """Boot a stopped host again, on the same disk and with a fresh boot id."""
    with _locked(name):
        record = Record.load(name)
        if record.running():
            raise machine.HostError(f"host '{name}' is running already")
        _kill(record)  # what a host that powered itself off may have left
        if not os.path.ismount(record.root):  # the machine itself was booted since
            _mount(record, machine.base_root())
        _boot(record)
    return record


def down(name):
    """Remove a host and everything it left: processes, mounts, disk. No host is no failure."""
    with _locked(name):
        _remove(name)
    (machine.HOSTS / f".{name}.lock").unlink(missing_ok=True)


def down_all(only_stale=False):
    """Remove all hosts, or those whose owner is gone; returns their names."""
    names = [name for name in all_names() if not only_stale or _is_stale(name)]
    for name in names:
        down(name)
    return names


def offline(name):
    """Unplug a host's network: nothing listens any more, open connections are reset."""
    cable.tell(Record.load(name), {"do": "offline"})


def online(name):
    cable.tell(Record.load(name), {"do": "online"})


def link(name, port_inside, port_outside):
    """Make 127.0.0.1:port_outside of the machine reachable at 127.0.0.1:port_inside in the host."""
    with _locked(name):
        record = Record.load(name)
        cable.tell(record, {"do": "link", "inside": port_inside, "outside": port_outside})
        record.links[str(port_inside)] = port_outside
        record.save()


@contextlib.contextmanager
def _locked(name):
    Record(name)  # refuses names that would lead elsewhere
    machine.HOSTS.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(machine.HOSTS / f".{name}.lock", "w") as lock:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise machine.HostError(f"host '{name}' is busy with another command") from None
                time.sleep(0.05)
        yield


def _is_stale(name):
    try:
        return Record.load(name).stale()
    except machine.HostError:
        return False  # being made just now, or half removed: `up` of the same name deals with it


def _clear_the_way(name):
    try:
        old = Record.load(name)
    except machine.HostError:
        old = None
    if old is not None and old.running() and not old.stale():
        raise machine.HostError(f"host '{name}' exists and is running")
    _remove(name)


def _make_disk(record, base):
    record.folder.mkdir(mode=0o700)
    for part in ("upper", "work", "root"):
        (record.folder / part).mkdir(mode=0o755)
    _mount(record, base)
    etc = record.root / "etc"
    (etc / "machine-id").write_text(uuid.uuid4().hex + "\n")
    (etc / "hostname").write_text(record.name + "\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost {record.name}\n::1 localhost\n")
    record.save()


def _mount(record, base):
    # Paths in these options may not hold ',' or ':'; ours cannot, and HOSTS is checked here.
    if set(str(record.folder)) & set(",:\\"):
        raise machine.HostError(f"overlay cannot use the folder {record.folder}")
    options = f"lowerdir={base},upperdir={record.upper},workdir={record.folder / 'work'}"
    options += OVERLAY_PLAIN if record.plain else OVERLAY_LIKE_A_DISK
    _run("mount", "-t", "overlay", "-o", options, "overlay", record.root)


def _boot(record):
    record.cgroup.mkdir(exist_ok=True)
    command = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
               "--fork", "--kill-child", machine.HERE / "host-init", record.name, record.root,
               record.folder / "console.log"]
    with open(record.folder / "console.log", "ab") as console:
        supervisor = subprocess.Popen(
            inside.in_cgroup(record.cgroup, command), start_new_session=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )
    try:
        deadline = time.monotonic() + BOOT_TIMEOUT
        record.leader = _await_leader(record, supervisor, deadline)
        record.save()
        cable.start(record)
        record.save()
        _await_systemd(record, deadline)
    except machine.HostError as failure:
        died = record.leader is not None and not record.running()
        _kill(record)
        raise machine.HostError(_boot_failure(record)) if died else failure


def _await_leader(record, supervisor, deadline):
    """Return the host's PID 1 once it is the one child of the process that made the namespaces."""
    children = pathlib.Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children")
    while supervisor.poll() is None and time.monotonic() < deadline:
        found = children.read_text().split()
        # /bin/sh becomes unshare by exec, and neither has a child before the host's first process
        leader = Process.of(int(found[0])) if found else None
        if leader is not None:
            return leader
        time.sleep(0.01)
    raise machine.HostError(_boot_failure(record))


def _await_systemd(record, deadline):
    state = "no answer"
    while record.running() and time.monotonic() < deadline:
        state = _system_state(record)
        if state in ("running", "degraded"):
            return
        time.sleep(0.05)
    raise machine.HostError(f"systemd said '{state}'; {_boot_failure(record)}")


def _system_state(record):
    asked = inside.enter(record, ["systemctl", "is-system-running"])
    try:
        answer = subprocess.run(asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, timeout=BOOT_TIMEOUT)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    return answer.stdout.decode(errors="replace").strip()


def _boot_failure(record):
    console = (record.folder / "console.log").read_text(errors="replace")
    return f"host '{record.name}' did not boot; its console ends:\n{console[-2000:]}"


def _kill(record):
    """End every process of a host and wait until the kernel has let go of it."""
    kill_switch = record.cgroup / "cgroup.kill"
    if kill_switch.exists():
        kill_switch.write_text("1")
    for process in (record.leader, record.relay):
        if process is not None and process.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, 9)
    deadline = time.monotonic() + DEATH_TIMEOUT
    while _populated(record) or (record.leader is not None and record.leader.alive()):
        if time.monotonic() > deadline:
            raise machine.HostError(f"processes of host '{record.name}' do not end")
        time.sleep(0.01)
    _drop_cgroup(record)


def _populated(record):
    try:
        return "populated 1" in (record.cgroup / "cgroup.events").read_text()
    except OSError:
        return False


def _drop_cgroup(record):
    if record.cgroup.is_dir():
        for folder, _, _ in os.walk(record.cgroup, topdown=False):
            os.rmdir(folder)


def _remove(name):
    try:
        record = Record.load(name)
    except machine.HostError:
        record = Record(name)
    _kill(record)
    if os.path.ismount(record.root):
        _run("umount", record.root)
    if record.folder.exists():
        # immutable and append-only flags that a test set would keep the disk from going away
        flagged = ["chattr", "-R", "-f", "-i", "-a", record.upper]
        subprocess.run(flagged, stdin=subprocess.DEVNULL, capture_output=True)
        shutil.rmtree(record.folder)


def _run(*argv):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        said = result.stderr.strip()
        raise machine.HostError(f"{' '.join(map(str, argv))}: {said}")
