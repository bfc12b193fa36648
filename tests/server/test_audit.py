"""Every act leaves its event: who did what to which thing. The table is docs/api.md's own list."""

import json
import pathlib
import re
import sqlite3
import time

import pytest
import requests

from bench.agent import Agent, foothold
from bench.server import PASSWORD
from test_agent import approve, sent_incident

API = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"


class Story:
    """A server on which the acts of the table happen; each leaves actor, object and incident."""

    def __init__(self, server):
        self.server = server
        self.everybody = server.person("chief")
        self.incident = None

    def person(self, role):
        return self.server.person(f"acme-{role}")

    def agent(self, **options):
        return Agent(self.server, self.server.enrol_key("Acme"), **options)

    def sent(self):
        """A sent report about a fresh host's foothold."""
        self.host = self.agent()
        self.incident = sent_incident(self.server, self.host)
        return self.incident

    def ordered(self):
        """An approved one, with the order as its host gets it."""
        approve(self.server, self.sent())
        self.order = self.host.poll()["orders"][0]["order"]
        self.plan = json.loads(self.order["body"])["plan_id"]
        return self.order

    def removed(self):
        self.ordered()
        self.host.claim(self.order)
        self.host.result(self.order)

    def path(self, rest=""):
        return f"/api/incidents/{self.incident['id']}{rest}"

    def by(self, role):
        return {"kind": "user", "name": f"acme-{role}"}

    def of_host(self):
        return {"kind": "agent", "id": self.host.id}

    def of_incident(self):
        return f"incident {self.incident['id']}"


SYSTEM = {"kind": "system"}


def user_added(story):
    user = story.everybody.post("/api/users", {
        "login": "new", "name": "New", "password": PASSWORD, "memberships": [
            {"organization": 1, "role": "reader"}]})
    return {"kind": "user", "name": "chief"}, f"user {user['id']}"


def user_password(story):
    reader = story.person("reader")
    story.everybody.post(f"/api/users/{reader.id}/password", {"password": PASSWORD + "!"})
    return {"kind": "user", "name": "chief"}, f"user {reader.id}"


def membership_added(story):
    reader = story.person("reader")
    story.everybody.post(f"/api/users/{reader.id}/memberships",
                         {"organization": 2, "role": "reader"})
    return {"kind": "user", "name": "chief"}, f"user {reader.id}"


def membership_removed(story):
    reader = story.person("reader")
    answer = story.everybody.ask("DELETE", f"/api/users/{reader.id}/memberships"
                                           "?organization=1&role=reader")
    assert answer.status_code == 200
    return {"kind": "user", "name": "chief"}, f"user {reader.id}"


def login_accepted(story):
    story.person("reader")
    return story.by("reader"), ""


def login_refused(story):
    requests.post(story.server.portal + "/api/login", timeout=30,
                  json={"login": "acme-reader", "password": "a guess"})
    return None, "acme-reader"


def logout(story):
    story.person("reader").post("/api/logout")
    return story.by("reader"), ""


def organization_added(story):
    story.everybody.post("/api/organizations", {"name": "Corp"})
    return {"kind": "user", "name": "chief"}, "Corp"


def enrol_key_created(story):
    key = story.person("administrator").post("/api/organizations/1/enrol-keys", {
        "label": "x", "host_limit": 1, "expires": 4102444800000})
    return story.by("administrator"), key["id"]


def enrol_key_revoked(story):
    key = story.server.enrol_key("Acme")["key_id"]
    assert story.person("administrator").ask("DELETE", f"/api/enrol-keys/{key}").status_code == 200
    return story.by("administrator"), key


def agent_enrolled(story):
    story.host = story.agent()
    return None, f"host {story.host.id}"


def agent_contested(story):
    first = story.agent(machine="77" * 32)
    story.host = story.agent(machine="77" * 32)
    return None, {f"host {first.id}", f"host {story.host.id}"}


def agent_confirmed(story):
    agent_contested(story)
    story.person("administrator").post(f"/api/hosts/{story.host.id}/confirm")
    return story.by("administrator"), f"host {story.host.id}"


def agent_revoked(story):
    first = story.agent(machine="77" * 32)
    agent_confirmed(story)
    return story.by("administrator"), {f"host {first.id}", f"host {first.id + 1}"}


def agent_forked(story):
    story.host = story.agent()
    story.host.send_survey()
    story.host.seq -= 1  # a copy of the machine counts from where it was copied
    story.host.send(story.host.record("survey", {"other": True}))
    return story.of_host(), f"host {story.host.id}"


def record_refused(story):
    story.host = story.agent()
    story.host.send(story.host.record("survey", {"no": "survey"}))
    return story.of_host(), "survey"


def local(act):
    def does(story):
        story.host = story.agent()
        story.host.send(story.host.record("local", {
            "act": act, "plan_id": "ab" * 16, "of": "", "by": {"uid": 0, "login": "joe"}, "time": 1,
            "steps": [], "runs": [], "items": []}))
        return story.of_host(), f"host {story.host.id}"
    return does


def survey_requested(story):
    story.host = story.agent()
    story.person("technician").post(f"/api/hosts/{story.host.id}/survey")
    return story.by("technician"), f"host {story.host.id}"


def incident_created(story):
    story.sent()
    return story.by("analyst"), story.of_incident()


def incident_resolved(story):
    story.removed()
    story.host.send_survey()
    return None, story.of_incident()


def incident_reopened(story):
    incident_resolved(story)
    story.host.send_survey(foothold())  # it came back
    return None, story.of_incident()


def incident_closed(story):
    story.sent()
    story.person("analyst").post(story.path("/close"), {"reason": "false_positive"})
    return story.by("analyst"), story.of_incident()


def revision_sent(story):
    story.sent()
    return story.by("analyst"), story.of_incident()


def revision_approved(story):
    story.ordered()
    return story.by("technician"), story.of_incident()


def revision_rejected(story):
    story.sent()
    story.person("technician").post(story.path("/reject"), {
        "digest": story.incident["shown_revision"]["digest"], "reason": "other", "useful": True})
    return story.by("technician"), story.of_incident()


def revision_superseded(story):
    revision_rejected(story)
    analyst, shown = story.person("analyst"), story.incident["shown_revision"]
    draft = analyst.ask("PUT", story.path("/draft"), {
        **{name: shown[name] for name in ("severity", "summary", "recommendations", "edit")},
        "subject": "Said better"}).json()
    analyst.post(story.path("/send"), {"digest": draft["shown_revision"]["digest"]})
    return story.by("analyst"), story.of_incident()


def step_manual_done(story):
    story.host = story.agent()
    story.host.send_survey(foothold())
    analyst = story.person("analyst")
    key = analyst.get(f"/api/hosts/{story.host.id}/footholds")["items"][0]["key"]
    story.incident = analyst.post(f"/api/hosts/{story.host.id}/incidents", {
        "subject": "x", "severity": "low", "summary": "", "recommendations": "",
        "edit": {"keys": [key], "manual": [{"title": "Ask them", "instructions": "by phone"}]}})
    analyst.post(story.path("/send"), {"digest": story.incident["shown_revision"]["digest"]})
    step = next(step for step in story.incident["steps_view"] if not step["assisted"])
    story.person("technician").post(story.path(f"/steps/{step['id']}/done"), {"note": "asked"})
    return story.by("technician"), story.of_incident()


def order_created(story):
    story.ordered()
    return story.by("technician"), story.plan


def order_claimed(story):
    story.ordered()
    story.host.claim(story.order)
    return story.of_host(), story.plan


def order_claim_refused(story):
    order = story.ordered()
    other = {**order, "body": order["body"].replace('"issued":', '"issued":1')}
    answer = story.host.ask("claim", story.host.claim_envelope(other, "7" * 32))
    assert answer.status_code == 403, answer.text
    return story.of_host(), story.plan


def order_finished(story):
    story.removed()
    return story.of_host(), story.plan


def order_refused(story):
    story.ordered()
    story.host.send(story.host.record("result", {
        "plan_id": story.plan, "kind": "remove", "state": "refused", "reason": "bad_signature",
        "detail": "", "runs": []}))
    return story.of_host(), story.plan


def order_cancelled(story):
    story.ordered()
    story.person("technician").post(f"/api/orders/{story.plan}/cancel")
    return story.by("technician"), story.plan


def order_expired(story):
    """Thirty days pass while the server is down."""
    story.ordered()
    story.server.stop()
    with sqlite3.connect(story.server.data + "/dislodge.db") as database:
        database.execute("UPDATE plan_order SET not_after = 1 WHERE plan_id = ?", [story.plan])
    story.server.start()
    assert story.host.claim(story.order)["verdict"] == "expired"
    return None, story.plan


ACTS = {act.__name__.replace("_", ".", 1): act for act in [
    user_added, user_password, membership_added, membership_removed, login_accepted, login_refused,
    organization_added, agent_enrolled, agent_contested, agent_confirmed, agent_revoked,
    agent_forked, record_refused, survey_requested, incident_created, incident_resolved,
    incident_reopened, incident_closed, revision_sent, revision_approved, revision_rejected,
    revision_superseded, step_manual_done, order_created, order_claimed, order_claim_refused,
    order_finished, order_refused, order_cancelled, order_expired]}
ACTS |= {"logout": logout, "enrol_key.created": enrol_key_created,
         "enrol_key.revoked": enrol_key_revoked, "local.applied": local("apply"),
         "local.undone": local("undo"), "local.restored": local("restore"),
         "local.purged": local("purge")}


def test_the_table_holds_every_action_that_is_documented():
    listed = API.read_text().split("\nActions: ")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z_.]+)`", listed)) == set(ACTS)


@pytest.mark.parametrize("action", ACTS)
def test_an_act_leaves_its_event_with_who_and_what(server, action):
    server.add_user("chief", "administrator")
    story = Story(server)
    before = newest(story)
    actor, target = ACTS[action](story)
    event = wait_event(story, action, before, target if isinstance(target, set) else {target})
    assert {name: event["actor"][name] for name in actor or {}} == (actor or {})
    if story.incident and target == story.of_incident():
        assert event["incident"] == story.incident["id"]
    assert event["time"] > 0 and story.everybody.get("/api/audit/verify")["ok"]


def wait_event(story, action, before, objects):
    """A refusal is written after it was answered: give it a moment."""
    end = time.monotonic() + 5
    while True:
        events = [event for event in story.everybody.get("/api/audit?limit=200")["items"]
                  if event["id"] > before and event["action"] == action]
        found = [event for event in events if event["object"] in objects]
        if found:
            return found[0]
        assert time.monotonic() < end, (objects, events)
        time.sleep(0.05)


def newest(story):
    return story.everybody.get("/api/audit?limit=1")["items"][0]["id"]
