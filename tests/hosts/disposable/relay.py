"""The cable between a host and the machine: a process that carries TCP connections outwards.

It listens on 127.0.0.1 *inside* the host's network namespace and connects to 127.0.0.1 on the
machine, so a server on the machine's loopback is reached from the host and the machine's network
is never touched. It can be unplugged: then the host finds nothing listening, and every connection
that was open is reset. It ends when the host does.

Controlled through a Unix socket, one JSON request per connection, answered when it holds:
  {"do": "link", "inside": 8443, "outside": 40001}   {"do": "offline"}   {"do": "online"}
"""

import asyncio
import ctypes
import json
import os
import resource
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
CHUNK = 64 * 1024
CONNECT_TIMEOUT = 10


def listen_in_namespace(leader, port):
    """Return a socket listening on the host's loopback. Sockets stay in the namespace they are
    made in, so this process need not stay there itself."""
    libc = ctypes.CDLL(None, use_errno=True)
    ours = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    theirs = os.open(f"/proc/{leader}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set_namespace(libc, theirs)
        try:
            return socket.create_server(("127.0.0.1", port), backlog=512)
        finally:
            _set_namespace(libc, ours)
    finally:
        os.close(ours)
        os.close(theirs)


def _set_namespace(libc, descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def reset(writer):
    """Drop a connection the way a pulled cable ends up: by a reset, not by a polite close."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def pump(reader, writer):
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


class Relay:
    def __init__(self, leader, links):
        self.leader = leader
        self.links = links  # port inside -> port outside
        self.listeners = {}  # port inside -> asyncio server
        self.connections = set()
        self.plugged = False

    async def online(self):
        self.plugged = True
        for inside in self.links:
            await self._listen(inside)

    async def offline(self):
        self.plugged = False
        for server in self.listeners.values():
            server.close()
        self.listeners.clear()
        for task in list(self.connections):
            task.cancel()
        if self.connections:
            await asyncio.wait(self.connections)

    async def link(self, inside, outside):
        self.links[inside] = outside
        if self.plugged:
            await self._listen(inside)

    async def _listen(self, inside):
        if inside not in self.listeners:
            sock = listen_in_namespace(self.leader, inside)
            serve = lambda reader, writer: self._carry(inside, reader, writer)
            self.listeners[inside] = await asyncio.start_server(serve, sock=sock)

    async def _carry(self, inside, reader, writer):
        task = asyncio.current_task()
        self.connections.add(task)
        writers = [writer]
        try:
            opening = asyncio.open_connection("127.0.0.1", self.links[inside])
            far_reader, far_writer = await asyncio.wait_for(opening, CONNECT_TIMEOUT)
            writers.append(far_writer)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
            for each in writers:
                each.close()
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            for each in writers:
                reset(each)
        finally:
            self.connections.discard(task)

    async def answer(self, reader, writer):
        try:
            await self.obey(json.loads(await reader.readline()))
            reply = {"ok": True}
        except Exception as failure:  # the reply is the only place where it can be told
            reply = {"ok": False, "error": f"{type(failure).__name__}: {failure}"}
        writer.write(json.dumps(reply).encode() + b"\n")
        writer.close()

    async def obey(self, request):
        match request:
            case {"do": "online"}:
                await self.online()
            case {"do": "offline"}:
                await self.offline()
            case {"do": "link", "inside": int(inside), "outside": int(outside)}:
                await self.link(inside, outside)
            case _:
                raise ValueError("unknown request")


async def serve(leader, control, links, online):
    ended = asyncio.Event()
    descriptor = os.pidfd_open(leader)
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    relay = Relay(leader, links)
    if online:
        await relay.online()
    await asyncio.start_unix_server(relay.answer, path=control)
    await ended.wait()


def main():
    leader, control, state, *pairs = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # two descriptors for each connection
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    links = {int(inside): int(outside) for inside, outside in (pair.split(":") for pair in pairs)}
    asyncio.run(serve(int(leader), control, links, state == "online"))


if __name__ == "__main__":
    main()
