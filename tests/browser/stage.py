#!/usr/bin/python3
"""The other side of the browser's tests: a real server and disposable hosts with the real agent.

Started by stage.js. Reads one JSON request a line from standard input ({"do": name, …}), answers
one a line ({"ok": …} or {"error": words}). Ends, and removes all it made, when its input ends.
"""

import contextlib
import json
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hosts"))

import endtoend  # noqa: E402
from disposable import footholds, lifecycle, probes  # noqa: E402

class Stage:
    def __init__(self, cleanup):
        self.cleanup = cleanup
        self.hosts, self.views, self.planted = {}, {}, {}
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="dislodge-browser."))
        self.scene = endtoend.Scene(folder)
        cleanup.callback(self.scene.close)

    def people(self):
        return {"url": self.scene.server.url, "passwords": self.scene.server.passwords}

    def boot(self, host):
        """A fresh host with a timer, a user's cron line and an edited unit of a package."""
        name = f"browser-{host}-{os.getpid()}"
        self.cleanup.callback(lifecycle.down, name)
        self.hosts[host] = lifecycle_host = endtoend.Host(name)
        _, self.views[host] = self.scene.enlist(lifecycle_host)
        for look in lifecycle_host.farewells:
            self.cleanup.callback(look)
        return {"id": self.views[host]["id"], "hostname": name}

    def plant(self, host):
        machine = self.hosts[host]
        timer = footholds.plant_timer(machine, "sysupdate-check")
        footholds.plant_user(machine, "web")
        cron = footholds.plant_cron_line(machine, "web")
        machine.run("echo '# edited' >>/usr/lib/systemd/system/e2scrub_reap.service")
        self.planted[host] = {"timer": timer, "cron": cron}
        self.views[host] = self.scene.survey(self.views[host]["id"])
        return True

    def plant_hostile(self, host):
        """Returns how the pages are to spell what was planted."""
        machine = self.hosts[host]
        hostile = self.planted["hostile"] = footholds.plant_hostile_names(machine)
        self.views[host] = self.scene.survey(self.views[host]["id"])
        return hostile.spelled

    def hostile_gone(self, host):
        hostile = self.planted["hostile"]
        return not any(self.hosts[host].exists(path) for path in hostile.paths[:-1])

    def plant_cron(self, host, name):
        """A file in /etc/cron.d with its payload; surveyed."""
        self.planted[name] = footholds.plant_cron_file(self.hosts[host], name)
        self.views[host] = self.scene.survey(self.views[host]["id"])
        return True

    def change_payload(self, host, name):
        self.hosts[host].write_file(self.planted[name].payload, "#!/bin/sh\n# another\n", 0o755)
        return True

    def hold_payload(self, host, name):
        """Mount something over the payload, where the executor sees it: nothing can move it. (No
        mount of a disposable host reaches its services: a container's root is not shared.)"""
        payload = self.planted[name].payload
        self.hosts[host].run("nsenter --mount --target $(systemctl show -P MainPID dislodge-executor)"
                             f" mount --bind {payload} {payload}")
        return True

    def there(self, host, name):
        return [self.hosts[host].exists(path) for path in self.planted[name].paths]

    def offline(self, host):
        self.hosts[host].offline()
        identity = self.views[host]["id"]
        endtoend.wait_until(lambda: not self.scene.analyst.get(f"/api/hosts/{identity}")["online"],
                            30, "the server sees that the host is away")
        return True

    def online(self, host):
        self.hosts[host].online()
        return True

    def gone(self, host):
        """Asked of the host itself: is the timer unknown, and its cron line out of the table?"""
        machine, planted = self.hosts[host], self.planted[host]
        return (probes.unit_gone(machine, "sysupdate-check.timer")
                and probes.unit_gone(machine, "sysupdate-check.service")
                and planted["cron"].payload.encode() not in probes.crontab(machine, "web"))

    def back(self, host):
        machine, planted = self.hosts[host], self.planted[host]
        probes.wait_fires(machine, planted["timer"].fired, 15)
        return planted["cron"].payload.encode() in probes.crontab(machine, "web")


ACTS = ("people", "boot", "plant", "plant_hostile", "hostile_gone", "plant_cron", "change_payload",
        "hold_payload", "there", "offline", "online", "gone", "back")


def answer(stage, line):
    request = json.loads(line)
    name = request.pop("do")
    if name not in ACTS:
        return {"error": f"no act '{name}'"}
    try:
        return {"ok": getattr(stage, name)(**request)}
    except Exception as failure:  # pylint: disable=broad-except  # it ends in the test's report
        return {"error": f"{type(failure).__name__}: {failure}\n{stage.scene.server.tail()}"}


def main():
    missing = endtoend.missing_programs()
    if missing:
        print(json.dumps({"error": "; ".join(missing)}), flush=True)
        return 1
    with contextlib.ExitStack() as cleanup:
        stage = Stage(cleanup)
        print(json.dumps({"ok": stage.people()}), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(stage, line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
