"""Messages of somebody who has everything but a signing key: what the server says, and what the
link passes on, made from genuine ones by every change that can be thought of and many at random."""

import copy
import hashlib
import json
import random
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

TYPES = {"order": "application/vnd.dislodge.order.v1+json",
         "ticket": "application/vnd.dislodge.ticket.v1+json",
         "key": "application/vnd.dislodge.key.v1+json"}
ODD = [None, True, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 10**30, 0.5, "", "\0", "go", "a" * 70000, [],
       {}, [[[]]], {"": ""}, "../../etc/passwd", "\u202e", [1] * 300]


class Forger:
    """Makes messages from one genuine order and ticket; the seed decides which."""

    def __init__(self, signed, answer, seed):
        self.random = random.Random(seed)
        self.signed, self.answer = signed, answer
        self.own = ec.generate_private_key(ec.SECP256R1())
        self.own_key = self._vouch_for_myself()
        self.ways = [self.flipped, self.signed_by_me, self.signed_by_me_with_their_key,
                     self.changed_in_the_body, self.swapped, self.odd_request, self.roots_ask,
                     self.junk_frame]

    def frame(self):
        """The bytes of the next frame, with its length."""
        body = self.random.choice(self.ways)()
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return struct.pack(">I", len(body)) + body

    # ---- envelopes ----

    def _sign(self, kind, body):
        payload_type = TYPES[kind].encode()
        text = json.dumps(body).encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(text), text)
        r, s = utils.decode_dss_signature(self.own.sign(signed, ec.ECDSA(hashes.SHA256())))
        return {"keyid": hashlib.sha256(self._public()).hexdigest(),
                "sig": f"{r:064x}{s:064x}", "body": text.decode()}

    def _public(self):
        return self.own.public_key().public_bytes(serialization.Encoding.X962,
                                                  serialization.PublicFormat.UncompressedPoint)

    def _vouch_for_myself(self):
        body = json.loads(self._genuine("key")["body"])
        body["public_key"] = self._public().hex()
        return self._sign("key", body)

    def _genuine(self, kind):
        return self.answer["ticket"] if kind == "ticket" else self.signed[kind]

    def _request(self, kind, key, envelope):
        return {"request": kind, "key": key, kind: envelope}

    def _kind(self):
        return self.random.choice(["order", "ticket"])

    # ---- ways ----

    def flipped(self):
        """One bit of anything a signature covers, or of a signature."""
        kind, which = self._kind(), self.random.choice(["key", "it"])
        key, it = copy.deepcopy(self.signed["key"]), copy.deepcopy(self._genuine(kind))
        target = key if which == "key" else it
        name = self.random.choice([n for n in target if isinstance(target[n], str) and target[n]])
        text = target[name]
        place = self.random.randrange(len(text))
        target[name] = text[:place] + chr(ord(text[place]) ^ 1 << self.random.randrange(7)) + \
            text[place + 1:]
        return self._request(kind, key, it)

    def signed_by_me(self):
        kind = self._kind()
        return self._request(kind, self.own_key,
                             self._sign(kind, self._mutated(self._genuine(kind)["body"])))

    def signed_by_me_with_their_key(self):
        kind = self._kind()
        return self._request(kind, self.signed["key"],
                             self._sign(kind, self._mutated(self._genuine(kind)["body"])))

    def changed_in_the_body(self):
        kind = self._kind()
        envelope = copy.deepcopy(self._genuine(kind))
        envelope["body"] = json.dumps(self._mutated(envelope["body"]))
        return self._request(kind, self.signed["key"], envelope)

    def swapped(self):
        """Genuine parts in wrong places."""
        parts = [self.signed["key"], self.signed["order"], self.answer["ticket"], self.own_key]
        return self._request(self._kind(), self.random.choice(parts[1:] + [None]),
                             self.random.choice(parts))

    def odd_request(self):
        request = self._request(self._kind(), copy.deepcopy(self.signed["key"]),
                                copy.deepcopy(self.signed["order"]))
        for _ in range(self.random.randrange(1, 4)):
            self._mutate(request)
        return request

    def roots_ask(self):
        """What only root may ask, in the words of a genuine plan."""
        revision = json.loads(json.loads(self.signed["order"]["body"])["revision"])
        document = {"dislodge_plan": 1, "plan_id": self.random.randbytes(16).hex(),
                    "hostname": "host", "made": 1, "steps": revision["steps"]}
        ask = {"act": self.random.choice(["apply", "undo", "restore", "purge"]),
               "plan": document, "chosen": [1], "by": {"uid": 0, "login": "root"}}
        if self.random.random() < 0.5:
            self._mutate(ask)
        return {"request": "local", "ask": ask}

    def junk_frame(self):
        return self.random.randbytes(self.random.randrange(1, 200))

    # ---- changes ----

    def _mutated(self, text):
        body = json.loads(text)
        for _ in range(self.random.randrange(1, 4)):
            self._mutate(body)
        return body

    def _odd(self):
        return copy.deepcopy(self.random.choice(ODD))

    def _mutate(self, value):
        """Change one place somewhere inside an object or a list."""
        while True:
            places = list(value) if isinstance(value, dict) else list(range(len(value)))
            if not places:
                return
            place = self.random.choice(places)
            inner = value[place]
            if isinstance(inner, (dict, list)) and inner and self.random.random() < 0.7:
                value = inner
                continue
            if self.random.random() < 0.15:
                del value[place]
            elif isinstance(value, dict) and self.random.random() < 0.1:
                value["extra"] = self._odd()
            else:
                value[place] = self._odd()
            return
