"""The order in which names leave folders of a host, as the kernel tells it (inotify)."""

import contextlib
import ctypes
import os
import select
import struct

from . import rooted

IN_MOVED_FROM, IN_DELETE = 0x40, 0x200
EVENT = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def departures(host, *folders):
    """Yield a function that returns the paths that left the folders so far, in their order: one
    queue for all of them, so the order is strict whatever any clock says."""
    queue = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    watched, left = {}, []
    try:
        for folder in folders:
            with rooted.opened(host.root, folder, os.O_PATH | os.O_DIRECTORY) as descriptor:
                path = f"/proc/self/fd/{descriptor}".encode()
                number = _libc.inotify_add_watch(queue, path, IN_MOVED_FROM | IN_DELETE)
            if number < 0:
                raise OSError(ctypes.get_errno(), f"cannot watch {folder}")
            watched[number] = folder

        def so_far():
            while select.select([queue], [], [], 0)[0]:
                left.extend(_departed(os.read(queue, 1 << 16), watched))
            return list(left)

        yield so_far
    finally:
        os.close(queue)


def _departed(data, watched):
    place = 0
    while place < len(data):
        number, _, _, size = EVENT.unpack_from(data, place)
        place += EVENT.size
        name = data[place:place + size].rstrip(b"\0").decode(errors="surrogateescape")
        place += size
        yield f"{watched[number]}/{name}"
