"""One dislodged with its data folder."""

import hashlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import requests

from bench import program

PASSWORD = "a long enough password"
START_SECONDS = 30


class Server:
    """Made by init, or from a copy of another's data; started by start(). Ports are picked by the
    system once and kept, so that a restarted server is found where it was."""

    def __init__(self, folder, template=None):
        self.data = str(folder / "data")
        self.certificate = self.data + "/tls.crt"
        self.log = tempfile.TemporaryFile("w+")
        self.process = None
        self.ports = ["0", "0"]
        if template:
            shutil.copytree(template, self.data)
        else:
            program.run("server/dislodged", "init", "--data", self.data, "--name", "localhost")

    def command(self, *arguments, **options):
        words = []
        while arguments and not arguments[0].startswith("--"):
            words.append(arguments[0])
            arguments = arguments[1:]
        return program.run("server/dislodged", *words, "--data", self.data, *arguments, **options)

    def start(self):
        self.log.seek(0)
        self.log.truncate()
        self.process = subprocess.Popen(
            [program.path("server/dislodged"), "serve", "--data", self.data,
             "--portal", f"127.0.0.1:{self.ports[0]}", "--agent", f"127.0.0.1:{self.ports[1]}"],
            stderr=self.log)
        end = time.monotonic() + START_SECONDS
        while len(ports := re.findall(r"\(port (\d+)\)", self.words())) < 2:
            assert self.process.poll() is None and time.monotonic() < end, self.words()
            time.sleep(0.02)
        self.ports = ports
        return self

    def words(self):
        """What it wrote to its log since the start."""
        self.log.seek(0)
        return self.log.read()

    @property
    def portal(self):
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def agents(self):
        return f"https://127.0.0.1:{self.ports[1]}"

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it in good order; a sanitizer's complaint shows in the exit code."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0, self.words()

    def close(self):
        try:
            self.stop()
        finally:
            if self.is_alive():
                self.kill()
            self.log.close()

    # ---- people

    def add_organization(self, name):
        self.command("organization", "create", "--name", name)

    def add_user(self, login, role, organization=None):
        where = ["--organization", organization] if organization else ["--all"]
        self.command("user", "create", "--login", login, "--role", role, *where,
                     "--password-stdin", given=PASSWORD + "\n")

    def person(self, login, password=PASSWORD):
        return Person(self, login, password)

    def enrol_key(self, organization, hosts=10):
        """The enrolment key file as a dictionary."""
        text = self.command("enrol-key", "create", "--organization", organization,
                            "--hosts", str(hosts), "--server", self.agents).stdout
        return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)


class Person:
    """Somebody signed in to the API."""

    def __init__(self, server, login, password):
        self.server = server
        answer = requests.post(server.portal + "/api/login",
                               json={"login": login, "password": password}, timeout=30)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        self.id = answer.json()["session"]["user"]["id"]

    def ask(self, method, path, body=None):
        return requests.request(method, self.server.portal + path, json=body, timeout=30,
                                headers={"Authorization": "Bearer " + self.token})

    def get(self, path):
        return self._good(self.ask("GET", path))

    def post(self, path, body=None):
        return self._good(self.ask("POST", path, {} if body is None else body))

    def browse(self, method, path, fields=None):
        """A page of the portal, with the session's cookie and the CSRF token its forms carry."""
        csrf = hashlib.sha256(f"dislodge csrf {self.token}".encode()).hexdigest()
        data = {"csrf": csrf, **(fields or {})} if method == "POST" else None
        return requests.request(method, self.server.portal + path, data=data, timeout=30,
                                cookies={"dislodge": self.token}, allow_redirects=False)

    @staticmethod
    def _good(answer):
        assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json()
