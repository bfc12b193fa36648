"""A whole Dislodge for a test: a server with users, and hosts with an enrolled agent.

Everything is the built program (DISLODGE_BUILD names the build folder) and speaks as people and
machines do: through the public HTTP API, systemd units and TLS.
"""

import contextlib
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from disposable.host import Host

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("DISLODGE_BUILD", ROOT / "build" / "release"))
SYSTEMD = ROOT / "packaging" / "systemd"

START_SECONDS = 20
CALL_SECONDS = 30
AGENT_PORT_INSIDE = 8443  # where hosts reach the server, through their relay

SERVER = BUILD / "server" / "dislodged"
AGENT = BUILD / "agent" / "dislodge-agent"


def missing_programs():
    """Return in words which programs are not built; an empty list means all are."""
    return [f"{path} is not built" for path in (SERVER, AGENT) if not path.exists()]


class Refused(Exception):
    """The API's answer to a request it did not carry out."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code = status, code


class Api:
    """The HTTP API as one user."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def get(self, path):
        return self._call("GET", path, None)

    def post(self, path, **members):
        return self._call("POST", path, members)

    def put(self, path, **members):
        return self._call("PUT", path, members)

    def items(self, path):
        """Return all items of a list, page by page."""
        found, cursor = [], None
        while True:
            joint = "&" if "?" in path else "?"
            page = self.get(path + (f"{joint}cursor={cursor}" if cursor is not None else ""))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def _call(self, method, path, members):
        body = None if members is None else json.dumps(members).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as failure:
            raise refused_by(failure) from None


def refused_by(failure):
    try:
        error = json.loads(failure.read())["error"]
        return Refused(failure.code, error["code"], error["message"])
    except (ValueError, KeyError):
        return Refused(failure.code, "", "an answer that is no error of the API's form")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One dislodged with a data folder of its own; on loopback."""

    def __init__(self, folder, portal_port=None):
        self.folder = pathlib.Path(folder) / "data"
        self.log = pathlib.Path(folder) / "dislodged.log"
        self.portal_port = portal_port or free_port()
        self.agent_port = free_port()
        self.url = f"http://127.0.0.1:{self.portal_port}"
        self.passwords = {}
        self.process = None
        self.command("init", "--name", "localhost")

    def command(self, *words, input=""):
        """Run a command of dislodged on the data folder and return what it prints."""
        argv = [SERVER, *words, "--data", self.folder]
        done = subprocess.run(argv, input=input, capture_output=True, text=True,
                              timeout=CALL_SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, argv))}: {done.stderr}")
        return done.stdout

    def organization(self, name):
        self.command("organization", "create", "--name", name)

    def user(self, login, role, organization=None):
        """Make a user with a password nobody had before; without organization, for all."""
        password = self.passwords[login] = secrets.token_urlsafe(15)
        where = ["--organization", organization] if organization else ["--all"]
        self.command("user", "create", "--login", login, "--role", role, *where,
                     "--password-stdin", input=password + "\n")

    def key_file(self, organization, hosts=1, hours=1):
        """Return the text of an enrolment key file."""
        return self.command("enrol-key", "create", "--organization", organization,
                            "--hosts", str(hosts), "--hours", str(hours),
                            "--server", f"https://localhost:{AGENT_PORT_INSIDE}")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [SERVER, "serve", "--data", self.folder,
                 "--portal", f"127.0.0.1:{self.portal_port}",
                 "--agent", f"127.0.0.1:{self.agent_port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._answers, START_SECONDS, "the server answers", pause=0.02)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log.read_text(errors='replace')}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.portal_port)) == 0

    def stop(self):
        """End it in good order; raises when it did not take part."""
        if self.process is None:
            return
        self.process.terminate()
        status = self.process.wait(timeout=START_SECONDS)
        self.process = None
        if status != 0:
            raise AssertionError(f"the server ended with {status}: {self.tail()}")

    def kill(self):
        """As a power cut would: SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=START_SECONDS)
        self.process = None

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def sign_in(self, login):
        answer = Api(self.url).post("/api/login", login=login, password=self.passwords[login])
        return Api(self.url, answer["token"])


class Agent:
    """The agent on one disposable host: installed as a package would, run by its systemd."""

    def __init__(self, host, survey_interval=None):
        self.host = host
        self.killed = set()  # the halves a test has killed itself
        host.farewells.append(self.assert_never_died)
        host.run(["install", "-d", "/usr/lib/systemd/system"])
        host.write_file("/usr/bin/dislodge-agent", AGENT.read_bytes(), mode=0o755)
        for half in ("executor", "link"):
            unit = (SYSTEMD / f"dislodge-{half}.service").read_bytes()
            host.write_file(f"/usr/lib/systemd/system/dislodge-{half}.service", unit)
        host.write_file("/usr/lib/sysusers.d/dislodge.conf",
                        (SYSTEMD / "dislodge.sysusers").read_bytes())
        host.run(["systemd-sysusers", "/usr/lib/sysusers.d/dislodge.conf"])
        # tests do not wait a minute for a server that came back
        self._extend("link", "run link --backoff-max 1000")
        interval = ["--survey-interval", str(survey_interval)] if survey_interval else []
        self._extend("executor", " ".join(["run executor", *interval]))
        host.run(["systemctl", "daemon-reload"])

    def _extend(self, half, command):
        folder = f"/usr/lib/systemd/system/dislodge-{half}.service.d"
        self.host.run(["install", "-d", folder])
        self.host.write_file(f"{folder}/test.conf", "[Service]\nExecStart=\n"
                             f"ExecStart=/usr/bin/dislodge-agent {command}\n"
                             # the leak sanitizer traces the process, which both units forbid
                             "Environment=ASAN_OPTIONS=detect_leaks=0\n")

    def enrol(self, key_file, *words, check=True):
        return self.host.run(["dislodge-agent", "enrol", "--key-file", "-", *words],
                             input=key_file.encode(), check=check)

    def start(self):
        self.host.run(["systemctl", "--quiet", "enable", "dislodge-executor", "dislodge-link"])
        self.host.run(["systemctl", "start", "dislodge-executor", "dislodge-link"])

    def stop(self):
        self.host.run(["systemctl", "stop", "dislodge-link", "dislodge-executor"])

    def kill(self, half):
        """SIGKILL, as often as a test likes: systemd starts it again."""
        self.killed.add(half)
        self.host.run(["systemctl", "kill", "-s", "KILL", f"dislodge-{half}"])

    def assert_never_died(self):
        """Restart=always hides a crash from those who only look at what was achieved."""
        if not self.host.record.running():
            return
        log = self.host.text("journalctl --no-pager -q -o cat -b", check=False)
        reports = [line for line in log.splitlines() if "Sanitizer" in line or "runtime error" in line]
        assert not reports, "\n".join(reports[:20])
        for half in ("executor", "link"):
            if half not in self.killed:
                restarts = self.host.text(["systemctl", "show", "-P", "NRestarts",
                                           f"dislodge-{half}"])
                assert restarts == "0", f"{half} died {restarts} times: {log[-3000:]}"

    def log(self):
        return self.host.text("journalctl --no-pager -q -o cat -u dislodge-executor"
                              " -u dislodge-link", check=False)


def wait_until(asked, seconds, words, pause=0.1):
    """Return the first true answer; raises with the words when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = asked()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {words}")
        time.sleep(pause)


class Scene:
    """A server with one organization, its people, and what tests do there again and again."""

    organization = "Acme"

    def __init__(self, folder, portal_port=None):
        self.server = Server(folder, portal_port)
        self.server.organization(self.organization)
        self.server.user("ada", "administrator")
        self.server.user("ana", "analyst", self.organization)
        self.server.user("tom", "technician", self.organization)
        self.server.start()
        try:
            self.sign_in()
        except BaseException:
            self.close()
            raise

    def sign_in(self):
        self.analyst = self.server.sign_in("ana")
        self.technician = self.server.sign_in("tom")

    def enlist(self, host, survey_interval=None):
        """Install, enrol and start an agent; returns it and its host view after a survey."""
        host.link(AGENT_PORT_INSIDE, self.server.agent_port)
        agent = Agent(host, survey_interval)
        agent.enrol(self.server.key_file(self.organization))
        agent.start()
        view = wait_until(lambda: self._surveyed(host.name), 30, "the first survey arrives")
        return agent, view

    def _surveyed(self, hostname):
        for view in self.analyst.items("/api/hosts"):
            if view["hostname"] == hostname and view["survey"]:
                return view
        return None

    def survey(self, host_id):
        """Ask for a survey and return the host view once it has come."""
        before = self.analyst.get(f"/api/hosts/{host_id}")["survey"]["seq"]
        self.analyst.post(f"/api/hosts/{host_id}/survey")

        def newer():
            view = self.analyst.get(f"/api/hosts/{host_id}")
            return view if view["survey"]["seq"] > before else None
        return wait_until(newer, 30, "the survey that was asked for arrives")

    def footholds(self, host_id):
        return self.analyst.items(f"/api/hosts/{host_id}/footholds")

    def report(self, host_id, keys, subject="Something starts again", **edit):
        """Open an incident about the footholds and send it; returns the incident."""
        incident = self.analyst.post(
            f"/api/hosts/{host_id}/incidents", subject=subject, severity="high",
            summary="It was seen.", recommendations="Remove it.", edit={"keys": keys, **edit})
        digest = incident["shown_revision"]["digest"]
        return self.analyst.post(f"/api/incidents/{incident['id']}/send", digest=digest)

    def approve(self, incident, **members):
        return self.technician.post(f"/api/incidents/{incident['id']}/approve",
                                    digest=incident["shown_revision"]["digest"], **members)

    def incident(self, incident_id):
        return self.technician.get(f"/api/incidents/{incident_id}")

    def wait_order(self, incident_id, states=("finished",), seconds=60):
        """Wait until the newest order is in one of the states; returns the incident."""
        def there():
            incident = self.incident(incident_id)
            return incident if incident["orders"][0]["state"] in states else None
        return wait_until(there, seconds, f"the order becomes {' or '.join(states)}")

    def wait_incident(self, incident_id, state, seconds=60):
        def there():
            incident = self.incident(incident_id)
            return incident if incident["state"] == state else None
        return wait_until(there, seconds, f"the incident becomes {state}")

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.server.stop()


def statuses(incident):
    """Return {verb and target: status} of all steps."""
    return {f"{step['verb']} {target(step)}": step["status"] for step in incident["steps_view"]}


def target(step):
    return step.get("unit") or step.get("line") or step["objects"][0]["path"]


__all__ = ["Agent", "Api", "Host", "Refused", "Scene", "Server", "statuses", "target",
           "wait_until", "missing_programs"]
