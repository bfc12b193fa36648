"""What is remembered about one host between the commands that handle it: its folder on disk."""

import dataclasses
import json
import os
import re

from . import machine

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclasses.dataclass
class Process:
    """A process named by pid and start time, so that a reused pid is never taken for it."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid):
        started = machine.start_time(pid)
        return None if started is None else cls(pid, started)

    def alive(self):
        return machine.start_time(self.pid) == self.started


@dataclasses.dataclass
class Record:
    """One host. Lives in HOSTS/NAME/record.json; written whole, by rename."""

    name: str
    plain: bool = False  # an overlay without redirect_dir, index and nfs_export
    links: dict = dataclasses.field(default_factory=dict)  # port in the host -> port outside
    owner: Process | None = None  # while it lives, nobody else may take the host for stale
    leader: Process | None = None  # the host's PID 1 as the machine sees it; None when off
    relay: Process | None = None

    def __post_init__(self):
        if not NAME.fullmatch(self.name):
            raise machine.HostError(f"'{self.name}' is no host name: a-z, 0-9 and '-', at most 40")

    @property
    def folder(self):
        return machine.HOSTS / self.name

    @property
    def root(self):
        return self.folder / "root"

    @property
    def upper(self):
        return self.folder / "upper"

    @property
    def cgroup(self):
        return machine.cgroup_root() / f"dislodge-host-{self.name}"

    @property
    def relay_socket(self):
        return self.folder / "relay.sock"

    def running(self):
        return self.leader is not None and self.leader.alive()

    def stale(self):
        """True when whoever made this host is gone, or the machine was booted since."""
        return self.owner is not None and not self.owner.alive()

    def save(self):
        new = self.folder / "record.new"
        new.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        os.rename(new, self.folder / "record.json")

    @classmethod
    def load(cls, name):
        record = cls(name)
        try:
            stored = json.loads((record.folder / "record.json").read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise machine.HostError(f"there is no host '{name}'") from None
        for part in ("owner", "leader", "relay"):
            if stored[part] is not None:
                stored[part] = Process(**stored[part])
        return cls(**stored)


def all_names():
    """Return the names of all hosts on this machine, half-made ones included."""
    if not machine.HOSTS.is_dir():
        return []
    return sorted(
        entry.name
        for entry in machine.HOSTS.iterdir()
        if (entry / "upper").is_dir() and NAME.fullmatch(entry.name)
    )
