"""A disposable host as a test handles it."""

import os
import subprocess

from . import inside, lifecycle, rooted, snapshot
from .record import Record

COMMAND_TIMEOUT = 60


class Host:
    """One host. Paths and command words may be str or bytes; output is bytes."""

    def __init__(self, name, plain=False, links=None, owner=None):
        """Make and boot it. links: {port in the host: port on the machine's loopback}."""
        text_links = {str(inner): outer for inner, outer in (links or {}).items()}
        lifecycle.up(name, plain=plain, links=text_links, owner=owner or os.getpid())
        self.name = name
        self.farewells = []  # what make_host calls before the host goes: last looks, which may raise

    @property
    def record(self):
        return Record.load(self.name)

    @property
    def root(self):
        """The host's merged root as the machine sees it; readable while the host is off too.
        Never join a path to it by hand: symlinks would lead to the machine. Use the methods."""
        return self.record.root

    def argv(self, command, environment=None):
        """Return the machine-side argv that runs command in the host, for a test that keeps a
        process of its own. A str is a shell line, a list is an argv."""
        if isinstance(command, (str, bytes)):
            command = ["/bin/sh", "-c", command]
        return inside.enter(self.record, command, environment)

    def run(self, command, check=True, input=b"", timeout=COMMAND_TIMEOUT, environment=None):
        """Run a command as root and return its CompletedProcess; output is bytes. With check, a
        command that fails raises and shows what it said. What it leaves running in the background must
        not hold on to its output, or this waits for that too."""
        argv = self.argv(command, environment)
        done = subprocess.run(argv, input=input, capture_output=True, timeout=timeout)
        if check and done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="backslashreplace")
            raise AssertionError(f"{command!r} ended with {done.returncode}:\n{said}")
        return done

    def text(self, command, **options):
        """Return what a command prints, as text without the last newline."""
        return self.run(command, **options).stdout.decode(errors="surrogateescape").rstrip("\n")

    def write_file(self, path, content, mode=0o644, owner=(0, 0), mtime_ns=None):
        """Create or replace a regular file; its folder must exist, a symlink is not followed."""
        data = content.encode() if isinstance(content, str) else content
        with rooted.parent(self.root, path) as (folder, leaf):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(leaf, flags, 0o600, dir_fd=folder), "wb") as file:
                file.write(data)
                os.fchown(file.fileno(), *owner)
                os.fchmod(file.fileno(), mode)  # after chown, which drops set-user-id
            if mtime_ns is not None:
                os.utime(leaf, ns=(mtime_ns, mtime_ns), dir_fd=folder, follow_symlinks=False)

    def read_file(self, path):
        """Return a file's bytes; symlinks are followed as the host would."""
        with rooted.opened(self.root, path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()

    def exists(self, path):
        """True if the name is there, be it a dangling symlink."""
        return self.lstat(path) is not None

    def lstat(self, path):
        """Return os.lstat of the host's path, None if nothing bears that name."""
        try:
            with rooted.parent(self.root, path) as (folder, leaf):
                return os.stat(leaf or b".", dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def snapshot(self):
        """Return what the whole disk holds; see snapshot.diff."""
        return snapshot.take(self.root)

    def stop(self):
        lifecycle.stop(self.name)

    def start(self):
        lifecycle.start(self.name)

    def offline(self):
        lifecycle.offline(self.name)

    def online(self):
        lifecycle.online(self.name)

    def link(self, port_inside, port_outside):
        lifecycle.link(self.name, port_inside, port_outside)

    def down(self):
        lifecycle.down(self.name)
