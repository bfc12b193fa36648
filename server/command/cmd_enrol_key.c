#include "core/base/buf.h"
#include "core/base/time.h"
#include "server/auth/enrol_file.h"
#include "server/command/certificate.h"
#include "server/command/command.h"
#include "server/command/option.h"

#include <stdio.h>
#include <string.h>

enum { HOURS_MAX = 24 * 365, HOSTS_MAX = 100000, AGENT_PORT = 8443 };

struct options {
	const char *folder, *organization, *label, *server;
	int64_t hosts, hours;
};

static int options_read(int argc, char **argv, struct options *ret, struct dl_error *err)
{
	static const struct option known[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "organization", required_argument, NULL, 'o' },
		{ "hosts", required_argument, NULL, 'n' },
		{ "hours", required_argument, NULL, 'h' },
		{ "label", required_argument, NULL, 'l' },
		{ "server", required_argument, NULL, 's' },
		{ 0 },
	};
	int option, r = 0;

	while (r >= 0 && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'd': ret->folder = optarg; break;
		case 'o': ret->organization = optarg; break;
		case 'l': ret->label = optarg; break;
		case 's': ret->server = optarg; break;
		case 'n':
			r = dl_option_number("--hosts", optarg, 1, HOSTS_MAX, &ret->hosts, err);
			break;
		case 'h':
			r = dl_option_number("--hours", optarg, 1, HOURS_MAX, &ret->hours, err);
			break;
		default: r = dl_option_unknown(argv, err);
		}
	}
	if (r >= 0 && !ret->folder)
		r = dl_option_missing("--data", err);
	if (r >= 0 && !ret->organization)
		r = dl_option_missing("--organization", err);
	if (r >= 0 && ret->server && strncmp(ret->server, "https://", 8))
		r = dl_error_set(err, DL_E_INVALID, "--server must begin with https://");
	return r < 0 ? r : dl_option_no_more(argc, argv, err);
}

static int key_create(struct dl_desk *desk, const struct options *options, json_t **ret_key,
		      struct dl_error *err)
{
	struct dl_enrol_key_request create = {
		.label = options->label,
		.host_limit = options->hosts,
		.expires = dl_time_now_ms() + options->hours * 3600 * 1000,
	};

	int r = dl_desk_organization(desk, options->organization, &create.organization, err);
	if (r < 0)
		return r;
	struct dl_wait *wait = dl_wait_new();
	dl_store_enrol_key_create(desk->store, &dl_desk_actor, &create, dl_wait_done, wait);
	return dl_wait_end(wait, ret_key, err);
}

/* Where the certificate says the server is, on the usual port. */
static int url_from_certificate(const char *path, char **ret_url, struct dl_error *err)
{
	dl_autofree char *name = NULL;
	dl_autobuf url = DL_BUF_INIT;

	int r = dl_certificate_name(path, &name, err);
	if (r < 0)
		return r;
	dl_buf_printf(&url, strchr(name, ':') ? "https://[%s]:%d" : "https://%s:%d", name,
		      AGENT_PORT);
	*ret_url = dl_buf_take(&url);
	return 0;
}

static int file_print(const struct dl_data *data, const char *server, const json_t *key,
		      struct dl_error *err)
{
	dl_autofree char *pin = NULL, *url = NULL;

	int r = dl_certificate_pin(data->tls_certificate, &pin, err);
	if (r >= 0 && !server)
		r = url_from_certificate(data->tls_certificate, &url, err);
	if (r < 0)
		return r;
	struct dl_enrol_server where = {
		.url = server ? server : url,
		.root_key_id = data->root_key_id,
		.tls_pin = pin,
	};
	dl_autofree char *text = dl_enrol_file_text(&where, key);
	fputs(text, stdout);
	return 0;
}

static int enrol_key_run(int argc, char **argv, struct dl_error *err)
{
	struct options options = { .label = "command line", .hosts = 1, .hours = 24 };
	dl_autodesk desk = { 0 };
	dl_autojson *key = NULL;

	int r = options_read(argc, argv, &options, err);
	if (r >= 0)
		r = dl_desk_open(options.folder, &desk, err);
	if (r >= 0)
		r = key_create(&desk, &options, &key, err);
	return r < 0 ? r : file_print(desk.data, options.server, key, err);
}

const struct dl_command dl_command_enrol_key_create = {
	.name = "enrol-key create",
	.summary = "make a key that lets hosts join an organization, and print its file",
	.usage = "dislodged enrol-key create --data FOLDER --organization NAME [--hosts N] [--hours N]\n"
		 "                           [--label TEXT] [--server https://HOST:PORT]\n\n"
		 "Prints the file for `dislodge-agent enrol --key-file`. It is a secret: whoever has\n"
		 "it can add up to N hosts (default 1) until N hours (default 24) have passed. The\n"
		 "server's address is by default the certificate's first name, port 8443.\n",
	.run = enrol_key_run,
};
