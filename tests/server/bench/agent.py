"""An agent made of Python: docs/protocol.md from the host's side."""

import hashlib
import json
import secrets
import time

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KINDS = ["systemd.service", "systemd.timer", "cron.system", "cron.user", "registry.run"]


def media_type(name):
    return f"application/vnd.dislodge.{name}.v1+json"


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def foothold(name="evil", command="/opt/evil/run", kind="systemd.service"):
    """A unit that somebody put on the host, with its payload."""
    unit = f"{name}.{kind.split('.')[1]}"
    path = f"/etc/systemd/system/{unit}"
    made = {"kind": kind, "scope": "system", "location": path, "name": unit, "occurrence": 0,
            "command": command, "user": "root", "state": "enabled, active", "active": True,
            "objects": [file_object("unit", path), file_object("payload", command)],
            "first_seen": 0}
    texts = [kind, "system", path, unit, "", "0"]
    made["key"] = hashlib.sha256("".join(text + "\0" for text in texts).encode()).hexdigest()
    facts = [path, "file", str(0o644), "0", "0", made["objects"][0]["sha256"], "", command, ""]
    made["digest"] = hashlib.sha256("".join(text + "\0" for text in facts).encode()).hexdigest()
    return made


def file_object(role, path):
    return {"role": role, "type": "file", "path": path, "size": 7, "uid": 0, "gid": 0,
            "owner": "root", "mode": 0o644, "mtime_ns": 0, "links": 1,
            "sha256": hashlib.sha256(path.encode()).hexdigest(), "conffile": False,
            "baseline": "absent", "immutable": False}


def survey(*footholds, hostname="host"):
    now = int(time.time() * 1000)
    return {"started": now, "finished": now, "trusted": True, "untrusted_because": "",
            "omitted": 0,
            "host": {"hostname": hostname, "os": "Debian 12", "kernel": "6.1",
                     "architecture": "x86_64"},
            "coverage": {kind: {"state": "complete", "why": ""} for kind in KINDS},
            "footholds": list(footholds)}


class Agent:
    """A machine with a key of its own; enrolled when it is made."""

    def __init__(self, server, key_file, hostname="host", key=None, machine=None):
        self.server = server
        self.machine = machine or secrets.token_hex(32)
        self.hostname = hostname
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = point.hex()
        self.key_id = hashlib.sha256(point).hexdigest()
        self.seq = 0
        self.enrolment = self.enrol(key_file)
        self.id = self.enrolment["agent_id"]
        self.token = self.enrolment["token"]

    def envelope(self, name, body):
        """Signs over DSSE's pre-authentication encoding."""
        text = body if isinstance(body, str) else compact(body)
        kind, raw = media_type(name).encode(), text.encode()
        encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(raw), raw)
        der = self.key.sign(encoded, ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return {"keyid": self.key_id, "sig": f"{r:064x}{s:064x}", "body": text}

    def enrol_body(self, key_file, **changes):
        statement = self.envelope("enrol", {
            "version": 1, "public_key": self.public_key, "machine_hash": self.machine,
            "hostname": self.hostname, "os": "Debian 12", "agent_version": "0.1.0",
            "nonce": secrets.token_hex(16)})
        proof = hashlib.sha256(f"{key_file['secret']}:{statement['body']}".encode()).hexdigest()
        return {"key_id": key_file["key_id"], "proof": proof, "statement": statement, **changes}

    def enrol(self, key_file):
        answer = requests.post(self.server.agents + "/agent/v1/enrol",
                               json=self.enrol_body(key_file), verify=self.server.certificate, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, name, body, token=None, timeout=60, session=requests):
        return session.post(f"{self.server.agents}/agent/v1/{name}", json=body, verify=self.server.certificate,
                            headers={"Authorization": "Bearer " + (token or self.token)},
                            timeout=timeout)

    def poll(self, held=(), timeout=60):
        """None where nothing waits."""
        answer = self.ask("poll", {"boot_id": "boot", "version": "0.1.0", "last_seq": self.seq,
                                   "held": list(held)}, timeout=timeout)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.status_code == 200 else None

    def record(self, kind, content):
        self.seq += 1
        return self.envelope("record", {
            "version": 1, "agent_id": self.id, "seq": self.seq, "time": int(time.time() * 1000),
            "type": kind, "content": content})

    def send(self, *records):
        answer = self.ask("records", {"records": list(records)})
        assert answer.status_code == 200, answer.text
        return answer.json()["acked_through"]

    def send_survey(self, *footholds):
        assert self.send(self.record("survey", survey(*footholds, hostname=self.hostname))) == self.seq

    def claim_envelope(self, order, nonce):
        body = json.loads(order["body"])
        return self.envelope("claim", {
            "version": 1, "agent_id": self.id, "plan_id": body["plan_id"],
            "order_sha256": hashlib.sha256(order["body"].encode()).hexdigest(), "nonce": nonce})

    def claim(self, order, nonce=None):
        """The ticket's body."""
        answer = self.ask("claim", self.claim_envelope(order, nonce or secrets.token_hex(16)))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.json()["ticket"]["body"])

    def result(self, order, state="removed"):
        """Sends that every chosen step ended so."""
        body = json.loads(order["body"])
        now = int(time.time() * 1000)
        runs = [{"step": step, "state": state, "reason": "", "detail": "",
                 "flags": {"still_running": [], "partial": False, "needs_reboot": False},
                 "evidence": [], "quarantine": [], "started": now, "finished": now}
                for step in body["chosen"]]
        return self.send(self.record("result", {
            "plan_id": body["plan_id"], "kind": body["kind"], "state": "finished", "reason": "",
            "detail": "", "runs": runs}))
