"""Questions to the consumers of footholds: what systemd and cron themselves say is there.

"Gone" means that these say so, never that some call returned without an error.
"""

import time

CRON_PATIENCE = 75  # cron looks once a minute; the rest is for a busy machine
UNIT_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath",
                   "MainPID", "ControlGroup", "NRestarts", "NeedDaemonReload")


def unit_state(host, name):
    """Return systemd's own properties of a unit; LoadState is 'not-found' when it knows none."""
    shown = host.text(["systemctl", "show", "--property", ",".join(UNIT_PROPERTIES), "--", name])
    return dict(line.split("=", 1) for line in shown.splitlines())


def unit_gone(host, name):
    """True when systemd neither knows the unit nor runs anything of it."""
    state = unit_state(host, name)
    pids = host.run(f"cat /sys/fs/cgroup/system.slice/'{name}'/cgroup.procs", check=False).stdout
    return state["LoadState"] == "not-found" and state["ActiveState"] == "inactive" and not pids


def timer_next(host, name):
    """Return what systemd plans for a timer, None when it will not fire again."""
    shown = host.text(["systemctl", "show", "--property",
                       "ActiveState,NextElapseUSecRealtime,NextElapseUSecMonotonic", "--", name])
    values = dict(line.split("=", 1) for line in shown.splitlines())
    times = (values.get("NextElapseUSecRealtime"), values.get("NextElapseUSecMonotonic"))
    planned = [value for value in times if value not in (None, "", "0", "infinity")]
    return planned[0] if planned and values["ActiveState"] == "active" else None


def crontab(host, user):
    """Return the bytes of a user's crontab as crontab(1) lists it, b"" when there is none."""
    return host.run(["crontab", "-u", user, "-l"], check=False).stdout


def fires(host, marker):
    """Return how often a payload has left its line in a marker file."""
    return host.read_file(marker).count(b"\n") if host.exists(marker) else 0


def wait_fires(host, marker, seconds, count=1):
    """Wait until a marker has grown by count lines; raises when it has not after `seconds`."""
    start = fires(host, marker)
    deadline = time.monotonic() + seconds
    while fires(host, marker) < start + count:
        if time.monotonic() > deadline:
            raise AssertionError(f"{marker} did not fire {count} time(s) within {seconds} s")
        time.sleep(0.1)


def wait_cron_fires(host, marker):
    """Wait until cron has run a line of each minute once more."""
    wait_fires(host, marker, CRON_PATIENCE)


def stays_silent(host, marker, seconds):
    """True when a marker did not grow for so long. Choose seconds well above the period that it
    fired with before, else this proves nothing."""
    start = fires(host, marker)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fires(host, marker) != start:
            return False
        time.sleep(0.2)
    return True


def cron_stays_silent(host, marker, minutes=1):
    """True when cron let so many full minutes begin without running the marker's line."""
    into_minute = time.time() % 60
    return stays_silent(host, marker, 60 * minutes - into_minute + 6)


def processes(host):
    """Return {pid: argv} of all processes in the host, as the host numbers them."""
    listing = host.run("for p in /proc/[0-9]*; do printf '%s\\n' ${p#/proc/}; "
                       "tr '\\0\\n' '\\001 ' <$p/cmdline; echo; done 2>/dev/null", check=False)
    lines = listing.stdout.split(b"\n")
    return {int(pid): argv.rstrip(b"\x01").split(b"\x01")
            for pid, argv in zip(lines[0::2], lines[1::2]) if pid}
