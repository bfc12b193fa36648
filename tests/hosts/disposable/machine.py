"""What the machine must offer before a host can run on it, and where hosts are kept there."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent.parent
HOSTS = pathlib.Path(os.environ.get("DISLODGE_HOSTS", "/var/tmp/dislodge-hosts"))

# systemd in each host opens several inotify instances; the kernel's default ends at 20 hosts.
INOTIFY_INSTANCES = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED = 1024


class HostError(Exception):
    """A disposable host could not be made, reached or removed."""


def missing_features():
    """Return in words what keeps hosts from running here; an empty list means nothing does."""
    missing = []
    if os.geteuid() != 0:
        return ["disposable hosts need root"]
    filesystems = pathlib.Path("/proc/filesystems").read_text().split()
    for needed in ("overlay", "cgroup2"):
        if needed not in filesystems and not _can_load(needed):
            missing.append(f"the kernel has no {needed}")
    probe = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "true"]
    if subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        missing.append("namespaces cannot be made here")
    return missing


def _can_load(module):
    """Overlay is a module on many kernels and not listed before its first use."""
    return subprocess.run(["modprobe", "--quiet", module], capture_output=True).returncode == 0


def base_root():
    """Return the root filesystem shared by all hosts; builds it if this is the first time."""
    result = subprocess.run([HERE / "base"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if result.returncode != 0:
        raise HostError("the base root filesystem could not be built; see the messages above")
    return pathlib.Path(os.fsdecode(result.stdout.strip()))


def cgroup_root():
    """Return a mounted cgroup2 hierarchy: where systemd puts it, or one mounted by us."""
    for known in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(f"{known}/cgroup.controllers"):
            return pathlib.Path(known)
    own = pathlib.Path("/run/dislodge-cgroup2")
    own.mkdir(mode=0o700, exist_ok=True)
    if not os.path.ismount(own):
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", own], check=True)
    return own


def raise_inotify_limit():
    if int(INOTIFY_INSTANCES.read_text()) < INOTIFY_WANTED:
        INOTIFY_INSTANCES.write_text(f"{INOTIFY_WANTED}\n")


def start_time(pid):
    """Return when a process started, in clock ticks; with its pid it names it for good."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    state, *fields = stat.rpartition(b")")[2].split()
    return None if state in (b"Z", b"X") else int(fields[18])
