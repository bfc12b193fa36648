"""Signing in, roles, and what a token is good for."""

import threading

import pytest
import requests

from bench import program
from bench.server import PASSWORD


def login(server, name, password):
    return requests.post(server.portal + "/api/login", timeout=30,
                         json={"login": name, "password": password})


def test_a_right_password_opens_a_session(server):
    answer = login(server, "acme-analyst", PASSWORD)
    assert answer.status_code == 200
    session = answer.json()["session"]
    assert session["roles"] == ["analyst"]
    assert [one["name"] for one in session["organizations"]] == ["Acme"]
    assert len(answer.json()["token"]) == 64


def test_a_wrong_name_and_a_wrong_password_answer_alike(server):
    wrong_password = login(server, "acme-analyst", "not the password")
    wrong_name = login(server, "nobody-here", "not the password")
    assert wrong_password.status_code == wrong_name.status_code == 401
    assert wrong_password.json() == wrong_name.json()


def test_an_ended_session_is_ended_on_the_server(server):
    person = server.person("acme-analyst")
    assert person.ask("GET", "/api/session").status_code == 200
    person.post("/api/logout")
    assert person.ask("GET", "/api/session").status_code == 401


def test_every_sign_in_makes_a_new_token(server):
    assert server.person("acme-analyst").token != server.person("acme-analyst").token


@pytest.mark.parametrize("next_page, leads_to", [
    ("/incidents/7?revision=2", "/incidents/7?revision=2"), ("//evil.example/", "/"),
    ("/\t/evil.example", "/"), ("/a\\..\\\\evil.example", "/"), ("https://evil.example", "/"),
    ("/\x01", "/"),
])
def test_signing_in_leads_to_a_page_of_this_server_only(server, next_page, leads_to):
    answer = requests.post(server.portal + "/sign-in", timeout=30, allow_redirects=False,
                           data={"login": "acme-analyst", "password": PASSWORD, "next": next_page})
    assert answer.status_code == 303
    assert answer.headers["Location"] == leads_to


def test_the_api_does_not_look_at_cookies(server):
    person = server.person("acme-analyst")
    for name in ["dislodge", "__Host-dislodge"]:
        answer = requests.get(server.portal + "/api/session", cookies={name: person.token}, timeout=30)
        assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "bearer {}",
                                    "Bearer {} ", "Bearer {}0", "Bearer " + "0" * 64])
def test_refuses_a_header_that_is_no_session(server, header):
    person = server.person("acme-analyst")
    answer = requests.get(server.portal + "/api/session", timeout=30,
                          headers={"Authorization": header.format(person.token).strip("\n")})
    # a trailing blank is no part of a header's value (RFC 9110)
    assert answer.status_code == (200 if header == "Bearer {} " else 401)


def test_the_token_is_not_in_the_database(server):
    person = server.person("acme-analyst")
    server.stop()
    for name in ["dislodge.db", "dislodge.db-wal"]:
        try:
            with open(f"{server.data}/{name}", "rb") as file:
                data = file.read()
        except FileNotFoundError:
            continue
        assert person.token.encode() not in data
        assert PASSWORD.encode() not in data


def test_guessing_is_slowed_down(server):
    answers = [login(server, "acme-analyst", f"guess number {n}").status_code for n in range(8)]
    assert answers[:5] == [401] * 5
    assert 429 in answers[5:]


def test_guessing_does_not_lock_others_out(server):
    while login(server, "acme-analyst", "a wrong password").status_code != 429:
        pass
    assert login(server, "acme-technician", PASSWORD).status_code == 200


def test_guessing_elsewhere_does_not_lock_the_owner_out(server):
    """127.0.0.2 is another address of this machine."""
    with requests.Session() as elsewhere:
        elsewhere.mount("http://", _From("127.0.0.2"))
        while elsewhere.post(server.portal + "/api/login", timeout=30, json={
                "login": "acme-analyst", "password": "a wrong password"}).status_code != 429:
            pass
    assert login(server, "acme-analyst", PASSWORD).status_code == 200


class _From(requests.adapters.HTTPAdapter):
    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


def test_a_flood_of_sign_ins_is_refused_and_the_rest_is_served(server):
    """More at once than the pool takes: some are told to come back, none hangs."""
    person = server.person("acme-reader")
    statuses = []

    def guess(number):
        statuses.append(login(server, f"nobody-{number}", "a wrong password").status_code)

    threads = [threading.Thread(target=guess, args=[number]) for number in range(49)]
    for thread in threads:
        thread.start()
    assert person.ask("GET", "/api/session").status_code == 200
    for thread in threads:
        thread.join()
    assert len(statuses) == 49
    assert set(statuses) <= {401, 429}


def test_everyone_may_change_their_own_password_and_nobody_elses(server):
    reader, other = server.person("acme-reader"), server.person("acme-analyst")
    new = {"password": "another long password"}
    assert other.ask("POST", f"/api/users/{reader.id}/password", new).status_code in (403, 404)
    assert reader.ask("POST", f"/api/users/{reader.id}/password",
                      {**new, "current": PASSWORD}).status_code == 200
    assert login(server, "acme-reader", PASSWORD).status_code == 401
    assert login(server, "acme-reader", new["password"]).status_code == 200


def test_a_stolen_session_cannot_change_the_password(server):
    reader = server.person("acme-reader")
    path = f"/api/users/{reader.id}/password"
    new = {"password": "another long password"}
    assert reader.ask("POST", path, new).status_code == 403
    assert reader.ask("POST", path, {**new, "current": "a wrong one"}).status_code == 403
    while reader.ask("POST", path, {**new, "current": "a guess"}).status_code != 503:
        pass
    assert login(server, "acme-analyst", PASSWORD).status_code == 200


def test_a_new_password_ends_every_other_session(server):
    here, elsewhere = server.person("acme-reader"), server.person("acme-reader")
    assert here.ask("POST", f"/api/users/{here.id}/password", {
        "password": "another long password", "current": PASSWORD}).status_code == 200
    assert here.ask("GET", "/api/session").status_code == 200
    assert elsewhere.ask("GET", "/api/session").status_code == 401
    server.person("acme-administrator").post(f"/api/users/{here.id}/password",
                                             {"password": "yet another password"})
    assert here.ask("GET", "/api/session").status_code == 401


def test_refuses_a_short_password(server):
    person = server.person("acme-administrator")
    answer = person.ask("POST", "/api/users", {"login": "new", "name": "New", "password": "short",
                                               "memberships": []})
    assert answer.status_code == 400


def test_an_administrator_adds_a_user_who_can_sign_in(server):
    administrator = server.person("acme-administrator")
    organization = administrator.get("/api/organizations")["items"][0]["id"]
    administrator.post("/api/users", {"login": "new", "name": "New", "password": PASSWORD,
                                      "memberships": [{"organization": organization,
                                                       "role": "reader"}]})
    new = server.person("new")
    path = f"/api/users/{new.id}/memberships"
    assert administrator.ask("POST", path, {"organization": organization,
                                            "role": "technician"}).status_code == 200
    assert new.get("/api/session")["roles"] == ["reader", "technician"]
    assert administrator.ask(
        "DELETE", f"{path}?organization={organization}&role=technician").status_code == 200
    assert new.get("/api/session")["roles"] == ["reader"]


def test_an_administrator_of_one_organization_makes_none_of_all(server):
    administrator = server.person("acme-administrator")
    for membership in [{"organization": None, "role": "reader"}, {"organization": 2, "role": "reader"}]:
        answer = administrator.ask("POST", "/api/users", {
            "login": "new", "name": "New", "password": PASSWORD, "memberships": [membership]})
        assert answer.status_code in (403, 404)
    assert administrator.ask("POST", "/api/organizations", {"name": "Third"}).status_code == 403


def test_passwords_are_no_arguments(server):
    done = program.run("server/dislodged", "admin", "create", "--data", server.data,
                       "--login", "root", "--password", "x", check=False)
    assert done.returncode == 2


def test_a_made_up_password_works(server):
    words = server.command("admin", "create", "--login", "root").stdout
    password = words.split("password: ")[1].strip()
    root = server.person("root", password)
    assert root.get("/api/session")["roles"] == ["administrator"]
    assert root.get("/api/audit/verify")["ok"] is True


def test_refuses_plain_http_where_others_can_listen(server):
    done = program.run("server/dislodged", "serve", "--data", server.data, "--portal", "0.0.0.0:0",
                       check=False)
    assert done.returncode == 1
    assert "loopback" in done.stderr


def test_refuses_a_data_folder_open_to_others(tmp_path, server):
    server.stop()
    (tmp_path / "data").chmod(0o755)
    done = server.command("audit", "verify", check=False)
    assert done.returncode == 1
    assert "open to other users" in done.stderr
    (tmp_path / "data").chmod(0o700)
