"""Link's place taken by a test: frames to a host's executor, HTTPS to its server.

With the real link stopped, a test holds what a captured link would hold: the bearer token and the
socket. It can hold back, repeat and change everything that passes.
"""

import http.client
import json
import os
import socket
import ssl
import struct
import time

ANSWER_SECONDS = 30


class Executor:
    """One connection to the executor's socket of a running host, as root there or as
    the user and group of `ids`."""

    def __init__(self, host, ids=(0, 0)):
        leader = host.record.leader.pid
        folder = os.open(f"/proc/{leader}/root/run/dislodge", os.O_PATH | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ANSWER_SECONDS)
        try:
            os.setegid(ids[1])
            os.seteuid(ids[0])  # what the other end is told of its peer
            self.socket.connect(f"/proc/self/fd/{folder}/executor.sock")
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.close(folder)

    def ask(self, request, **members):
        """Send one request and return its answer; events in between are passed over."""
        self.send_frame(json.dumps({"request": request, **members}).encode())
        while True:
            answer = self.receive()
            if answer is None:
                raise ConnectionError("the executor closed the connection")
            if "event" not in answer:
                return answer

    def send_frame(self, body):
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def send_bytes(self, data):
        self.socket.sendall(data)

    def receive(self):
        """Return the next message, None when the executor has closed."""
        head = self._exactly(4)
        if head is None:
            return None
        return json.loads(self._exactly(struct.unpack(">I", head)[0]))

    def closes(self):
        """True when the executor ends the connection without another word."""
        try:
            return self.receive() is None
        except ConnectionError:
            return True

    def records(self):
        """Return the content of all records that wait in the outbox."""
        envelopes = self.ask("outbox", limit_bytes=4 * 1024 * 1024)["records"]
        return [json.loads(envelope["body"]) for envelope in envelopes]

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def close(self):
        self.socket.close()


class Upstream:
    """The server's agent endpoint, as the agent of one host."""

    def __init__(self, host, port):
        settings = json.loads(host.read_file("/var/lib/dislodge-link/server.json"))
        self.token, self.port = settings["token"], port
        self.trust = ssl.create_default_context()
        self.trust.check_hostname = False
        self.trust.verify_mode = ssl.CERT_NONE  # loopback, and the test made the server

    def post(self, path, body, seconds=ANSWER_SECONDS):
        """Return (status, answer); the answer is None where there is none."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds,
                                                 context=self.trust)
        connection.request("POST", path, json.dumps(body),
                           {"Authorization": f"Bearer {self.token}",
                            "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def orders(self, status, seconds=ANSWER_SECONDS):
        """Poll with an executor's status until orders come."""
        body = {name: status[name] for name in ("boot_id", "version", "last_seq", "held")}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.post("/agent/v1/poll", body, seconds)[1]
            if answer and answer["orders"]:
                return answer["orders"]
        raise AssertionError("no order came")

    def claim(self, claim):
        status, answer = self.post("/agent/v1/claim", claim)
        assert status == 200, answer
        return answer


def flip(envelope, place=40):
    """Return the envelope with one bit of its body changed."""
    body = envelope["body"]
    other = chr(ord(body[place]) ^ 1)
    return {**envelope, "body": body[:place] + other + body[place + 1:]}
