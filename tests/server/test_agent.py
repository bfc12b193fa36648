"""The agent endpoint, with agents made of Python."""

import hashlib
import json
import secrets
import threading
import time

import requests

from bench.agent import Agent, foothold


def sent_incident(server, agent):
    """A host with one foothold, and a report about it that was sent: its view."""
    analyst = server.person("acme-analyst")
    agent.send_survey(foothold())
    keys = [item["key"] for item in analyst.get(f"/api/hosts/{agent.id}/footholds")["items"]]
    incident = analyst.post(f"/api/hosts/{agent.id}/incidents", {
        "subject": "A service that should not be", "severity": "high", "summary": "",
        "recommendations": "", "edit": {"keys": keys}})
    return analyst.post(f"/api/incidents/{incident['id']}/send",
                        {"digest": incident["shown_revision"]["digest"]})


def approve(server, incident):
    return server.person("acme-technician").post(
        f"/api/incidents/{incident['id']}/approve",
        {"digest": incident["shown_revision"]["digest"]})


def test_goes_the_whole_way_from_survey_to_proof_and_back(server):
    agent = Agent(server, server.enrol_key("Acme"))
    incident = sent_incident(server, agent)
    assert incident["review"]["possible"]
    assert approve(server, incident)["steps_view"][0]["status"] == "queued"

    order = agent.poll()["orders"][0]["order"]
    assert agent.claim(order)["verdict"] == "go"
    agent.result(order)
    agent.send_survey()
    technician = server.person("acme-technician")
    incident = technician.get(f"/api/incidents/{incident['id']}")
    assert incident["state"] == "resolved"
    assert incident["steps_view"][0]["status"] == "removed"

    plan = json.loads(order["body"])["plan_id"]
    technician.post(f"/api/orders/{plan}/undo", {"legitimate": False})
    undo = agent.poll()["orders"][0]["order"]
    assert json.loads(undo["body"])["kind"] == "undo"
    assert agent.claim(undo)["verdict"] == "go"
    agent.result(undo, "restored")
    assert technician.get(f"/api/incidents/{incident['id']}")["state"] == "open"


def test_an_approval_wakes_the_parked_poll(server):
    agent = Agent(server, server.enrol_key("Acme"))
    incident = sent_incident(server, agent)
    got = {}

    def wait():
        got["answer"] = agent.poll()
        got["at"] = time.monotonic()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(1)
    host = server.person("acme-reader").get(f"/api/hosts/{agent.id}")
    assert host["online"] is True
    approve(server, incident)
    start = time.monotonic()
    thread.join(20)
    assert len(got["answer"]["orders"]) == 1
    assert got["at"] - start < 2


def test_a_survey_request_wakes_the_parked_poll(server):
    agent = Agent(server, server.enrol_key("Acme"))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(agent.poll()))
    thread.start()
    time.sleep(0.5)
    server.person("acme-analyst").post(f"/api/hosts/{agent.id}/survey")
    thread.join(10)
    assert answers[0]["survey"] is True


def test_a_host_that_hangs_up_is_offline_at_once(server):
    agent = Agent(server, server.enrol_key("Acme"))
    reader = server.person("acme-reader")
    try:
        agent.poll(timeout=1)
    except requests.exceptions.Timeout:
        pass
    end = time.monotonic() + 5
    while reader.get(f"/api/hosts/{agent.id}")["online"]:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_newer_poll_takes_the_place_of_an_older_one(server):
    agent = Agent(server, server.enrol_key("Acme"))
    older = []
    thread = threading.Thread(target=lambda: older.append(agent.poll()))
    thread.start()
    time.sleep(0.5)
    newer = threading.Thread(target=agent.poll, daemon=True)
    newer.start()
    thread.join(5)
    assert older == [None]
    server.person("acme-analyst").post(f"/api/hosts/{agent.id}/survey")
    newer.join(5)
    assert not newer.is_alive()


def test_an_order_made_just_before_the_poll_is_not_missed(server):
    agent = Agent(server, server.enrol_key("Acme"))
    incident = sent_incident(server, agent)
    approve(server, incident)
    assert len(agent.poll()["orders"]) == 1


def test_the_agent_endpoint_is_not_on_the_portals_address(server):
    agent = Agent(server, server.enrol_key("Acme"))
    answer = requests.post(server.portal + "/agent/v1/poll", json={}, timeout=30,
                           headers={"Authorization": "Bearer " + agent.token})
    assert answer.status_code == 404
    assert requests.get(server.agents + "/api/session", verify=server.certificate, timeout=30).status_code == 404


def test_an_agents_token_is_no_session_and_a_session_is_no_agent(server):
    agent = Agent(server, server.enrol_key("Acme"))
    person = server.person("acme-administrator")
    answer = requests.get(server.portal + "/api/session", timeout=30,
                          headers={"Authorization": "Bearer " + agent.token})
    assert answer.status_code == 401
    assert agent.ask("poll", {}, token=person.token).status_code == 401


def test_enrolment_is_refused_alike_whatever_is_wrong(server):
    key = server.enrol_key("Acme", hosts=1)
    agent = Agent(server, key)  # uses it up
    fresh = server.enrol_key("Acme")
    answers = []
    for key_file, changes in [
            (key, {}),
            ({**fresh, "secret": "00" * 32}, {}),
            ({**fresh, "key_id": "00" * 16}, {}),
            (fresh, {"proof": hashlib.sha256(b"").hexdigest()})]:
        answer = requests.post(server.agents + "/agent/v1/enrol", verify=server.certificate, timeout=30,
                               json=agent.enrol_body(key_file, **changes))
        answers.append((answer.status_code, answer.text))
    assert len(set(answers)) == 1
    assert answers[0][0] == 403


def test_refuses_an_enrolment_signed_by_another_key(server):
    key = server.enrol_key("Acme")
    one, two = Agent(server, key), Agent(server, key)
    body = one.enrol_body(key)
    body["statement"]["sig"] = two.enrol_body(key)["statement"]["sig"]
    answer = requests.post(server.agents + "/agent/v1/enrol", json=body, verify=server.certificate, timeout=30)
    assert answer.status_code == 403


def test_refuses_a_claim_for_another_agents_order(server):
    key = server.enrol_key("Acme")
    agent, other = Agent(server, key), Agent(server, key, hostname="other")
    approve(server, sent_incident(server, agent))
    order = agent.poll()["orders"][0]["order"]
    stolen = agent.claim_envelope(order, secrets.token_hex(16))
    assert other.ask("claim", stolen).status_code in (400, 403, 404)
    own = other.claim_envelope(order, secrets.token_hex(16))
    assert other.ask("claim", own).status_code in (400, 403, 404)
    assert agent.claim(order)["verdict"] == "go"


def test_refuses_a_claim_with_one_flipped_bit(server):
    agent = Agent(server, server.enrol_key("Acme"))
    approve(server, sent_incident(server, agent))
    order = agent.poll()["orders"][0]["order"]
    claim = agent.claim_envelope(order, secrets.token_hex(16))
    for member in ["sig", "body", "keyid"]:
        text = claim[member]
        broken = {**claim, member: text[:-3] + chr(ord(text[-3]) ^ 1) + text[-2:]}
        assert agent.ask("claim", broken).status_code in (400, 403, 404), member
    assert agent.claim(order)["verdict"] == "go"


def test_the_same_nonce_gets_the_same_ticket(server):
    agent = Agent(server, server.enrol_key("Acme"))
    approve(server, sent_incident(server, agent))
    order = agent.poll()["orders"][0]["order"]
    claim = agent.claim_envelope(order, secrets.token_hex(16))
    assert agent.ask("claim", claim).json() == agent.ask("claim", claim).json()


def test_a_cancelled_order_never_gets_a_go(server):
    agent = Agent(server, server.enrol_key("Acme"))
    incident = sent_incident(server, agent)
    approve(server, incident)
    order = agent.poll()["orders"][0]["order"]
    plan = json.loads(order["body"])["plan_id"]
    server.person("acme-technician").post(f"/api/orders/{plan}/cancel")
    assert agent.claim(order)["verdict"] == "cancelled"


def test_an_approval_of_a_superseded_revision_is_refused(server):
    agent = Agent(server, server.enrol_key("Acme"))
    incident = sent_incident(server, agent)
    answer = server.person("acme-technician").ask(
        "POST", f"/api/incidents/{incident['id']}/approve", {"digest": "00" * 32})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "stale"


def test_holds_many_polls_and_wakes_the_right_one(server):
    key = server.enrol_key("Acme", hosts=40)
    agents = [Agent(server, key, hostname=f"host-{n}") for n in range(40)]
    answers = {}
    threads = [threading.Thread(target=lambda one=one: answers.update({one.id: one.poll()}))
               for one in agents]
    for thread in threads:
        thread.start()
    time.sleep(1)
    analyst = server.person("acme-analyst")
    for agent in agents[::2]:
        analyst.post(f"/api/hosts/{agent.id}/survey")
    for thread in threads[::2]:
        thread.join(10)
    assert sorted(answers) == sorted(agent.id for agent in agents[::2])
    server.stop()  # ends the others' polls in good order
    for thread in threads:
        thread.join(10)
    assert len(answers) == 40
