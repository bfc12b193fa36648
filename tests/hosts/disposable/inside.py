"""How a command is run inside a host: which argv reaches it, in a clean environment."""

from . import machine

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "container": "dislodge-test",
}


def in_cgroup(cgroup, argv):
    """Wrap argv so that it runs as a member of cgroup from its first instruction on."""
    join = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
    return ["/bin/sh", "-c", join, str(cgroup), *argv]


def enter(record, argv, environment=None):
    """Return the machine-side argv that runs argv as root inside a running host.

    The command joins the cgroup 'exec' of the host: were it left in ours, the host's own view of it
    would point outside, and switching the host off would have to hunt for it.
    """
    if not record.running():
        raise machine.HostError(f"host '{record.name}' is not running")
    cgroup = record.cgroup / "exec"
    cgroup.mkdir(exist_ok=True)
    variables = [f"{key}={value}" for key, value in {**ENVIRONMENT, **(environment or {})}.items()]
    leader = str(record.leader.pid)
    # --root and --wd: the host's own, so that no path of the machine is left to the command.
    return in_cgroup(
        cgroup,
        ["nsenter", "--target", leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
         "--root", "--wd", "--", "/usr/bin/env", "-i", *variables, *argv],
    )
