"""Killed at any moment and started again: nothing is lost, nothing happens twice."""

import json
import secrets
import sqlite3
import threading
import time

import requests

from bench import program
from bench.agent import Agent, foothold
from test_agent import approve, sent_incident


def kill_and_start(server):
    server.kill()
    server.start()


def test_everything_acknowledged_is_there_after_a_kill(server):
    """At each stage of the first path the server dies right after its answer."""
    agent = Agent(server, server.enrol_key("Acme"))
    kill_and_start(server)
    incident = sent_incident(server, agent)
    kill_and_start(server)
    technician = server.person("acme-technician")
    path = f"/api/incidents/{incident['id']}"
    assert technician.get(path)["shown_revision"]["digest"] == incident["shown_revision"]["digest"]
    approve(server, incident)
    kill_and_start(server)
    assert technician.get(path)["steps_view"][0]["status"] == "queued"  # the session lives on too

    order = agent.poll()["orders"][0]["order"]
    nonce = secrets.token_hex(16)
    ticket = agent.claim(order, nonce)
    kill_and_start(server)
    assert agent.claim(order, nonce) == ticket
    assert technician.get(path)["steps_view"][0]["status"] == "running"

    agent.result(order)
    kill_and_start(server)
    assert technician.get(path)["steps_view"][0]["status"] == "removed"
    agent.send_survey()
    kill_and_start(server)
    assert technician.get(path)["state"] == "resolved"
    assert "whole" in server.command("audit", "verify").stdout


def test_a_record_sent_again_after_a_kill_counts_once(server):
    agent = Agent(server, server.enrol_key("Acme"))
    approve(server, sent_incident(server, agent))
    order = agent.poll()["orders"][0]["order"]
    agent.claim(order)
    body = json.loads(order["body"])
    record = agent.record("result", {
        "plan_id": body["plan_id"], "kind": "remove", "state": "finished", "reason": "", "detail": "",
        "runs": [{"step": step, "state": "removed", "reason": "", "detail": "",
                  "flags": {"still_running": [], "partial": False, "needs_reboot": False},
                  "evidence": [], "quarantine": [], "started": 1, "finished": 2}
                 for step in body["chosen"]]})
    assert agent.send(record) == agent.seq
    kill_and_start(server)
    assert agent.send(record) == agent.seq
    events = server.person("acme-reader").get("/api/audit?limit=200")["items"]
    assert [event["action"] for event in events].count("order.finished") == 1


def test_a_kill_under_load_loses_nothing_that_was_answered(server):
    """People and agents write until the server dies; what had its 200 is there afterwards."""
    agent = Agent(server, server.enrol_key("Acme"))
    agent.send_survey(foothold())
    analyst = server.person("acme-analyst")
    key = analyst.get(f"/api/hosts/{agent.id}/footholds")["items"][0]["key"]
    made = []

    def write(number):
        try:
            while True:
                answer = analyst.ask("POST", f"/api/hosts/{agent.id}/incidents", {
                    "subject": f"by {number}", "severity": "low", "summary": "",
                    "recommendations": "", "edit": {"keys": [key]}})
                if answer.status_code == 200:
                    made.append(answer.json()["id"])
        except requests.exceptions.RequestException:
            pass

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    server.kill()
    for thread in threads:
        thread.join()
    server.start()
    assert made
    for incident in made:
        assert analyst.ask("GET", f"/api/incidents/{incident}").status_code == 200
    assert "whole" in server.command("audit", "verify").stdout


def test_ends_in_good_order_while_polls_are_parked(server):
    agent = Agent(server, server.enrol_key("Acme"))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(agent.poll()))
    thread.start()
    time.sleep(0.5)
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 5
    thread.join(5)
    assert answers == [None]


def test_a_changed_audit_row_is_found(server):
    server.person("acme-analyst")
    server.stop()

    with sqlite3.connect(server.data + "/dislodge.db") as database:
        database.execute("DROP TRIGGER audit_keeps_content")  # who owns the file can do that
        database.execute("UPDATE audit SET address = '192.0.2.1' WHERE id = 2")
    done = server.command("audit", "verify", check=False)
    assert done.returncode == 1
    assert "event 2" in done.stderr


def test_commands_work_beside_the_running_server(server):
    server.add_organization("Corp")
    server.add_user("corp-analyst", "analyst", "Corp")
    session = server.person("corp-analyst").get("/api/session")
    assert [one["name"] for one in session["organizations"]] == ["Corp"]


def test_init_does_not_overwrite_a_server(server):
    done = program.run("server/dislodged", "init", "--data", server.data, check=False)
    assert done.returncode == 1
    assert "holds a server already" in done.stderr
