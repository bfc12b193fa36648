"""tools/check-includes is itself checked: with trees that break one rule each, and with one that breaks none."""

import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-includes"

GOOD = {
    "core/base/error.c": '#include "core/base/error.h"\n#include <string.h>\n',
    "core/base/error.h": "#include <stddef.h>\n",
    "core/base/clock_windows.c": "#include <windows.h>\n",
    "core/json/json.h": '#include "core/base/error.h"\n#include <jansson.h>\n',
    "core/plan/plan.c": '#include "core/json/json.h"\n  #  include "core/crypto/sha256.h"\n',
    "agent/main.c": '#include "agent/link/link.h"\n#include "agent/executor/executor.h"\n#include <unistd.h>\n',
    "agent/survey/unit.c": '#include "agent/survey/survey.h"\n#include "agent/platform/host.h"\n',
    "agent/platform/linux/unit.c": '#include "agent/platform/host.h"\n#include <sys/stat.h>\n#include <systemd/sd-bus.h>\n',
    "agent/executor/work.c": '#include "agent/remedy/remedy.h"\n#include <poll.h>\n',
    "agent/journal/database.c": "#include <sqlite3.h>\n",
    "server/http/loop.c": '#include <event2/event.h>\n#include "server/log.h"\n',
    "server/log.c": '#include "server/log.h"\n',
    "server/main.c": '#include "server/api/api.h"\n#include "server/portal/page.h"\n',
    "server/auth/password.c": "#include <argon2.h>\n",
    "cli/cmd_show.c": '#include "cli/command.h"\n#include "core/plan/plan.h"\n#include <curl/curl.h>\n',
}

# file, its line, a piece of the rule that must be named
BAD = {
    "core_includes_agent": ("core/plan/plan.c", '#include "agent/platform/host.h"', "core/plan knows"),
    "base_includes_json": ("core/base/buf.c", '#include "core/json/json.h"', "includes nothing of ours"),
    "base_includes_jansson": ("core/base/buf.c", "#include <jansson.h>", "<jansson.h> is known to"),
    "core_includes_an_os_header": ("core/plan/plan.c", "#include <unistd.h>", "operating system"),
    "crypto_includes_a_windows_header_outside_its_body": ("core/crypto/sign.c", "#include <windows.h>", "operating system"),
    "survey_includes_a_platform_body": ("agent/survey/unit.c", '#include "agent/platform/linux/root.h"', "reading face"),
    "survey_includes_the_writing_face": ("agent/survey/unit.c", '#include "agent/platform/change.h"', "reading face"),
    "survey_includes_dirent": ("agent/survey/cron.c", "#include <dirent.h>", "operating system"),
    "remedy_includes_fcntl": ("agent/remedy/line.c", "#include <fcntl.h>", "operating system"),
    "remedy_includes_link": ("agent/remedy/line.c", '#include "agent/link/link.h"', "a remedy knows"),
    "executor_includes_link": ("agent/executor/work.c", '#include "agent/link/call.h"', "never includes link"),
    "link_includes_remedy": ("agent/link/poll.c", '#include "agent/remedy/remedy.h"', "link carries"),
    "link_talks_to_systemd": ("agent/link/poll.c", '#include "agent/platform/control.h"', "link carries"),
    "link_includes_the_host": ("agent/link/poll.c", '#include "agent/platform/host.h"', "link carries"),
    "agent_includes_server": ("agent/main.c", '#include "server/store/store.h"', "never includes server"),
    "server_includes_agent": ("server/main.c", '#include "agent/journal/journal.h"', "never includes agent"),
    "a_new_agent_folder_joins_halves": ("agent/glue/glue.c", '#include "agent/link/link.h"', "needs a row"),
    "api_includes_portal": ("server/api/report.c", '#include "server/portal/page.h"', "never include each other"),
    "portal_includes_api": ("server/portal/page.c", '#include "server/api/report.h"', "never include each other"),
    "auth_includes_portal": ("server/auth/session.c", '#include "server/portal/page.h"', "only server/main.c"),
    "cli_includes_server": ("cli/main.c", '#include "server/http/http.h"', "the command line knows"),
    "sqlite_in_the_portal": ("server/portal/page.c", "#include <sqlite3.h>", "<sqlite3.h> is known to"),
    "libevent_in_the_store": ("server/store/store.c", "#include <event2/event.h>", "<event2/> is known to"),
    "curl_in_the_executor": ("agent/executor/work.c", "#include <curl/curl.h>", "<curl/> is known to"),
    "postgres_anywhere": ("server/store/postgres.c", "#include <libpq-fe.h>", "nobody yet"),
    "an_include_relative_to_the_file": ("core/base/buf.c", '#include "error.h"', "from the root"),
    "an_include_that_climbs": ("core/base/buf.c", '#include "core/base/../../agent/x.h"', "from the root"),
    "a_macro_as_include": ("core/base/buf.c", "#include HEADER", "quotes or brackets"),
    "an_included_body": ("core/base/buf.c", '#include "core/base/error.c"', "compiled, never included"),
    "a_header_breaks_it_as_a_body_would": ("core/wire/order.h", '#include "server/store/store.h"', "core/wire knows"),
}


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check(root):
    return subprocess.run([TOOL, root], capture_output=True, text=True, timeout=30)


def test_a_tree_that_keeps_the_rules_passes(tmp_path):
    plant(tmp_path, GOOD)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", BAD)
def test_catches(tmp_path, case):
    name, line, rule = BAD[case]
    plant(tmp_path, {**GOOD, name: f"/* first line */\n{line}\n"})
    done = check(tmp_path)
    assert done.returncode == 1
    broken = done.stdout.splitlines()[:-1]
    assert len(broken) == 1, done.stdout
    assert broken[0].startswith(f"{name}:2: {line}: ")
    assert rule in broken[0]


def test_an_empty_tree_is_no_success(tmp_path):
    assert check(tmp_path).returncode == 1
