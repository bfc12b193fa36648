"""Footholds for a test to plant: real ones in form, harmless in what they run.

Every payload does one thing: it appends a line with the time to a marker file in MARKS. A test
reads from the markers what fired, and a hook's marker that is absent proves the hook did not run.
"""

import dataclasses
import os

MARKS = "/srv/marks"  # for diff's ignore: markers grow while footholds fire
UNITS = "/etc/systemd/system"


@dataclasses.dataclass(frozen=True)
class Planted:
    """A foothold on a host: where its parts are and which files tell what it did."""

    name: str  # of the unit, or of the user or file a cron line went to
    paths: tuple  # every file and link made for it, the payload last
    payload: str | None  # the program it runs
    fired: str | None  # one line for each time the payload ran (a service: each second it ran)
    hooks: dict = dataclasses.field(default_factory=dict)  # directive -> marker it would make


def plant_service(host, name, payload_path=None, stop_hooks=True, enable=True, start=True):
    """A service that runs for ever and comes back when it is killed. With stop_hooks, stopping it
    the ordinary way runs ExecStop= and ExecStopPost=, each of which leaves a marker."""
    payload = payload_path or f"/usr/local/lib/{name}"
    fired = _marker(host, name, "fired")
    _plant_payload(host, payload, f"while :; do date +%s.%N >>{fired}; sleep 1; done")
    hooks = {}
    lines = ["[Unit]", f"Description=benign test service {name}", "[Service]",
             f"ExecStart={payload}", "Restart=always", "RestartSec=1"]
    if stop_hooks:
        for directive in ("ExecStop", "ExecStopPost"):
            hooks[directive] = _marker(host, name, directive)
            lines.append(f"{directive}=/bin/sh -c 'date >>{hooks[directive]}'")
    lines += ["[Install]", "WantedBy=multi-user.target"]
    unit = f"{UNITS}/{name}.service"
    host.write_file(unit, "\n".join(lines) + "\n")
    paths = [unit]
    if enable:
        paths.append(f"{UNITS}/multi-user.target.wants/{name}.service")
    _load(host, f"{name}.service", enable, start)
    return Planted(f"{name}.service", (*paths, payload), payload, fired, hooks)


def plant_timer(host, name, every=2, payload_path=None, stop_hooks=True, enable=True, start=True,
                lasting=False):
    """A timer that starts a short service of the same name each `every` seconds: the chain
    timer, service, payload. With lasting, its service runs on once started, comes back when it is
    killed, and marks ExecStop= and ExecStopPost= as plant_service's does."""
    payload = payload_path or f"/usr/local/lib/{name}"
    fired = _marker(host, name, "fired")
    once = f"date +%s.%N >>{fired}"
    _plant_payload(host, payload, f"while :; do {once}; sleep 1; done" if lasting else once)
    hooks = {}
    service = ["[Unit]", f"Description=benign test job {name}", "[Service]",
               "Type=simple" if lasting else "Type=oneshot", f"ExecStart={payload}"]
    if lasting:
        service += ["Restart=always", "RestartSec=1"]
        for directive in ("ExecStop", "ExecStopPost"):
            hooks[directive] = _marker(host, name, directive)
            service.append(f"{directive}=/bin/sh -c 'date >>{hooks[directive]}'")
    elif stop_hooks:
        # a oneshot service runs ExecStopPost each time it ends: only a stop of its own is marked
        hooks["ExecStop"] = _marker(host, name, "ExecStop")
        service += ["RemainAfterExit=no", f"ExecStop=/bin/sh -c 'date >>{hooks['ExecStop']}'"]
    timer = ["[Unit]", f"Description=benign test timer {name}", "[Timer]", "OnActiveSec=1s",
             f"OnUnitActiveSec={every}s", "AccuracySec=100ms", "[Install]", "WantedBy=timers.target"]
    host.write_file(f"{UNITS}/{name}.service", "\n".join(service) + "\n")
    host.write_file(f"{UNITS}/{name}.timer", "\n".join(timer) + "\n")
    paths = [f"{UNITS}/{name}.timer", f"{UNITS}/{name}.service"]
    if enable:
        paths.append(f"{UNITS}/timers.target.wants/{name}.timer")
    _load(host, f"{name}.timer", enable, start)
    return Planted(f"{name}.timer", (*paths, payload), payload, fired, hooks)


def plant_cron_line(host, user, line=None, payload_path=None):
    """A line in a user's own crontab, put there by crontab(1) as the user would. Without a line of
    the caller's, one that runs a payload each minute."""
    payload, fired, line = _cron_payload(host, f"cron-{user}", line, payload_path, "* * * * * {}")
    add = '(crontab -u "$0" -l 2>/dev/null; cat) | crontab -u "$0" -'
    host.run(["/bin/sh", "-c", add, user], input=_line(line))
    spool = f"/var/spool/cron/crontabs/{user}"
    return Planted(user, _with_payload(spool, payload), payload, fired)


def plant_cron_file(host, name, line=None, payload_path=None):
    """A file of one line in /etc/cron.d; such lines name the user they run as."""
    payload, fired, line = _cron_payload(host, name, line, payload_path, "* * * * * root {}")
    path = f"/etc/cron.d/{name}"
    host.write_file(path, _line(line))
    return Planted(name, _with_payload(path, payload), payload, fired)


def plant_crontab_line(host, line=None, payload_path=None):
    """A line at the end of /etc/crontab, which belongs to the package cron."""
    payload, fired, line = _cron_payload(host, "crontab", line, payload_path, "* * * * * root {}")
    host.run("cat >>/etc/crontab", input=_line(line))
    return Planted("/etc/crontab", _with_payload("/etc/crontab", payload), payload, fired)


# A name with all that a page, a terminal or a parser may stumble over: quotes, markup, a newline, a
# right-to-left override, a byte that is no UTF-8, a per cent sign. And how Dislodge spells it.
SPOILED = b"\"'><script>alert(1)<\n\xe2\x80\xaegnp\xff%"
SPELLED = "\"'><script>alert(1)<%0A%E2%80%AEgnp%FF%25"


@dataclasses.dataclass(frozen=True)
class Hostile:
    """Footholds with names of the worst kind. `spelled` holds texts, the rest bytes or markers."""

    paths: tuple  # what is to go, each as bytes
    ignored: bytes  # a unit file that stays: systemd takes no such name, so nothing can prove it gone
    fired: str  # the service's marker
    spelled: dict  # "service", "cron", "ignored": locations; "payload", "tool", "line": of those


def plant_hostile_names(host):
    """A service whose name is as bad as systemd takes it, with a payload whose name is spoiled; a
    cron line that runs a tool of a bad name; and a unit file whose own name is spoiled."""
    name = br"evil\x22\x3cscript\x3e\xe2\x80\xae.service"  # escaped in the name itself
    unit, payload = UNITS.encode() + b"/" + name, b"/usr/local/lib/" + SPOILED
    fired = _marker(host, "spoiled", "fired")
    host.write_file(payload, f"#!/bin/sh\nwhile :; do date >>{fired}; sleep 1; done\n", mode=0o755)
    argument = "".join(f"\\x{byte:02x}" for byte in payload)  # systemd's own escapes
    host.write_file(unit, f'[Service]\nExecStart=/bin/sh "{argument}"\nRestart=always\n'
                          "[Install]\nWantedBy=multi-user.target\n")
    _load(host, name, enable=True, start=True)

    tool = b"/opt/\"<script>\xe2\x80\xae\xff"
    host.write_file(tool, "#!/bin/sh\n", mode=0o755)
    line = b"0 0 1 1 * root '" + tool + b"'"
    host.write_file("/etc/cron.d/hostile", line + b"\n")

    ignored = UNITS.encode() + b"/" + SPOILED + b".service"
    host.write_file(ignored, "[Service]\nExecStart=/bin/true\n")
    wants = UNITS.encode() + b"/multi-user.target.wants/" + name
    return Hostile((unit, wants, payload, tool, b"/etc/cron.d/hostile"), ignored, fired, {
        "service": unit.decode(), "payload": f"/usr/local/lib/{SPELLED}",
        "cron": "/etc/cron.d/hostile", "tool": "/opt/\"<script>%E2%80%AE%FF",
        "line": "0 0 1 1 * root '/opt/\"<script>%E2%80%AE%FF'",
        "ignored": f"{UNITS}/{SPELLED}.service"})


def plant_user(host, name):
    """An ordinary account with a home and a shell; returns its uid and gid."""
    host.run(["useradd", "--create-home", "--shell", "/bin/bash", name])
    return tuple(int(host.text(["id", flag, name])) for flag in ("-u", "-g"))


def _plant_payload(host, path, command):
    host.run(["mkdir", "-p", os.path.dirname(path)])
    host.write_file(path, f"#!/bin/sh\n{command}\n", mode=0o755)


def _marker(host, name, what):
    host.run(["install", "-d", "-m", "1777", MARKS])
    return f"{MARKS}/{name}.{what}"


def _load(host, unit, enable, start):
    host.run(["systemctl", "daemon-reload"])
    if enable:
        host.run(["systemctl", "--quiet", "enable", unit])
    if start:
        host.run(["systemctl", "start", unit])


def _cron_payload(host, name, line, payload_path, shape):
    if line is not None:
        return payload_path, None, line
    payload = payload_path or f"/usr/local/lib/{name}"
    fired = _marker(host, name, "fired")
    _plant_payload(host, payload, f"date +%s.%N >>{fired}")
    return payload, fired, shape.format(payload)


def _with_payload(path, payload):
    return (path, payload) if payload else (path,)


def _line(line):
    data = line.encode() if isinstance(line, str) else line
    return data if data.endswith(b"\n") else data + b"\n"
