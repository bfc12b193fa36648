"""Files of a host, opened from the machine's side without ever leaving the host's root.

A host's disk may hold any symlink, absolute ones included; the kernel resolves them here as the
host itself would (openat2 with RESOLVE_IN_ROOT), so no test can touch the machine by one.
"""

import contextlib
import ctypes
import os
import struct

SYS_OPENAT2 = 437  # the same number on every architecture
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def opened(root, path, flags, mode=0):
    """Open the host's path and yield the descriptor."""
    with _directory(root) as root_descriptor:
        how = struct.pack("QQQ", flags | os.O_CLOEXEC, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        descriptor = _libc.syscall(SYS_OPENAT2, root_descriptor, os.fsencode(path), how, len(how))
        if descriptor < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), os.fsdecode(path))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def parent(root, path):
    """Yield a descriptor of the folder that holds path, and the last part of path."""
    folder, leaf = os.path.split(os.fsencode(path))
    with opened(root, folder or b"/", os.O_PATH | os.O_DIRECTORY) as descriptor:
        yield descriptor, leaf


@contextlib.contextmanager
def _directory(path):
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
