"""Route × role × organization, generated from the server's own table of routes.

The question is always the same: does somebody of one organization learn anything about a thing of
the other? Its ids must answer exactly like ids that nobody has.
"""

import hashlib
import json
import re
import secrets

import pytest
import requests

from bench import program
from bench.agent import Agent, foothold
from bench.server import PASSWORD
from conftest import ROLES
from test_agent import sent_incident

NOBODYS = {"id": "999999", "step": "1", "plan": "0" * 32, "key": "0" * 32, "user": "999999"}

# What a route's body must look like to get past the schema.
REPORT = {"subject": "x", "severity": "low", "summary": "", "recommendations": "",
          "edit": {"keys": ["0" * 64]}}
BODIES = {
    "/api/organizations/{id}/enrol-keys": {"label": "x", "host_limit": 1, "expires": 4102444800000},
    "/api/users/{id}/password": {"password": "another long password", "current": PASSWORD},
    "/api/users/{id}/memberships": {"organization": 1, "role": "reader"},
    "/api/hosts/{id}/preview": REPORT,
    "/api/hosts/{id}/incidents": REPORT,
    "/api/incidents/{id}/draft": REPORT,
    "/api/incidents/{id}/send": {"digest": "0" * 64},
    "/api/incidents/{id}/approve": {"digest": "0" * 64},
    "/api/incidents/{id}/reject": {"digest": "0" * 64, "reason": "other", "useful": True},
    "/api/incidents/{id}/steps/{step}/done": {"note": "x"},
    "/api/incidents/{id}/close": {"reason": "false_positive"},
    "/api/orders/{plan}/undo": {"legitimate": True},
}
QUERIES = {("DELETE", "/api/users/{id}/memberships"): "?role=reader&organization=1"}


def routes():
    return json.loads(program.run("server/dislodged", "routes", "--json").stdout)


def bearer_routes():
    return [route for route in routes() if route["auth"] == "bearer"]


@pytest.fixture
def world(server):
    """Acme's things, with the digest and ids that Borg's people will try."""
    agent = Agent(server, server.enrol_key("Acme"))
    Agent(server, server.enrol_key("Borg"), hostname="borg-host")
    agent.send_survey(foothold())
    analyst, technician = server.person("acme-analyst"), server.person("acme-technician")
    key = analyst.get(f"/api/hosts/{agent.id}/footholds")["items"][0]["key"]
    incident = analyst.post(f"/api/hosts/{agent.id}/incidents",
                            {**REPORT, "edit": {"keys": [key], "manual": [
                                {"title": "x", "instructions": "by hand"}]}})
    incident = analyst.post(f"/api/incidents/{incident['id']}/send",
                            {"digest": incident["shown_revision"]["digest"]})
    technician.post(f"/api/incidents/{incident['id']}/approve",
                    {"digest": incident["shown_revision"]["digest"]})
    order = agent.poll()["orders"][0]["order"]
    enrol_key = server.enrol_key("Acme")
    return {"host": agent.id, "incident": incident["id"], "user": technician.id,
            "organization": 1, "plan": json.loads(order["body"])["plan_id"],
            "enrol_key": enrol_key["key_id"], "foothold": key, "order": order,
            "manual_step": next(step["id"] for step in incident["steps_view"]
                                if not step["assisted"]),
            "digest": incident["shown_revision"]["digest"]}


def path_with(pattern, ids):
    return re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), pattern)


def acmes_ids(pattern, world):
    kinds = {"organizations": "organization", "users": "user", "hosts": "host",
             "incidents": "incident"}
    first = pattern.removeprefix("/api").split("/")[1]
    return {"id": world[kinds[first]] if "{id}" in pattern else None, "step": 1,
            "plan": world["plan"], "key": world["enrol_key"]}


def body_with(route, world=None):
    """Acme's own digest and foothold, where there are some: a guess that hits."""
    if route["method"] in ("GET", "DELETE"):
        return None
    text = json.dumps(BODIES.get(route["pattern"], {}))
    if world:
        text = text.replace('["' + "0" * 64, '["' + world["foothold"])
        text = text.replace('"' + "0" * 64, '"' + world["digest"])
    return json.loads(text)


def ask(person, route, ids, world=None):
    path = path_with(route["pattern"], ids)
    path += QUERIES.get((route["method"], route["pattern"]), "")
    answer = person.ask(route["method"], path, body_with(route, world))
    return answer.status_code, answer.json()


def test_the_matrix_covers_every_route_with_a_body(server):
    """A new route must say what its body looks like, or the matrix tests only its schema."""
    person = server.person("acme-administrator")
    patterns = {route["pattern"] for route in bearer_routes()}
    assert set(BODIES) <= patterns
    for route in bearer_routes():
        if "{" in route["pattern"] and "administrator" in route["roles"]:
            status, answer = ask(person, route, NOBODYS)
            assert status != 400, (route, answer)


def test_others_things_answer_like_missing_ones(server, world):
    tried = 0
    for role in ROLES:
        person = server.person(f"borg-{role}")
        for route in bearer_routes():
            if "{" not in route["pattern"]:
                continue
            others = ask(person, route, acmes_ids(route["pattern"], world), world)
            missing = ask(person, route, NOBODYS)
            assert others == missing, (role, route)
            assert others[0] == (404 if role in route["roles"] else 403), (role, route, others)
            tried += 1
    assert tried >= 4 * 15


def page(person, route, ids, world):
    """Status and text, without what was asked for: its path and ids."""
    reason = "false_positive" if route["pattern"].endswith("/close") else "other"
    fields = {"digest": world["digest"], "step": "1", "reason": reason, "comment": "x", "note": "x",
              "useful": "1", "legitimate": "1", "subject": "x", "severity": "low", "summary": "",
              "recommendations": "", "key": world["foothold"]}
    path = path_with(route["pattern"], ids)
    answer = person.browse(route["method"], path, fields)
    text = answer.text.replace(path, "PATH")
    for name, value in ids.items():
        text = re.sub(rf"\b{value}\b", name, text) if len(str(value)) > 4 else text
    return answer.status_code, text


def test_others_things_look_like_missing_ones_in_the_portal(server, world):
    tried = 0
    for role in ROLES:
        person = server.person(f"borg-{role}")
        for route in routes():
            if route["auth"] != "session" or "{" not in route["pattern"]:
                continue
            status, others = page(person, route, acmes_ids(route["pattern"], world), world)
            missing = page(person, route, NOBODYS, world)
            assert others.splitlines() == missing[1].splitlines(), (role, route)
            wanted = 404 if role in route["roles"] else 403
            assert (status, missing[0]) == (wanted, wanted), (role, route)
            tried += 1
    assert tried >= 4 * 10


@pytest.mark.parametrize("role", ROLES)
def test_ones_own_things_answer_each_admitted_role(server, world, role):
    """Else a 404 for others' things would prove nothing: the same questions, asked at home."""
    person = server.person(f"acme-{role}")
    tried = 0
    for route in bearer_routes():
        if "{" not in route["pattern"] or role not in route["roles"]:
            continue
        ids = acmes_ids(route["pattern"], world)
        ids["step"] = world["manual_step"]
        if route["pattern"] == "/api/users/{id}/password" and role != "administrator":
            ids["id"] = person.id  # only an administrator sets another's
        status, answer = ask(person, route, ids, world)
        assert status in (200, 409), (route, answer)  # 409: not in this state
        tried += 1
    assert tried >= (3 if role == "reader" else 8)


@pytest.mark.parametrize("role", ROLES)
def test_ones_own_things_show_to_each_admitted_role_in_the_portal(server, world, role):
    person = server.person(f"acme-{role}")
    tried = 0
    for route in routes():
        if route["auth"] != "session" or "{id}" not in route["pattern"]:
            continue
        if role not in route["roles"]:
            continue
        ids = acmes_ids(route["pattern"], world)
        ids["step"] = world["manual_step"]
        status, text = page(person, route, ids, world)
        assert status in (200, 303, 409), (route, text)
        tried += 1
    assert tried >= 6


# What a page does is what a call of the API does; its GET shows the form for it.
TWINS = {
    "/sign-out": ("POST", "/api/logout"),
    "/": ("GET", "/api/incidents"),
    "/hosts": ("GET", "/api/hosts"),
    "/hosts/{id}": ("GET", "/api/hosts/{id}"),
    "/hosts/{id}/survey": ("POST", "/api/hosts/{id}/survey"),
    "/hosts/{id}/confirm": ("POST", "/api/hosts/{id}/confirm"),
    "/hosts/{id}/compose": ("POST", "/api/hosts/{id}/incidents"),
    "/incidents/{id}": ("GET", "/api/incidents/{id}"),
    "/incidents/{id}/footholds": ("GET", "/api/incidents/{id}"),
    "/incidents/{id}/remediations": ("GET", "/api/incidents/{id}"),
    "/incidents/{id}/activity": ("GET", "/api/incidents/{id}"),
    "/incidents/{id}/compose": ("PUT", "/api/incidents/{id}/draft"),
    "/incidents/{id}/send": ("POST", "/api/incidents/{id}/send"),
    "/incidents/{id}/review": ("GET", "/api/incidents/{id}"),
    "/incidents/{id}/approve": ("POST", "/api/incidents/{id}/approve"),
    "/incidents/{id}/reject": ("POST", "/api/incidents/{id}/reject"),
    "/incidents/{id}/steps/{step}/done": ("POST", "/api/incidents/{id}/steps/{step}/done"),
    "/incidents/{id}/orders/{plan}/cancel": ("POST", "/api/orders/{plan}/cancel"),
    "/incidents/{id}/orders/{plan}/undo": ("POST", "/api/orders/{plan}/undo"),
    "/incidents/{id}/close": ("POST", "/api/incidents/{id}/close"),
    "/audit": ("GET", "/api/audit"),
    "/audit/verify": ("GET", "/api/audit/verify"),
}


def test_a_page_and_its_twin_in_the_api_admit_the_same_roles():
    api = {(route["method"], route["pattern"]): route["roles"] for route in bearer_routes()}
    pages = [route for route in routes() if route["auth"] == "session"]
    assert {route["pattern"] for route in pages} == set(TWINS)
    for route in pages:
        assert route["roles"] == api[TWINS[route["pattern"]]], route


def test_an_administrator_gets_no_button_to_decide_or_compose(server):
    """Of a host and a report that wait for exactly that; who may is shown the buttons."""
    incident = sent_incident(server, Agent(server, server.enrol_key("Acme"), hostname="web"))
    server_pages = {"analyst": (f"/hosts/{incident['host']['id']}", "Open incident report"),
                    "technician": (f"/incidents/{incident['id']}/review", "Reject the report")}
    administrator = server.person("acme-administrator")
    for role, (path, button) in server_pages.items():
        assert button in server.person(f"acme-{role}").browse("GET", path).text
        shown = administrator.browse("GET", path)
        assert shown.status_code == 200 and button not in shown.text
    for tab in ["", "/footholds", "/remediations", "/activity", "/review"]:
        text = administrator.browse("GET", f"/incidents/{incident['id']}{tab}").text
        assert buttons(text) <= {"Sign out"}, tab


def buttons(text):
    """The words on the buttons of a page."""
    found = re.findall(r"<button[^>]*>(.*?)</button>", text, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", words).strip() for words in found}


def agent_routes():
    return [route["pattern"] for route in routes() if route["auth"] == "agent"]


def test_an_agent_learns_nothing_of_other_agents_orders(server, world):
    """Another organization's plan answers the same as one that nobody made."""
    assert set(agent_routes()) == {"/agent/v1/poll", "/agent/v1/claim", "/agent/v1/records"}
    for organization in ["Acme", "Borg"]:
        agent = Agent(server, server.enrol_key(organization), hostname=f"second-{organization}")
        theirs, nobodys = world["order"], order_of_nobody(world["order"])

        claims = [agent.ask("claim", agent.claim_envelope(order, "7" * 32))
                  for order in (theirs, nobodys)]
        assert [answer.status_code for answer in claims] == [404, 404], claims[0].text
        assert claims[0].text == claims[1].text

        results = [agent.ask("records", {"records": [agent.record("result", {
            "plan_id": json.loads(order["body"])["plan_id"], "kind": "remove", "state": "refused",
            "reason": "wrong_target", "detail": "", "runs": []})]}) for order in (theirs, nobodys)]
        assert results[0].status_code == results[1].status_code == 200
        assert [answer.json() for answer in results] == [{"acked_through": 1}, {"acked_through": 2}]

        polls = []
        for order in (theirs, nobodys):
            server.person(f"{organization.lower()}-analyst").post(f"/api/hosts/{agent.id}/survey")
            polls.append(agent.poll(held=[json.loads(order["body"])["plan_id"]]))
        assert polls[0] == polls[1] and polls[0]["orders"] == []
    order = server.person("acme-reader").get(f"/api/incidents/{world['incident']}")["orders"][0]
    assert order["state"] == "queued"


def order_of_nobody(order):
    body = json.loads(order["body"])
    body["plan_id"] = hashlib.sha256(b"nobody's").hexdigest()[:32]
    return {**order, "body": json.dumps(body)}


def test_nothing_was_changed_by_all_that(server, world):
    incident = server.person("acme-reader").get(f"/api/incidents/{world['incident']}")
    before = (incident["state"], incident["revision"], incident["revision_state"])
    test_others_things_answer_like_missing_ones(server, world)
    test_others_things_look_like_missing_ones_in_the_portal(server, world)
    incident = server.person("acme-reader").get(f"/api/incidents/{world['incident']}")
    assert (incident["state"], incident["revision"], incident["revision_state"]) == before
    assert server.person("acme-technician").id == world["user"]
    events = server.person("acme-reader").get("/api/audit?limit=200")["items"]
    assert not [event for event in events if event["actor"]["name"].startswith("borg-")]


def test_lists_hold_nothing_of_others(server, world):
    filters = ["", f"?organization={world['organization']}", f"?host={world['host']}",
               f"?incident={world['incident']}"]
    for role in ROLES:
        person = server.person(f"borg-{role}")
        for route in bearer_routes():
            if route["method"] != "GET" or "{" in route["pattern"] or role not in route["roles"]:
                continue
            for words in filters:
                answer = person.ask("GET", route["pattern"] + words)
                text = answer.text
                assert "Acme" not in text and "acme" not in text, (role, route, words)
                assert world["plan"] not in text and world["digest"] not in text
                assert '"host"' not in text or "borg-host" in text or not json.loads(text).get("items")


def test_a_route_admits_exactly_the_roles_it_names(server):
    for role in ROLES:
        person = server.person(f"acme-{role}")
        for route in bearer_routes():
            if route["pattern"] == "/api/logout":
                continue
            status, answer = ask(person, route, NOBODYS)
            if role not in route["roles"]:
                assert (status, answer["error"]["code"]) == (403, "denied"), (role, route)
            elif "{" in route["pattern"]:
                assert status in (403, 404), (role, route, answer)


def test_nobody_gets_in_without_a_proof(server, world):
    """Every route but those that ask for none; with a made-up token and without any."""
    for route in routes():
        if route["auth"] == "none":
            continue
        base = server.agents if route["auth"] == "agent" else server.portal
        path = re.sub(r"\{\w+\*?\}", "1", route["pattern"])
        for headers in [{}, {"Authorization": "Bearer " + secrets.token_hex(32)}]:
            answer = requests.request(route["method"], base + path, headers=headers, timeout=30,
                                      allow_redirects=False, verify=server.certificate)
            wanted = {"bearer": (401,), "agent": (401,), "session": (303, 401, 403)}[route["auth"]]
            assert answer.status_code in wanted, route
            assert "acme" not in answer.text.lower()


def test_every_session_route_that_changes_something_wants_the_csrf_token(server):
    tried = 0
    for role in ROLES:
        token = server.person(f"acme-{role}").token
        for route in routes():
            if route["auth"] != "session" or route["method"] == "GET" or role not in route["roles"]:
                continue
            path = re.sub(r"\{\w+\*?\}", "1", route["pattern"])
            for data in [{}, {"csrf": "0" * 64}]:
                answer = requests.request(route["method"], server.portal + path, data=data, timeout=30,
                                          cookies={"dislodge": token}, allow_redirects=False)
                assert answer.status_code == 403, (role, route)
            tried += 1
    assert tried or not [route for route in routes() if route["auth"] == "session"]


def test_every_answer_carries_the_security_headers(server):
    for route in routes():
        base = server.agents if route["auth"] == "agent" or "/agent/" in route["pattern"] else server.portal
        path = re.sub(r"\{\w+\*?\}", "1", route["pattern"])
        answer = requests.request(route["method"], base + path, timeout=30, allow_redirects=False,
                                  verify=server.certificate)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy, route
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"]
        assert ("Strict-Transport-Security" in answer.headers) == base.startswith("https")
