#!/usr/bin/python3
"""./demo [--auto] [--port N]: a whole Dislodge on this machine, with a host to clean.

Installs what is missing, builds, starts the server, boots a disposable host with the agent in it
and plants inert footholds there. Then it is yours in the browser; Ctrl-C ends and removes all of it.

--auto does the whole path by itself through the public HTTP API and asks systemd and cron of the
host whether each step was true; the last line is "demo: ok".
"""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
BUILD = HERE / "build" / "release"
PORT = 8080

# Debian's own tools, whatever else is on the PATH.
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", "")
os.environ["DISLODGE_BUILD"] = str(BUILD)
sys.path.insert(0, str(HERE / "tests" / "hosts"))
sys.dont_write_bytecode = True


class Timeline:
    """Says what is being done and, once it is, how long it took."""

    def __init__(self):
        self.start = time.monotonic()

    @contextlib.contextmanager
    def doing(self, words):
        begun = time.monotonic()
        print(f"{begun - self.start:7.1f} s  {words} …", flush=True)
        yield
        ended = time.monotonic()
        print(f"{ended - self.start:7.1f} s  {words}: done in {ended - begun:.2f} s", flush=True)


def parse(argv):
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auto", action="store_true", help="without a person; proves each step")
    parser.add_argument("--port", type=int, help=f"the portal's port (default {PORT}; "
                        "with --auto any free one)")
    return parser.parse_args(argv)


def prepare(timeline):
    """Bring what is missing and build; both say themselves how far they are."""
    with timeline.doing("installing what is missing"):
        run(HERE / "tools" / "install", "build", "assets", "host")
    with timeline.doing("building"):
        if not (BUILD / "build.ninja").exists():
            run("meson", "setup", "--buildtype=release", "-Doptimization=2", BUILD, HERE)
        run("ninja", "-C", BUILD, "server/dislodged", "agent/dislodge-agent")


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"demo: {argv[0]} ended with {done.returncode}")


class Stage:
    """Server, host and footholds of one demonstration."""

    def __init__(self, timeline, cleanup, hostname, port):
        """What is made is put on `cleanup` at once, so that an end at any point removes it."""
        import endtoend
        from disposable import lifecycle
        self.hostname = hostname
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="dislodge-demo."))
        with timeline.doing("starting the server and making its organization and users"):
            self.scene = endtoend.Scene(folder, port)
            cleanup.callback(self.scene.close)
        with timeline.doing("booting a host (building its first root filesystem takes minutes)"):
            cleanup.callback(lifecycle.down, hostname)
            self.host = endtoend.Host(hostname)
        with timeline.doing("enrolling the agent and waiting for its first survey"):
            self.agent, self.view = self.scene.enlist(self.host)

    def plant(self):
        """Footholds as malware leaves them, with payloads that only note the time."""
        from disposable import footholds
        self.timer = footholds.plant_timer(self.host, "sysupdate-check")
        self.service = footholds.plant_service(self.host, "kworkerd")
        footholds.plant_user(self.host, "web")
        self.cron = footholds.plant_cron_line(self.host, "web")
        # one that must stay manual: a unit of a package, edited
        self.host.run("echo '# edited' >>/usr/lib/systemd/system/e2scrub_reap.service")
        self.view = self.scene.survey(self.view["id"])

    def keys(self, *planted):
        """Return the keys of all footholds whose parts are those planted."""
        paths = {path for one in planted for path in one.paths}
        return [foothold["key"] for foothold in self.scene.footholds(self.view["id"])
                if foothold["location"] in paths]


# ---- with a person ----

def show(stage, timeline):
    with timeline.doing("planting footholds"):
        stage.plant()
    stage.scene.report(stage.view["id"], stage.keys(stage.timer, stage.cron),
                       subject="sysupdate-check starts again every two seconds")
    url, passwords = stage.scene.server.url, stage.scene.server.passwords
    print(f"""
  Open {url} and sign in as

    technician     tom   {passwords['tom']}
    analyst        ana   {passwords['ana']}
    administrator  ada   {passwords['ada']}

  As tom: open the incident that waits, press "Review Remediation Plan", then Approve. Watch the
  steps complete and the incident resolve; then press Undo and see them come back.
  As ana: open the host "{stage.hostname}", compose a report about kworkerd.service and send it.
  With e2scrub_reap.service alone (a package's file, edited) the button is a red ✕ and says why.

  In the host:  tests/hosts/host exec {stage.hostname} bash
  Unplug it:    tests/hosts/host offline {stage.hostname}     (and: online)
  Command line: {BUILD.relative_to(HERE)}/cli/dislodge --help

  Ctrl-C ends and removes everything.
""", flush=True)
    signal.pause()


# ---- without one ----

def prove(true, words):
    if not true:
        raise SystemExit(f"demo: not true: {words}")
    print(f"           ✓ {words}", flush=True)


def prove_gone(stage):
    from disposable import probes
    host = stage.host
    for unit in ("sysupdate-check.timer", "sysupdate-check.service", "kworkerd.service"):
        prove(probes.unit_gone(host, unit), f"systemd knows no {unit} and runs nothing of it")
    prove(stage.cron.payload.encode() not in probes.crontab(host, "web"),
          "crontab of web has no such line")
    # of the service that never ends by itself; a short one runs its ExecStop= each time it ends
    ran = [hook for hook in stage.service.hooks.values() if host.exists(hook)]
    prove(not ran, " ".join(["no ExecStop or ExecStopPost hook ran", *ran]))
    prove(not any(host.exists(one.payload) for one in (stage.timer, stage.service, stage.cron)),
          "the payloads are at their place no more")


def prove_silent(stage):
    from disposable import probes
    prove(probes.cron_stays_silent(stage.host, stage.cron.fired), "cron did not run it again")
    before = probes.fires(stage.host, stage.timer.fired), probes.fires(stage.host, stage.service.fired)
    time.sleep(5)
    after = probes.fires(stage.host, stage.timer.fired), probes.fires(stage.host, stage.service.fired)
    prove(before == after, "the timer did not fire again, and Restart= revived nothing")


def prove_back(stage, before):
    from disposable import probes, footholds, snapshot
    differences = snapshot.diff(before, stage.host.snapshot(), directory_mtimes=False,
                                ignore=[footholds.MARKS, *snapshot.BOOT_NOISE, *AGENTS_OWN])
    prove(not differences, "every file is byte for byte as before " + " ".join(map(str, differences)))
    probes.wait_fires(stage.host, stage.timer.fired, 15)
    prove(True, "the timer fires again")
    probes.wait_fires(stage.host, stage.service.fired, 15)
    prove(True, "the service runs again")
    probes.wait_cron_fires(stage.host, stage.cron.fired)
    prove(True, "cron runs the line again")


AGENTS_OWN = ("/var/lib/dislodge", "/var/lib/dislodge-link", "/var/log")


def go_through(stage, timeline):
    from disposable import probes
    scene, host = stage.scene, stage.host
    with timeline.doing("planting footholds"):
        stage.plant()
    with timeline.doing("footholds fire"):
        probes.wait_fires(host, stage.timer.fired, 15)
        probes.wait_fires(host, stage.service.fired, 15)
        probes.wait_cron_fires(host, stage.cron.fired)
    before = host.snapshot()
    keys = stage.keys(stage.timer, stage.service, stage.cron)
    with timeline.doing("survey → incident → plan → sent"):
        prove(len(keys) == 4, "the survey names the timer, both services and the cron line")
        incident = scene.report(stage.view["id"], keys)
        prove(all(step["assisted"] for step in incident["steps_view"]), "every step is assisted")
    with timeline.doing("approval → removal"):
        scene.approve(incident)
        incident = scene.wait_order(incident["id"])
        prove({step["status"] for step in incident["steps_view"]} == {"removed"},
              f"the host reports all {len(incident['steps_view'])} steps removed")
    prove_gone(stage)
    with timeline.doing("proof: the next survey resolves the incident"):
        scene.wait_incident(incident["id"], "resolved")
    with timeline.doing("silence, over a full minute of cron"):
        prove_silent(stage)
    with timeline.doing("undo"):
        scene.technician.post(f"/api/orders/{incident['orders'][0]['plan_id']}/undo",
                              legitimate=False, comment="to show that it works")
        incident = scene.wait_order(incident["id"])
        prove({step["status"] for step in incident["steps_view"]} == {"restored"},
              "the host reports all steps restored")
    with timeline.doing("footholds work again"):
        prove_back(stage, before)
    with timeline.doing("the incident is open again"):
        scene.wait_incident(incident["id"], "open")
    prove_audit(scene)


def prove_audit(scene):
    verified = scene.server.sign_in("ada").get("/api/audit/verify")
    prove(verified["ok"], f"the audit's chain of {verified['events']} events is whole")


# ---- both ----

def main():
    args = parse(sys.argv[1:])
    if os.geteuid() != 0:
        raise SystemExit("demo: disposable hosts need root; run it as root")
    # so that an end by signal still removes what was made
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("demo: ended by SIGTERM"))
    timeline = Timeline()
    prepare(timeline)
    hostname, port = (f"demo-{os.getpid()}", args.port) if args.auto else ("demo", args.port or PORT)
    with contextlib.ExitStack() as cleanup:
        stage = Stage(timeline, cleanup, hostname, port)
        go_through(stage, timeline) if args.auto else show(stage, timeline)
    print("demo: ok")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\ndemo: ended")
