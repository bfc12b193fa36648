"""What an enemy on the network sends: refused with a clear error, and the server goes on."""

import json
import re
import threading
import time

import pytest
import requests

from bench import wire
from bench.agent import Agent, foothold

HEAD = b"Host: localhost\r\n"


@pytest.fixture(autouse=True)
def goes_on(server):
    """Whatever a test does: afterwards the server still answers."""
    yield
    assert server.is_alive()
    assert requests.get(server.portal + "/api/session", timeout=30).status_code == 401


def error_of(answer):
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]


def test_refuses_a_body_of_ten_megabytes(server):
    for url in [server.portal + "/api/login", server.agents + "/agent/v1/enrol",
                server.agents + "/agent/v1/poll"]:
        answer = requests.post(url, data=b"x" * 10_000_000, verify=server.certificate, timeout=30)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "limit"


def test_refuses_a_body_larger_than_memory_without_waiting_for_it(server):
    request = b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length: 999999999999\r\n\r\n"
    status, _ = wire.exchange(server.portal, request)
    assert status == 413


def send_records(server, body, token):
    return requests.post(server.agents + "/agent/v1/records", data=body, timeout=30,
                         verify=server.certificate, headers={"Authorization": "Bearer " + token})


def test_refuses_json_of_a_few_bytes_per_value(server):
    """Eight megabytes of it would grow to a gigabyte."""
    agent = Agent(server, server.enrol_key("Acme"))
    for piece in [b"[]", b"{}", b'{"a":{}}']:
        body = b'{"records":[' + b",".join([piece] * (8_000_000 // (len(piece) + 1))) + b"]}"
        answer = send_records(server, body, agent.token)
        assert answer.status_code == 413
        assert "values" in answer.json()["error"]["message"]


def test_bounds_the_bytes_collected_over_all_connections(server):
    """Sixteen bodies of 8 MiB, each but for its last byte, from nobody known."""
    size = 8 * 1024 * 1024
    head = (b"POST /agent/v1/records HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer guess\r\n"
            b"Content-Length: %d\r\n\r\n" % size)
    waiting = [wire.connect(server.agents) for _ in range(16)]
    for connection in waiting:
        connection.sendall(head + b"x" * (size - 1))
    busy = send_records(server, b"x" * size, "guess")
    assert busy.status_code == 503
    assert busy.json()["error"]["code"] == "busy"
    assert int(busy.headers["Retry-After"]) > 0
    server.person("acme-analyst")  # those who send little are served

    for connection in waiting:
        connection.close()
    assert send_records(server, b"x" * size, "guess").status_code == 401


def test_refuses_bodies_that_are_not_json(server):
    for body in [b"", b"{", b"null", b"[1]", b'{"login":"a","login":"b","password":"x"}', b"\xff",
                 b'{"login":"a\\u0000b","password":"x"}', b'{"login":"a","password":"b"} x',
                 b"[" * 4000, b'{"login":"a","password":1.5}']:
        answer = requests.post(server.portal + "/api/login", data=body, timeout=30,
                               headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("fields, words", [
    ("a=&" * 2048 + "a=", "2049 fields"), ("login=a%00b&password=x", "NUL"), ("login", "pairs"),
], ids=["too many", "NUL", "no pairs"])
def test_refuses_hostile_fields_with_a_reason(server, fields, words):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = requests.post(server.portal + "/sign-in", data=fields, headers=headers, timeout=30)
    query = requests.get(server.portal + "/sign-in?" + fields, timeout=30)
    assert (form.status_code, query.status_code) == (400, 400)
    assert words in form.text


def test_refuses_wrong_types_and_unknown_members(server):
    for body in [{"login": 1, "password": "x"}, {"login": "a"}, {"login": ["a"], "password": "x"},
                 {"login": "a", "password": None}, {"login": "a", "password": "b", "more": 1}]:
        answer = requests.post(server.portal + "/api/login", json=body, timeout=30)
        assert answer.status_code == 400, body


def test_refuses_another_content_type(server):
    answer = requests.post(server.portal + "/api/login", timeout=30,
                           data={"login": "acme-analyst", "password": "x"})
    assert answer.status_code == 400
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("request_bytes, expected", [
    (b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    (b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 501),
    (b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length : 2\r\n\r\n{}", 400),
    (b"GET /api/session HTTP/1.1\r\n\r\n", 400),
    (b"GET /api/session HTTP/1.1\nHost: a\n\n", 400),
    (b"GET /api/session\0 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    (b"GET http://elsewhere/ HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    (b"BREW /coffee HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
    (b"GET /api/session HTTP/1.0\r\n" + HEAD + b"\r\n", 505),
    (b"GET /api/session HTTP/1.1\r\n" + HEAD + b"X: " + b"y" * 20_000 + b"\r\n\r\n", 431),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
], ids=["two lengths", "length and chunked", "blank before colon", "no host", "bare line feeds", "nul",
        "absolute target", "other method", "old version", "long head", "no HTTP at all"])
def test_refuses_what_parsers_disagree_about(server, request_bytes, expected):
    status, answer = wire.exchange(server.portal, request_bytes)
    assert status == expected
    assert error_of(answer)["message"]
    assert b"Content-Security-Policy" in answer
    status, _ = wire.exchange(server.agents, request_bytes)
    assert status == expected


def test_a_refused_request_is_not_followed_by_a_smuggled_one(server):
    smuggled = b"GET /api/session HTTP/1.1\r\n" + HEAD + b"\r\n"
    request = (b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\n"
               b"Content-Length: %d\r\n\r\n" % len(smuggled))
    _, answer = wire.exchange(server.portal, request + smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1


def test_answers_pipelined_requests_in_turn(server):
    one = b"GET /api/session HTTP/1.1\r\n" + HEAD + b"\r\n"
    last = b"GET /api/none HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    _, answer = wire.exchange(server.portal, one + one + last)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"401", b"401", b"404"]


def slow(url, first, piece, pause, seconds):
    """Sends a piece now and then until the server has enough: (status, seconds it took)."""
    start = time.monotonic()
    with wire.connect(url) as connection:
        connection.sendall(first)
        connection.settimeout(pause)
        answer = b""
        while time.monotonic() - start < seconds:
            try:
                got = connection.recv(65536)
                if not got:
                    break
                answer += got
            except TimeoutError:
                connection.sendall(piece)
            except OSError:
                break
    return wire.status(answer), time.monotonic() - start


def test_cuts_off_clients_that_are_slow(server):
    """Four at once, for each waits the full 20 seconds; meanwhile others are served."""
    body = b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n"
    tries = {
        "head": (server.portal, b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
        "body": (server.portal, body, b"x"),
        "tls body": (server.agents, body.replace(b"api/login", b"agent/v1/enrol"), b"x"),
        "silence": (server.portal, b"", b""),
    }
    results = {}

    def run(name):
        results[name] = slow(*tries[name], pause=2, seconds=35)

    threads = [threading.Thread(target=run, args=[name]) for name in tries]
    for thread in threads:
        thread.start()
    assert requests.get(server.portal + "/api/session", timeout=5).status_code == 401
    for thread in threads:
        thread.join()
    for name, (status, seconds) in results.items():
        assert status == (None if name == "silence" else 408), name
        assert 15 < seconds < 30, name


def test_survives_clients_that_leave_at_every_moment(server):
    login = json.dumps({"login": "acme-analyst", "password": "wrong password"}).encode()
    request = (b"POST /api/login HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n" % len(login) + login)
    for size in list(range(0, len(request), 7)) + [len(request)]:
        with wire.connect(server.portal) as connection:
            connection.sendall(request[:size])
    assert server.is_alive()


def test_shows_hostile_names_escaped_in_its_log(server):
    wire.exchange(server.portal, b"GET /%0d%0a2030-01-01T00:00:00Z%20error%20forged HTTP/1.1\r\n"
                  + HEAD + b"Connection: close\r\n\r\n")
    assert not any(line.startswith("2030") for line in server.words().splitlines())


def test_refuses_records_with_hostile_bodies_and_goes_on(server):
    agent = Agent(server, server.enrol_key("Acme"))
    good = agent.record("survey", {})
    for records in [1, None, {}, [1], [[]], [{}], ["x"], [{"keyid": 1, "sig": 2, "body": 3}],
                    [good | {"more": 1}], [good | {"sig": "00" * 64}], [good] * 65]:
        answer = agent.ask("records", {"records": records})
        assert answer.status_code in (400, 403, 413), records
        assert answer.json()["error"]["message"]
    assert agent.ask("records", {"records": [], "more": 1}).status_code == 400
    agent.seq = 0
    agent.send_survey()


def test_takes_in_a_survey_with_hostile_names(server):
    agent = Agent(server, server.enrol_key("Acme"), hostname="<script>alert(1)</script>")
    names = ["a%0A%E2%80%AEb", "\"'><img src=x>", "%FF%FE", "{{7*7}}", "x" * 200]
    agent.send_survey(*[foothold(name) for name in names])
    person = server.person("acme-analyst")
    shown = person.get(f"/api/hosts/{agent.id}/footholds")["items"]
    assert sorted(item["name"] for item in shown) == sorted(name + ".service" for name in names)


def test_refuses_a_survey_that_spells_a_byte_in_two_ways(server):
    agent = Agent(server, server.enrol_key("Acme"))
    agent.send_survey(foothold("plain"))
    agent.send(agent.record("survey", {"footholds": [foothold("%41")]}))  # kept, no effect
    person = server.person("acme-analyst")
    assert [item["name"] for item in person.get(f"/api/hosts/{agent.id}/footholds")["items"]] == [
        "plain.service"]
