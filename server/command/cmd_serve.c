#include "server/command/command.h"
#include "server/command/option.h"
#include "server/command/server.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int options_read(int argc, char **argv, struct dl_server_options *ret, struct dl_error *err)
{
	static const struct option known[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "portal", required_argument, NULL, 'p' },
		{ "portal-tls", no_argument, NULL, 't' },
		{ "agent", required_argument, NULL, 'a' },
		{ "agent-url", required_argument, NULL, 'u' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'd': ret->folder = optarg; break;
		case 'p': ret->portal = optarg; break;
		case 't': ret->portal_tls = true; break;
		case 'a': ret->agent = optarg; break;
		case 'u': ret->agent_url = optarg; break;
		default: return dl_option_unknown(argv, err);
		}
	}
	if (!ret->folder)
		return dl_option_missing("--data", err);
	if (ret->agent_url && strncmp(ret->agent_url, "https://", 8))
		return dl_error_set(err, DL_E_INVALID, "--agent-url must begin with https://");
	return dl_option_no_more(argc, argv, err);
}

/* Keys and tokens are in this process's memory: no core file. */
static void keep_secrets_in_memory(void)
{
	struct rlimit none = { 0 };

	setrlimit(RLIMIT_CORE, &none);
	umask(077);
}

static int serve_run(int argc, char **argv, struct dl_error *err)
{
	struct dl_server_options options = { .portal = "127.0.0.1:8080", .agent = "127.0.0.1:8443" };
	dl_auto(dl_server) server = NULL;

	keep_secrets_in_memory();
	int r = options_read(argc, argv, &options, err);
	if (r >= 0)
		r = dl_server_new(&options, &server, err);
	return r < 0 ? r : dl_server_run(server, err);
}

const struct dl_command dl_command_serve = {
	.name = "serve",
	.summary = "run the server",
	.usage = "dislodged serve --data FOLDER [--portal ADDRESS:PORT] [--portal-tls]\n"
		 "                [--agent ADDRESS:PORT] [--agent-url https://HOST:PORT]\n\n"
		 "Portal and API listen on 127.0.0.1:8080 unless told otherwise; on any other than a\n"
		 "loopback address only with --portal-tls. Agents are served over TLS on\n"
		 "127.0.0.1:8443. --agent-url is what enrolment keys made by the API name.\n"
		 "SIGTERM ends it in good order.\n",
	.run = serve_run,
};
