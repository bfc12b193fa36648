"""The survey on real hosts: it names what was planted, with the facts, and keeps silent about the
rest; and where it says what systemd and cron will do, systemd and cron are asked."""

import hashlib
import json
import os
import pathlib
import re
import time

import pytest

from disposable import probes
from disposable.footholds import (MARKS, UNITS, plant_cron_file, plant_cron_line,
                                  plant_crontab_line, plant_service, plant_timer, plant_user)
from disposable.snapshot import diff

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DISLODGE_BUILD", ROOT / "build"))
AGENT = "/usr/local/sbin/dislodge-agent"
COMPLETE, INCOMPLETE = 0, 3


class Surveys:
    def __init__(self, host):
        self.host = host
        host.write_file(AGENT, (BUILD / "agent/dislodge-agent").read_bytes(), mode=0o755)

    def run(self, *words, expect=COMPLETE, **options):
        done = self.host.run([AGENT, "survey", *words], check=False, **options)
        assert done.returncode == expect, (done.stdout + done.stderr).decode()
        return done.stdout

    def __call__(self, *words, expect=COMPLETE):
        return json.loads(self.run("--json", *words, expect=expect))


@pytest.fixture
def survey(host):
    return Surveys(host)


def named(found, name):
    matches = [foothold for foothold in found["footholds"] if foothold.get("name") == name]
    assert len(matches) == 1, [foothold.get("name") for foothold in found["footholds"]]
    return matches[0]


def in_table(found, path):
    return [foothold for foothold in found["footholds"]
            if foothold["location"] == path and "line" in foothold]


def objects(foothold, role):
    return [thing for thing in foothold["objects"] if thing["role"] == role]


def attack_id(text, kind_words):
    """The technique that the table prints beside a kind."""
    return re.search(rf"^{re.escape(kind_words)}  (T[\d.]+)", text, re.MULTILINE)[1]


def test_a_fresh_host_shows_nothing_but_counts_what_packages_brought(survey):
    found = survey()
    assert found["footholds"] == []
    assert found["omitted"] > 50
    assert found["trusted"]
    kinds = ("systemd.service", "systemd.timer", "cron.system", "cron.user")
    assert {found["coverage"][kind]["state"] for kind in kinds} == {"complete"}
    every = survey("--all")
    # the two lists are of one host: all that is left out without --all is there with it
    assert len(every["footholds"]) == found["omitted"]
    assert named(every, "cron.service")["objects"][0]["package"] == "cron"


def test_names_every_planted_foothold_with_its_facts(host, survey):
    plant_user(host, "alice")
    service = plant_service(host, "beacon")
    timer = plant_timer(host, "tick", every=60)
    system = plant_cron_file(host, "backup")
    user = plant_cron_line(host, "alice")
    crontab = plant_crontab_line(host)
    found = survey()
    assert len(found["footholds"]) == 6, [entry["location"] for entry in found["footholds"]]

    beacon = named(found, "beacon.service")
    assert beacon["kind"] == "systemd.service" and beacon["user"] == "root" and beacon["active"]
    assert beacon["location"] == service.paths[0]
    assert beacon["command"].startswith(service.payload)
    assert beacon["state"].startswith("enabled, active (running)")
    assert [link["path"] for link in objects(beacon, "link")] == [service.paths[1]]

    tick = named(found, "tick.timer")
    assert tick["kind"] == "systemd.timer" and tick["activates"] == "tick.service"
    assert tick["active"] and objects(tick, "payload") == []
    started = named(found, "tick.service")
    assert started["active"] and "started by tick.timer" in started["state"]

    for planted, kind, scope, run_as in ((system, "cron.system", "system", "root"),
                                         (crontab, "cron.system", "system", "root"),
                                         (user, "cron.user", "user:alice", "alice")):
        (line,) = in_table(found, planted.paths[0])
        assert (line["kind"], line["scope"], line["user"]) == (kind, scope, run_as)
        assert line["command"] == planted.payload and line["occurrence"] == 1
        assert line["line"].startswith("* * * * *") and line["schedule"] == "* * * * *"
        assert line["active"] and objects(line, "table")[0]["baseline"] == "absent"

    for planted, foothold in ((service, beacon), (timer, started),
                              (user, in_table(found, user.paths[0])[0])):
        payload = next(entry for entry in objects(foothold, "payload")
                       if entry["path"] == planted.payload)
        content = host.read_file(planted.payload)
        assert payload["sha256"] == hashlib.sha256(content).hexdigest()
        assert payload["size"] == len(content) and payload["mode"] == 0o755
        assert payload["owner"] == "root" and payload["baseline"] == "absent"
        assert "package" not in payload and "protected_by" not in payload

    words = survey.run().decode()
    assert attack_id(words, "systemd service") == "T1543.002"
    assert attack_id(words, "systemd timer") == "T1053.006"
    assert attack_id(words, "system cron line") == "T1053.003"
    assert attack_id(words, "user's cron line") == "T1053.003"


def test_a_survey_changes_nothing(host, survey):
    plant_user(host, "alice")
    plant_cron_line(host, "alice")
    plant_timer(host, "tick", every=3600)
    before = host.snapshot()
    survey("--all")
    survey.run("--root", "/", expect=COMPLETE)
    assert diff(before, host.snapshot(), ignore=[MARKS, "/var/log/*"]) == []


def test_shows_a_packages_unit_that_was_edited(host, survey):
    host.run("echo 'ExecStartPost=-/opt/evil' >>/lib/systemd/system/cron.service")
    host.run("systemctl daemon-reload")
    unit = named(survey(), "cron.service")["objects"][0]
    assert unit["path"] == "/usr/lib/systemd/system/cron.service"
    assert unit["package"] == "cron" and unit["baseline"] == "different"
    assert unit["package_source"] == "dpkg: cron.list"


def test_shows_a_packages_unit_that_somebody_extended_or_wants(host, survey):
    host.run(["mkdir", "-p", f"{UNITS}/cron.service.d", f"{UNITS}/dbus.service.wants"])
    host.write_file(f"{UNITS}/cron.service.d/x.conf", "[Service]\nExecStartPost=-/opt/evil\n")
    host.run(["ln", "-s", "/lib/systemd/system/systemd-exit.service",
              f"{UNITS}/dbus.service.wants/systemd-exit.service"])
    found = survey()
    dropin = objects(named(found, "cron.service"), "dropin")
    assert [entry["path"] for entry in dropin] == [f"{UNITS}/cron.service.d/x.conf"]
    assert dropin[0]["baseline"] == "absent"
    link = objects(named(found, "systemd-exit.service"), "link")
    assert f"{UNITS}/dbus.service.wants/systemd-exit.service" in [entry["path"] for entry in link]


def test_reads_the_drop_ins_that_systemd_reads_and_takes_none_that_units_share(host, survey):
    own, shared = [], []

    def plant(into, folder, name):
        path = f"{folder}/{name}.conf"
        words = path.replace("/", "-")
        host.run(["mkdir", "-p", folder])
        host.run(["sh", "-c", f"printf '[Service]\\nExecStartPre=/usr/bin/test {words}\\n' >{path}"])
        into.append(path)

    unit = "far-away-beacon.service"
    host.write_file(f"{UNITS}/{unit}", "[Service]\nExecStart=/usr/bin/true\n")
    host.run(["ln", "-s", unit, f"{UNITS}/alias.service"])
    run, local = "/run/systemd/system", "/usr/local/lib/systemd/system"
    plant(own, f"{UNITS}/{unit}.d", "50-b")
    plant(own, f"{UNITS}/alias.service.d", "40-a")
    plant(own, f"{local}/{unit}.d", "60-c")
    plant(shared, f"{UNITS}/service.d", "45-x")
    plant(shared, f"{UNITS}/far-.service.d", "55-y")
    plant(shared, f"{run}/far-away-.service.d", "05-z")
    for into, folder in ((own, f"{local}/{unit}.d"), (shared, f"{UNITS}/service.d"),
                         (shared, f"{run}/far-.service.d")):
        plant(into, folder, "70-of-many-folders")
    for into, folder in ((own, f"{UNITS}/{unit}.d"), (shared, f"{UNITS}/service.d"),
                         (shared, f"{UNITS}/far-.service.d")):
        plant(into, folder, "80-of-one-folder")
    host.run(["systemctl", "daemon-reload"])
    found = survey()
    foothold = named(found, unit)
    told = host.text(f"systemctl show -p ExecStartPre {unit}")
    assert re.findall(r"ExecStartPre=/usr/bin/test (\S+?)(?:;|$)", foothold["command"]) == \
        re.findall(r"argv\[\]=/usr/bin/test (\S+) ;", told)
    assert sorted(thing["path"] for thing in objects(foothold, "dropin")) == sorted(own)
    alone = [it for it in found["footholds"] if it["name"].endswith(".conf")]
    assert sorted(it["location"] for it in alone) == sorted(shared)
    assert all(it["manual_because"] for it in alone)


def test_tells_an_added_line_of_a_packages_table_from_a_changed_one(host, survey):
    plant_crontab_line(host, line="* * * * * root /opt/added")
    (added,) = in_table(survey(), "/etc/crontab")
    assert added["command"] == "/opt/added"
    assert objects(added, "table")[0]["package"] == "cron-daemon-common"
    assert objects(added, "table")[0]["baseline"] == "absent"
    host.run("sed -i 's/^17 /18 /' /etc/crontab")
    changed = in_table(survey(), "/etc/crontab")
    assert len(changed) == 5
    assert {objects(line, "table")[0]["baseline"] for line in changed} == {"different"}


def test_lives_with_hostile_names_and_files(host, survey):
    names = [b"a\nb.service", b"<img src=x>\"'&.service", b"\xff\xfe.service",
             "\u202egnp.service".encode(), b"-rf.service", b"%n%25.service"]
    for name in names:
        host.write_file(UNITS.encode() + b"/" + name, "[Service]\nExecStart=/opt/x\n")
    host.run(f"mkfifo {UNITS}/pipe.service && truncate -s 1T {UNITS}/huge.service && "
             f"ln -s loop.service {UNITS}/loop.service && "
             f"mkdir {UNITS}/folder.service && printf '[Service]\\nExecStart=/opt/x\\n' "
             f">{UNITS}/good.service && systemctl daemon-reload")
    host.run(b"mkfifo /etc/cron.d/pipe; printf '* * * * * root /opt/\\377\\342\\200\\256\\n' "
             b">/etc/cron.d/bytes")
    started = time.monotonic()
    found = survey(expect=INCOMPLETE)
    assert time.monotonic() - started < 20
    assert "huge.service" in found["coverage"]["systemd.service"]["why"]
    assert found["coverage"]["cron.system"]["state"] == "complete"
    assert {"a%0Ab.service", "<img src=x>\"'&.service", "%FF%FE.service", "%E2%80%AEgnp.service",
            "-rf.service", "%25n%2525.service"} < {entry.get("name") for entry in found["footholds"]}
    assert named(found, "good.service")["objects"][0]["type"] == "file"
    assert not named(found, "a%0Ab.service")["active"]
    assert in_table(found, "/etc/cron.d/bytes")[0]["command"] == "/opt/%FF%E2%80%AE"
    text = survey.run(expect=INCOMPLETE)
    text.decode("utf-8")
    assert b"\x1b" not in text and "\u202e".encode() not in text
    host.run("rm /etc/cron.d/pipe")  # cron itself waits on it for ever


def test_says_that_it_is_incomplete_when_a_folder_overflows(host, survey):
    host.run(f"cd {UNITS} && seq -f %.0f.service 100000 | xargs touch", timeout=180)
    found = survey(expect=INCOMPLETE)
    coverage = found["coverage"]["systemd.service"]
    assert coverage["state"] == "partial" and "names" in coverage["why"]
    assert b"Not complete:" in survey.run(expect=INCOMPLETE)


def test_distrusts_a_hooked_host(host, survey):
    host.write_file("/etc/ld.so.preload", "")
    found = survey(expect=INCOMPLETE)
    assert not found["trusted"] and "ld.so.preload" in found["untrusted_because"]


def test_surveys_a_folder_without_asking_this_host(host, survey):
    host.run("mkdir -p /srv/disk/etc/systemd/system /srv/disk/var/lib/dpkg/info /srv/disk/bin")
    host.write_file("/srv/disk/etc/hostname", "dead-host\n")
    host.write_file("/srv/disk/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/x\n")
    host.write_file("/srv/disk/bin/x", "x")
    host.run("ln -s /etc/shadow /srv/disk/etc/systemd/system/y.service")
    plant_service(host, "elsewhere")
    found = survey("--root", "/srv/disk", expect=INCOMPLETE)  # it holds no list of users
    assert found["host"]["hostname"] == "dead-host"
    assert [entry["name"] for entry in found["footholds"]] == ["x.service"]
    assert found["footholds"][0]["state"] == "not enabled, systemd was not asked"
    # without a package database nothing proves that the file was added
    assert found["footholds"][0]["objects"][0]["baseline"] == "none"


def test_works_with_the_bus_down_and_says_when_systemd_is_silent(host, survey):
    plant_service(host, "beacon")
    host.run("systemctl mask --now dbus.socket dbus.service", check=False)
    assert named(survey(), "beacon.service")["state"].startswith("enabled, active")
    host.run("mv /run/systemd/private /run/systemd/hidden")
    found = survey(expect=INCOMPLETE)
    host.run("mv /run/systemd/hidden /run/systemd/private")
    assert "systemd does not answer" in found["coverage"]["systemd.service"]["why"]
    assert named(found, "beacon.service")["active"]  # by its link


# name of the table, its text; cron's own journal tells which of them it ignores
TABLES = {
    "plain": "* * * * * root true\n",
    "tabs": "*\t*\t*\t*\t*\troot\ttrue\n",
    "tilde": "1~9/2 *~9 * jan-dec mon-5 root true\n",
    "backwards": "59-0 * * * * root true\n",
    "nothing": "* * * * * root \n",
    "setting": "X=1 * * * * root true\n=b\n",
    "broken": "broken\n* * * * * root true\n",
    "emptyvalue": "A=\n* * * * * root true\n",
    "step": "*/0 * * * * root true\n",
    "nickname": "@minutely root true\n",
    "stranger": "* * * * * nosuchuser true\n* * * * * root true\n",
    "longest": f"* * * * * root true {'a' * 993}\n",
    "longer": f"* * * * * root true {'a' * 994}\n",
    "unended": "* * * * * root true\n* * * * * root true",
}


def test_calls_inert_exactly_the_tables_that_cron_ignores(host, survey):
    for name, text in TABLES.items():
        host.write_file(f"/etc/cron.d/{name}", text)
    host.write_file("/etc/cron.d/writable", TABLES["plain"], mode=0o664)
    host.write_file("/etc/cron.d/foreign", TABLES["plain"], owner=(1, 1))
    host.write_file("/etc/cron.d/twice", TABLES["plain"])
    host.run("ln /etc/cron.d/twice /root/twice; systemctl restart cron; sync")

    def complaints():
        return host.text("journalctl -u cron --no-pager --output=cat")

    deadline = time.monotonic() + 30
    while "unended" not in complaints() and time.monotonic() < deadline:
        time.sleep(0.2)
    ignored = set(re.findall(r"^\(\*system\*(\w+)\) (?:ERROR|WRONG|INSECURE|NUMBER)", complaints(),
                             re.MULTILINE))
    assert {"broken", "twice", "unended", "longer"} <= ignored
    found = survey()
    inert = {path.rsplit("/", 1)[1] for path in
             (entry["location"] for entry in found["footholds"] if not entry["active"])}
    assert inert == ignored


def test_the_table_fits_the_terminal_and_has_colours_only_there(host, survey):
    plant_service(host, "beacon-with-a-name-that-is-much-longer-than-a-line-of-forty-columns")
    piped = survey.run()
    assert b"\x1b[" not in piped
    assert max(map(len, survey.run(environment={"COLUMNS": "60"}).decode().splitlines())) <= 60
    script = 'script -qec "stty cols 60; $0 survey" /dev/null'
    shown = host.run(["/bin/sh", "-c", script, AGENT]).stdout
    assert b"\x1b[" in shown
    plain = host.run(["/bin/sh", "-c", "NO_COLOR=1 " + script, AGENT]).stdout
    assert b"\x1b[" not in plain


def test_help_names_the_exit_codes_and_wrong_usage_is_refused(host, survey):
    assert b"3 done, but" in survey.run("--help")
    assert survey.run("--nonsense", expect=2) == b""
    assert survey.run("too", "many", expect=2) == b""
    survey.run("--root", "/no/such/folder", expect=1)
