"""Everything a host's disk holds, and what differs between two such pictures."""

import fcntl
import fnmatch
import hashlib
import os
import stat
import struct
import typing

# Kernel filesystems and what never outlives a reboot; not part of the disk.
NOT_ON_DISK = frozenset([b"/proc", b"/sys", b"/dev", b"/run", b"/tmp"])

# What an idle host itself writes when it boots, and nothing else does; for diff's ignore.
BOOT_NOISE = ("/var/log/wtmp", "/var/tmp/systemd-private-*")

FS_IOC_GETFLAGS = 0x80086601
# chattr's own flags; the rest (extents, inline data …) is how a filesystem happens to store a file.
FLAG_LETTERS = {0x1: "s", 0x2: "u", 0x4: "c", 0x8: "S", 0x10: "i", 0x20: "a", 0x40: "d", 0x80: "A",
                0x4000: "j", 0x8000: "t", 0x10000: "D", 0x20000: "T", 0x800000: "C"}

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
         stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device",
         stat.S_IFBLK: "block device"}


class Entry(typing.NamedTuple):
    """One path. Not held: atime and ctime (reading and restoring change them), device and inode,
    and the number of hard links (an overlay's copy-up breaks them by itself)."""

    kind: str
    mode: str
    uid: int
    gid: int
    mtime_ns: int
    size: int | None = None  # files only
    sha256: str | None = None  # files only
    target: bytes | None = None  # symlinks only
    device: tuple | None = None  # devices only
    xattrs: tuple = ()  # (name, value) pairs: security.*, POSIX ACLs, user.*
    flags: str = ""  # files and directories: chattr's letters


class Difference(typing.NamedTuple):
    path: bytes
    words: str

    def __repr__(self):
        return f"{printable(self.path)}: {self.words}"


def printable(path):
    return repr(path)[2:-1]


def take(root):
    """Return {absolute path as the host sees it: Entry} for the whole tree below root."""
    root = os.fsencode(root)
    found = {}
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            names = os.listdir(root + (folder or b"/"))
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone since its parent was read: a running host changes under us
        for name in names:
            path = folder + b"/" + name
            if path in NOT_ON_DISK:
                continue
            try:
                entry = _read_entry(root + path)
            except FileNotFoundError:
                continue
            found[path] = entry
            if entry.kind == "directory":
                folders.append(path)
    return found


def diff(before, after, ignore=(), directory_mtimes=True):
    """Return what differs, as a sorted list of Difference; empty means byte-identical.

    ignore holds paths (str or bytes) that are left out with all below them; they may be shell
    patterns. directory_mtimes=False forgives a directory's changed mtime and nothing else of it.
    """
    ignored = [os.fsencode(pattern) for pattern in ignore]
    differences = []
    for path in sorted(before.keys() | after.keys()):
        words = _compare(before.get(path), after.get(path), directory_mtimes)
        if words and not _is_ignored(path, ignored):
            differences.append(Difference(path, words))
    return differences


def _read_entry(path):
    info = os.lstat(path)
    common = {
        "kind": KINDS[stat.S_IFMT(info.st_mode)],
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "uid": info.st_uid,
        "gid": info.st_gid,
        "mtime_ns": info.st_mtime_ns,
        "xattrs": _read_xattrs(path),
    }
    if stat.S_ISLNK(info.st_mode):
        return Entry(**common, target=os.readlink(path))
    if stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
        return Entry(**common, device=(os.major(info.st_rdev), os.minor(info.st_rdev)))
    if not stat.S_ISREG(info.st_mode) and not stat.S_ISDIR(info.st_mode):
        return Entry(**common)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOATIME)
    try:
        flags = _read_flags(descriptor)
        if stat.S_ISDIR(info.st_mode):
            return Entry(**common, flags=flags)
        return Entry(**common, size=info.st_size, sha256=_hash(descriptor), flags=flags)
    finally:
        os.close(descriptor)


def _read_xattrs(path):
    names = os.listxattr(path, follow_symlinks=False)
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))


def _read_flags(descriptor):
    try:
        answer = fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, struct.pack("l", 0))
    except OSError:
        return "unsupported"
    bits = struct.unpack("l", answer)[0]
    return "".join(letter for bit, letter in FLAG_LETTERS.items() if bits & bit)


def _hash(descriptor):
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(before, after, directory_mtimes):
    if before == after:
        return None
    if before is None:
        return f"appeared ({after.kind}, mode {after.mode})"
    if after is None:
        return f"gone (was {before.kind}, mode {before.mode})"
    if not directory_mtimes and before.kind == after.kind == "directory":
        before = before._replace(mtime_ns=after.mtime_ns)
    changed = [field for field in Entry._fields if getattr(before, field) != getattr(after, field)]
    return ", ".join(f"{f} {getattr(before, f)} -> {getattr(after, f)}" for f in changed) or None


def _is_ignored(path, ignored):
    while path:
        if any(path == pattern or fnmatch.fnmatchcase(path, pattern) for pattern in ignored):
            return True
        path = path.rpartition(b"/")[0]
    return False
