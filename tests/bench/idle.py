"""What both halves of the agent cost a host while nothing happens.

An enrolled agent on a disposable host, both units started by its systemd, its first survey sent and
its poll held open. After it has settled, both processes are looked at over a minute:

    PSS, private dirty     /proc/PID/smaps_rollup at the end, in KiB
    CPU                    /proc/PID/task/*/schedstat, in ms a minute
    context switches       /proc/PID/task/*/status, a minute

For comparison, known of OSSEC's four processes: PSS 3.4 MiB, private dirty 2.3 MiB, 21 ms CPU a
minute. Needs root, for the host.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SETTLE_SECONDS, MINUTE = 15, 60
HALVES = ("executor", "link")
BUILD = ("--buildtype=release",)


def build(root, folder):
    subprocess.run([root / "tools" / "install", "build", "assets", "host"], check=True)
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", *BUILD, folder, root], check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", folder, "server/dislodged", "agent/dislodge-agent"], check=True,
                   stdout=sys.stderr)


def numbers(text, names):
    """Return the first number after each name, from lines of `name: number …`."""
    found = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()
             if line.split(":")[0] in names}
    return [found[name] for name in names]


class Half:
    """One running process of the agent."""

    def __init__(self, host, name):
        self.host, self.name = host, name
        self.pid = host.text(f"systemctl show -p MainPID --value dislodge-{name}").strip()

    def memory(self):
        return numbers(self.host.text(f"cat /proc/{self.pid}/smaps_rollup"), ("Pss", "Private_Dirty"))

    def used(self):
        """Return (CPU ns, context switches) so far, of all threads."""
        schedules = self.host.text(f"cat /proc/{self.pid}/task/*/schedstat").splitlines()
        status = self.host.text(f"cat /proc/{self.pid}/task/*/status").splitlines()
        return (sum(int(line.split()[0]) for line in schedules),
                sum(int(line.split()[1]) for line in status if "ctxt_switches" in line))


def measure(host, seconds):
    halves = [Half(host, name) for name in HALVES]
    before = [half.used() for half in halves]
    time.sleep(seconds)
    after = [half.used() for half in halves]
    figures = {}
    for half, (cpu, switches), (cpu_end, switches_end) in zip(halves, before, after):
        pss, dirty = half.memory()
        figures[half.name] = {
            "pss_kib": pss, "private_dirty_kib": dirty,
            "cpu_ms_per_min": round((cpu_end - cpu) / 1e6 * MINUTE / seconds, 2),
            "switches_per_min": round((switches_end - switches) * MINUTE / seconds)}
        print(f"{half.name:9}" + "".join(f" {name} {value}" for name, value in
                                         figures[half.name].items()))
    return {"bench": "idle", **{name: round(sum(one[name] for one in figures.values()), 2)
                                for name in figures["link"]}}


def main(root, arguments):
    parser = argparse.ArgumentParser(prog="./bench idle", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=MINUTE, help="look this long (default 60)")
    parser.add_argument("--build", type=pathlib.Path, default=root / "build" / "release",
                        help="build folder (build/release)")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for a disposable host")
    build(root, options.build)
    os.environ["DISLODGE_BUILD"] = str(options.build)
    sys.path.insert(0, str(root / "tests" / "hosts"))
    from disposable import machine
    from disposable.host import Host
    from endtoend import Scene

    machine.base_root()

    with tempfile.TemporaryDirectory(prefix="dislodge-bench.") as scratch:
        scene = Scene(pathlib.Path(scratch))
        host = Host(f"bench-{os.getpid()}")
        try:
            scene.enlist(host)
            time.sleep(SETTLE_SECONDS)
            print(json.dumps(measure(host, options.seconds)))
        finally:
            host.down()
            scene.close()
    return 0
