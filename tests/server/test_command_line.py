"""`dislodge`, as a technician or a script uses it."""

import json
import os
import re
import sqlite3
import stat

import pytest

from bench import program
from bench.agent import Agent, foothold
from bench.server import PASSWORD


@pytest.fixture
def run(server, tmp_path):
    """run(words…, login=None) -> CompletedProcess; signs in first where a login is given."""
    home = tmp_path / "home"

    def call(*words, login=None, given="", check=True):
        environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": "",
                       "DISLODGE_SERVER": server.portal}
        if login:
            program.run("cli/dislodge", "login", login, given=PASSWORD + "\n", env=environment)
        return program.run("cli/dislodge", *words, given=given, check=check, env=environment)

    call.home = home
    return call


@pytest.fixture
def incident(server):
    """A report about one foothold, sent: (agent, id)."""
    agent = Agent(server, server.enrol_key("Acme"), hostname="web-1")
    agent.send_survey(foothold())
    analyst = server.person("acme-analyst")
    key = analyst.get(f"/api/hosts/{agent.id}/footholds")["items"][0]["key"]
    made = analyst.post(f"/api/hosts/{agent.id}/incidents", {
        "subject": "Red \x1b[31m and \u202e turned", "severity": "high", "summary": "one\ntwo",
        "recommendations": "Remove it.", "edit": {"keys": [key]}})
    analyst.post(f"/api/incidents/{made['id']}/send", {"digest": made["shown_revision"]["digest"]})
    return agent, made["id"]


def test_signing_in_keeps_the_token_from_others(run):
    run("hosts", login="acme-reader")
    path = run.home / ".config/dislodge/session.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert PASSWORD not in path.read_text()
    run("logout")
    assert not path.exists()
    assert run("hosts", check=False).returncode == 3


def test_a_wrong_password_is_exit_code_three(run):
    done = run("login", "acme-reader", given="a wrong password\n", check=False)
    assert done.returncode == 3
    assert "wrong" in done.stderr


def test_shows_hosts_and_footholds(run, incident):
    agent, _ = incident
    assert "web-1" in run("hosts", login="acme-reader").stdout
    shown = run("footholds", agent.id).stdout
    assert "systemd.service" in shown and "/etc/systemd/system/evil.service" in shown
    assert json.loads(run("footholds", agent.id, "--json").stdout)[0]["name"] == "evil.service"


def test_follows_a_list_to_its_end(run, server):
    key = server.enrol_key("Acme", hosts=1)
    agent = Agent(server, key)
    agent.send_survey(*[foothold(f"unit-{number:03}") for number in range(450)])
    assert len(json.loads(run("footholds", agent.id, "--json", login="acme-reader").stdout)) == 450


def test_shows_an_incident_without_its_control_characters(run, incident):
    _, number = incident
    shown = run("show", number, login="acme-technician").stdout
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "Red %1B[31m and %E2%80%AE turned" in shown
    assert "Remove it." in shown and "digest" in shown and "\n  two\n" in shown


def test_approves_what_was_shown_and_undoes_it(run, incident):
    agent, number = incident
    done = run("approve", number, check=False, login="acme-technician")
    assert done.returncode == 5 and "--yes" in done.stderr  # no terminal to ask on
    assert "open" in run("approve", number, "--yes").stdout
    order = agent.poll()["orders"][0]["order"]
    agent.claim(order)
    agent.result(order)
    agent.send_survey()
    assert "[removed]" in run("show", number).stdout
    assert run("undo", number, check=False).returncode == 2  # says neither yes nor no
    run("undo", number, "--legitimate", "no", "--comment", "it was ours")
    assert json.loads(agent.poll()["orders"][0]["order"]["body"])["kind"] == "undo"


def test_refuses_to_approve_another_digest(run, incident):
    _, number = incident
    done = run("approve", number, "--digest", "0" * 64, check=False, login="acme-technician")
    assert done.returncode == 5


def test_approves_only_the_steps_named(run, incident):
    agent, number = incident
    run("approve", number, "--steps", "1", "--reason", "too_risky", "--yes",
        login="acme-technician")
    assert json.loads(agent.poll()["orders"][0]["order"]["body"])["chosen"] == [1]


def test_rejects_with_a_reason(run, incident):
    _, number = incident
    assert run("reject", number, check=False, login="acme-technician").returncode == 2
    run("reject", number, "--reason", "other_means", "--comment", "uninstall it", "--useful", "no")
    shown = json.loads(run("show", number, "--json").stdout)
    assert shown["revision_state"] == "rejected"
    assert shown["decisions"][0]["comment"] == "uninstall it"
    assert shown["decisions"][0]["useful"] is False


def test_cancels_before_the_claim_only(run, incident):
    agent, number = incident
    run("approve", number, "--yes", login="acme-technician")
    run("cancel", number)
    assert run("cancel", number, check=False).returncode == 5


def test_lists_incidents_by_state(run, incident):
    _, number = incident
    items = json.loads(run("incidents", "--state", "open", "--json", login="acme-reader").stdout)
    assert [item["id"] for item in items] == [number]
    assert "no incidents" in run("incidents", "--state", "closed").stdout


def test_a_reader_may_not_approve(run, incident):
    _, number = incident
    assert run("approve", number, "--yes", check=False, login="acme-reader").returncode == 3


def test_another_organizations_incident_is_not_found(run, incident):
    _, number = incident
    done = run("show", number, check=False, login="borg-technician")
    assert done.returncode == 4
    missing = run("show", 999999, check=False)
    assert (done.returncode, done.stderr) == (missing.returncode, missing.stderr)


def test_shows_and_verifies_the_audit(run, server, incident):
    assert "revision.sent" in run("audit", login="acme-reader").stdout
    assert run("audit", "verify", check=False).returncode == 3
    server.add_user("root", "administrator")
    assert "whole" in run("audit", "verify", login="root").stdout


def test_refuses_an_audit_that_was_cut_at_its_end(run, server):
    server.stop()
    events = int(re.search(r"whole: (\d+) events, \1 of them anchored",
                           server.command("audit", "verify").stdout)[1])
    with sqlite3.connect(f"{server.data}/dislodge.db") as store:
        store.execute("DROP TRIGGER audit_keeps_rows")
        store.execute("DELETE FROM audit WHERE id > ?", [events - 2])
    done = server.command("audit", "verify", check=False)
    assert done.returncode != 0
    assert f"at event {events - 1}: events from this one on were cut off" in done.stderr


def test_says_when_there_is_no_server(run, server):
    run("hosts", login="acme-reader")
    server.stop()
    done = run("hosts", check=False)
    assert done.returncode == 6


def test_does_not_send_a_password_in_the_clear_to_another_machine(run):
    done = run("login", "acme-reader", "--server", "http://192.0.2.1:8080", given="x\n", check=False)
    assert done.returncode == 3
    assert "https" in done.stderr


def test_shows_what_a_step_touches_before_anybody_says_yes(run, incident):
    _, number = incident
    shown = run("show", number, login="acme-technician").stdout
    for fact in ("/etc/systemd/system/evil.service", "mode 0644", "sha256 ", "revision     1, sent"):
        assert fact in shown, shown


def test_shows_where_a_link_leads(run, server):
    agent = Agent(server, server.enrol_key("Acme"))
    linked = foothold()
    payload = linked["objects"][1]
    payload |= {"type": "symlink", "link_target": "/opt/evil/real"}
    del payload["sha256"]
    linked["objects"].append({**linked["objects"][0], "role": "payload", "path": "/opt/evil/real"})
    agent.send_survey(linked)
    analyst = server.person("acme-analyst")
    made = analyst.post(f"/api/hosts/{agent.id}/incidents", {
        "subject": "It starts", "severity": "high", "summary": "", "recommendations": "",
        "edit": {"keys": [linked["key"]]}})
    shown = run("show", made["id"], login="acme-analyst").stdout
    assert "symlink" in shown and "leads to /opt/evil/real" in shown, shown


def test_names_the_words_that_it_knows(run, incident):
    _, number = incident
    run("hosts", login="acme-technician")
    assert "open, resolved or closed" in run("incidents", "--state", "opn", check=False).stderr
    assert "no command 'fly'" in run("fly", check=False).stderr
    refused = run("reject", number, "--reason", "dislike", check=False).stderr
    assert "not_malicious, incomplete" in refused


@pytest.mark.parametrize("words", [["--help"], ["approve", "--help"], ["help"], ["show", "-h"],
                                   ["--version"]])
def test_helps(run, words):
    done = run(*words)
    assert "dislodge" in done.stdout and not done.stderr


@pytest.mark.parametrize("words", [[], ["fly"], ["show"], ["show", "x"], ["show", "1", "2"],
                                   ["hosts", "--fly"], ["incidents", "--state", "a&b"],
                                   ["approve", "1", "--steps", "1,,2", "--digest", "x"]])
def test_wrong_usage_is_exit_code_two(run, words):
    run("hosts", login="acme-technician")
    assert run(*words, check=False).returncode == 2
