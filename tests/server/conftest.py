"""Fixtures of the server's tests: no hosts and no root are needed.

server    a running dislodged of its own for one test, with two organizations, Acme and Borg, and
          in each an administrator, an analyst, a technician and a reader: "acme-analyst" …
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bench.server import Server  # noqa: E402

ROLES = ["administrator", "analyst", "technician", "reader"]


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A data folder with organizations and people; making their passwords takes seconds."""
    made = Server(tmp_path_factory.mktemp("template"))
    for name in ["Acme", "Borg"]:
        made.add_organization(name)
        for role in ROLES:
            made.add_user(f"{name.lower()}-{role}", role, name)
    return made.data


@pytest.fixture
def server(tmp_path, template):
    made = Server(tmp_path, template)
    try:
        yield made.start()
        made.stop()
    finally:
        made.close()
