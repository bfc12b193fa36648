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
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
BUILD = HERE / "build" / "release"
PORT = 8080

# Debian's own tools, whatever else is on the PATH.
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", "")
os.environ["DISLODGE_BUILD"] = str(BUILD)
sys.path.insert(0, str(HERE / "tests" / "hosts"))
sys.dont_write_bytecode = True


class Trouble(Exception):
    """Why the demonstration cannot go on, in words for the person who started it."""


class Timeline:
    """One line for each part with the time it took, and below it what was shown to be true. A part
    that takes long is announced before it is done."""

    ANNOUNCE_AFTER = 1.5  # seconds

    def __init__(self):
        self.start = time.monotonic()
        self.proved = None  # what was shown within the present part

    @contextlib.contextmanager
    def doing(self, words):
        begun = time.monotonic()
        announce = threading.Timer(self.ANNOUNCE_AFTER, self._say, [f"{words} …"])
        announce.start()
        self.proved = []
        try:
            yield
        finally:
            announce.cancel()
            proved, self.proved = self.proved, None
        self._say(f"{words}: {time.monotonic() - begun:.2f} s")
        for line in proved:
            self.prove(True, line)

    def prove(self, true, words):
        """Go on if it is true; else the demonstration has failed."""
        if not true:
            raise Trouble(f"not true: {words}")
        if self.proved is None:
            print(f"             ✓ {words}", flush=True)
        else:
            self.proved.append(words)

    def _say(self, words):
        print(f"{time.monotonic() - self.start:8.1f} s  {words}", flush=True)


def port_number(text):
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port from 1024 to 65535")
    return int(text)


def parse(argv):
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auto", action="store_true", help="without a person; proves each step")
    parser.add_argument("--port", type=port_number, help=f"the portal's port (default {PORT}; "
                        "with --auto any free one)")
    return parser.parse_args(argv)


def check_port(port):
    """Before anything is built, and before a password could go to a stranger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Trouble(f"127.0.0.1:{port} cannot be had ({error.strerror}); "
                          "another one is yours with --port N") from None


def prepare(timeline):
    """Bring what is missing and build; both say themselves how far they are."""
    with timeline.doing("installing what is missing"):
        run(HERE / "tools" / "install", "build", "assets", "host")
    with timeline.doing("building"):
        if not (BUILD / "build.ninja").exists():
            run_quietly("meson", "setup", "--buildtype=release", BUILD, HERE)
        run("ninja", "--quiet", "-C", BUILD, "server/dislodged", "agent/dislodge-agent",
            "cli/dislodge")


def run(*argv, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Trouble(f"{argv[0]} ended with {done.returncode}\n{(done.stdout or b'').decode()}")


def run_quietly(*argv):
    run(*argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def free_hostname():
    """Return "demo", or a name of our own while another demonstration has that one."""
    from disposable import machine
    from disposable.record import Record
    try:
        there = Record.load("demo")
    except machine.HostError:
        return "demo"
    return f"demo-{os.getpid()}" if there.running() and not there.stale() else "demo"


class Stage:
    """Server, host and footholds of one demonstration."""

    def __init__(self, timeline, cleanup, hostname, port):
        """What is made is put on `cleanup` at once, so that an end at any point removes it."""
        import endtoend
        from disposable import lifecycle, machine
        self.timeline = timeline
        lifecycle.down_all(only_stale=True)  # what a killed demonstration left
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(
            prefix=f"dislodge-demo.{os.getpid()}."))
        with timeline.doing("starting the server with an organization and its users"):
            self.scene = endtoend.Scene(folder, port)
            cleanup.callback(self.scene.close)
        with timeline.doing("unpacking the hosts' root filesystem (made once, in minutes)"):
            machine.base_root()
        with timeline.doing(f"booting the host '{hostname}'"):
            self.host = endtoend.Host(hostname)
            cleanup.callback(self.host.down)
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

    def report(self, *planted):
        """The analyst's report on what was planted, sent."""
        analyst = self.scene.analyst
        incident = analyst.post(f"/api/hosts/{self.view['id']}/incidents",
                                edit={"keys": self.keys(*planted)}, **REPORT)
        return analyst.post(f"/api/incidents/{incident['id']}/send",
                            digest=incident["shown_revision"]["digest"])

    def check_alive(self):
        if self.scene.server.process.poll() is not None:
            raise Trouble(f"the server ended by itself: {self.scene.server.tail()}")
        if not self.host.record.running():
            raise Trouble("the host is gone: its PID 1 ended, or somebody removed it")

    def keys(self, *planted):
        """Return the keys of all footholds whose parts are those planted."""
        paths = {path for one in planted for path in one.paths}
        return [foothold["key"] for foothold in self.scene.footholds(self.view["id"])
                if foothold["location"] in paths]


REPORT = {
    "subject": "sysupdate-check starts again every two seconds",
    "severity": "high",
    "summary": "A program in /usr/local/lib that no package owns is started every two seconds by a "
               "timer of the same name. A line in the crontab of the user web starts another one "
               "each minute. Both were first seen today, on this host only.",
    "recommendations": "Approve all steps: nothing on this host needs these programs. Change the "
                       "passwords of the user web. Find out how they came here before the host "
                       "goes back to work.",
}


# ---- with a person ----

def show(stage):
    with stage.timeline.doing("planting footholds"):
        stage.plant()
    stage.report(stage.timer, stage.cron)
    url, passwords, name = stage.scene.server.url, stage.scene.server.passwords, stage.host.name
    command = (BUILD / "cli" / "dislodge").relative_to(HERE)
    print(f"""
  Open {url} and sign in as

    technician     tom   {passwords['tom']}
    analyst        ana   {passwords['ana']}
    administrator  ada   {passwords['ada']}

  As tom: open the incident that waits, press "Review Remediation Plan", read the evidence, then
  "Approve ticked steps". Watch the steps complete and the incident resolve. "Undo" in the tab
  Remediations asks one question; "Approve the undo", and they come back.
  As ana: open the host "{name}", tick kworkerd.service, press "Open incident report" at the end
  of the page, and send it. With e2scrub_reap.service alone (a package's file, edited) the button
  is a red ✕ and says why.

  In the host:  tests/hosts/host exec {name} bash
  Unplug it:    tests/hosts/host offline {name}     (and: online)
  Command line: echo {shlex.quote(passwords['tom'])} | {command} login tom --server {url}
                {command} --help

  Ctrl-C ends and removes everything.
""", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
            stage.check_alive()
    print()


# ---- without one ----

def prove_gone(stage):
    from disposable import probes
    host, prove = stage.host, stage.timeline.prove
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
    prove = stage.timeline.prove
    prove(probes.cron_stays_silent(stage.host, stage.cron.fired), "cron did not run it again")
    before = probes.fires(stage.host, stage.timer.fired), probes.fires(stage.host, stage.service.fired)
    time.sleep(5)
    after = probes.fires(stage.host, stage.timer.fired), probes.fires(stage.host, stage.service.fired)
    prove(before == after, "the timer did not fire again, and Restart= revived nothing")


def prove_back(stage, before):
    from disposable import probes, footholds, snapshot
    prove = stage.timeline.prove
    differences = snapshot.diff(before, stage.host.snapshot(), directory_mtimes=False,
                                ignore=[footholds.MARKS, *snapshot.BOOT_NOISE, *AGENTS_OWN])
    prove(not differences, " ".join(["every file is byte for byte as before",
                                     *map(str, differences)]))
    probes.wait_fires(stage.host, stage.timer.fired, 15)
    prove(True, "the timer fires again")
    probes.wait_fires(stage.host, stage.service.fired, 15)
    prove(True, "the service runs again")
    probes.wait_cron_fires(stage.host, stage.cron.fired)
    prove(True, "cron runs the line again")


AGENTS_OWN = ("/var/lib/dislodge", "/var/lib/dislodge-link", "/var/log")


def go_through(stage):
    from disposable import probes
    scene, host, timeline, prove = stage.scene, stage.host, stage.timeline, stage.timeline.prove
    with timeline.doing("planting footholds"):
        stage.plant()
    with timeline.doing("footholds fire, cron's at the next full minute"):
        probes.wait_fires(host, stage.timer.fired, 15)
        probes.wait_fires(host, stage.service.fired, 15)
        probes.wait_cron_fires(host, stage.cron.fired)
    before = host.snapshot()
    keys = stage.keys(stage.timer, stage.service, stage.cron)
    with timeline.doing("survey → incident → plan → sent"):
        prove(len(keys) == 4, "the survey names the timer, both services and the cron line")
        incident = stage.report(stage.timer, stage.service, stage.cron)
        prove(all(step["assisted"] for step in incident["steps_view"]), "every step is assisted")
    with timeline.doing("approval → removal"):
        scene.approve(incident)
        incident = scene.wait_order(incident["id"])
        prove({step["status"] for step in incident["steps_view"]} == {"removed"},
              f"the host reports all {len(incident['steps_view'])} steps removed")
    prove_gone(stage)
    with timeline.doing("proof: the next survey resolves the incident"):
        scene.wait_incident(incident["id"], "resolved")
    with timeline.doing("silence, over a full minute of cron's"):
        prove_silent(stage)
    with timeline.doing("undo"):
        scene.technician.post(f"/api/orders/{incident['orders'][0]['plan_id']}/undo",
                              legitimate=False, comment="to show that it works")
        incident = scene.wait_order(incident["id"])
        prove({step["status"] for step in incident["steps_view"]} == {"restored"},
              "the host reports all steps restored")
    with timeline.doing("footholds work again, cron's at the next full minute"):
        prove_back(stage, before)
    with timeline.doing("the incident is open again"):
        scene.wait_incident(incident["id"], "open")
    prove_audit(stage)


def prove_audit(stage):
    verified = stage.scene.server.sign_in("ada").get("/api/audit/verify")
    stage.timeline.prove(verified["ok"], f"the audit's chain of {verified['events']} events is whole")


# ---- both ----

def end_by_signal(number, _):
    raise Trouble(f"ended by {signal.Signals(number).name}")


def demonstrate(args):
    if os.geteuid() != 0:
        raise Trouble("disposable hosts need root; run it as root")
    # so that an end by signal, or by closing the terminal, still removes what was made
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    port = args.port or (None if args.auto else PORT)
    if port:
        check_port(port)
    timeline = Timeline()
    prepare(timeline)
    hostname = f"demo-{os.getpid()}" if args.auto else free_hostname()
    with contextlib.ExitStack() as cleanup:
        stage = Stage(timeline, cleanup, hostname, port)
        go_through(stage) if args.auto else show(stage)


def known_troubles():
    """What may go wrong in the parts that the demonstration is made of."""
    try:
        import endtoend
        from disposable import machine
    except ImportError:
        return (Trouble,)
    return (Trouble, AssertionError, endtoend.Refused, machine.HostError)


def main():
    args = parse(sys.argv[1:])
    try:
        demonstrate(args)
    except KeyboardInterrupt:
        print("\ndemo: ended by Ctrl-C", flush=True)
        sys.exit(130)
    except known_troubles() as trouble:
        sys.exit(f"demo: {trouble}")
    print("demo: ok" if args.auto else "demo: ended, and everything removed")


if __name__ == "__main__":
    main()
