/* admin create, user create, organization create */
#include "server/auth/password.h"
#include "server/command/command.h"
#include "server/command/option.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *folder, *login, *name, *organization, *role;
	bool all, password_stdin;
};

static int options_read(int argc, char **argv, struct options *ret, struct dl_error *err)
{
	static const struct option known[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "login", required_argument, NULL, 'l' },
		{ "name", required_argument, NULL, 'n' },
		{ "organization", required_argument, NULL, 'o' },
		{ "all", no_argument, NULL, 'a' },
		{ "role", required_argument, NULL, 'r' },
		{ "password-stdin", no_argument, NULL, 'p' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'd': ret->folder = optarg; break;
		case 'l': ret->login = optarg; break;
		case 'n': ret->name = optarg; break;
		case 'o': ret->organization = optarg; break;
		case 'a': ret->all = true; break;
		case 'r': ret->role = optarg; break;
		case 'p': ret->password_stdin = true; break;
		default: return dl_option_unknown(argv, err);
		}
	}
	if (!ret->folder)
		return dl_option_missing("--data", err);
	return dl_option_no_more(argc, argv, err);
}

static int password_read(char out[DL_PASSWORD_MAX_BYTES + 2], struct dl_error *err)
{
	if (!fgets(out, DL_PASSWORD_MAX_BYTES + 2, stdin))
		return dl_error_set(err, DL_E_INVALID, "standard input holds no password");
	out[strcspn(out, "\n")] = '\0';
	return dl_password_check(out, err);
}

/* From standard input, or generated and then shown at the end. */
static int password_get(bool from_stdin, char hash[DL_PASSWORD_HASH_SIZE],
			char generated[DL_PASSWORD_GENERATED_SIZE], struct dl_error *err)
{
	char password[DL_PASSWORD_MAX_BYTES + 2];

	generated[0] = '\0';
	if (!from_stdin) {
		dl_password_generate(generated);
		return dl_password_hash(generated, hash, err);
	}
	int r = password_read(password, err);
	if (r >= 0)
		r = dl_password_hash(password, hash, err);
	explicit_bzero(password, sizeof(password));
	return r;
}

static int user_add(struct dl_desk *desk, const struct options *options,
		    const json_t *memberships, const char *hash, struct dl_error *err)
{
	struct dl_wait *wait = dl_wait_new();
	dl_autojson *view = NULL;
	struct dl_user_add_request add = {
		.login = options->login,
		.name = options->name ? options->name : options->login,
		.password_hash = hash,
		.memberships = memberships,
	};

	dl_store_user_add(desk->store, &dl_desk_actor, &add, dl_wait_done, wait);
	return dl_wait_end(wait, &view, err);
}

/* organization 0: all */
static int account_create(struct dl_desk *desk, const struct options *options,
			  int64_t organization, const char *role, struct dl_error *err)
{
	char hash[DL_PASSWORD_HASH_SIZE], generated[DL_PASSWORD_GENERATED_SIZE];
	dl_autojson *memberships = json_pack(
		"[{so ss}]", "organization",
		organization ? json_integer(organization) : json_null(), "role", role);

	int r = password_get(options->password_stdin, hash, generated, err);
	if (r >= 0)
		r = user_add(desk, options, memberships, hash, err);
	if (r < 0)
		return r;
	printf("created %s '%s'\n", role, options->login);
	if (*generated)
		printf("password: %s\n", generated);
	explicit_bzero(generated, sizeof(generated));
	return 0;
}

static int admin_run(int argc, char **argv, struct dl_error *err)
{
	struct options options = { 0 };
	dl_autodesk desk = { 0 };

	int r = options_read(argc, argv, &options, err);
	if (r >= 0 && !options.login)
		r = dl_option_missing("--login", err);
	if (r >= 0 && (options.role || options.organization || options.all))
		r = dl_error_set(err, DL_E_INVALID,
				 "this administrator is one of all organizations; "
				 "`dislodged user create` makes others");
	if (r >= 0)
		r = dl_desk_open(options.folder, &desk, err);
	return r < 0 ? r : account_create(&desk, &options, 0, "administrator", err);
}

static int user_run(int argc, char **argv, struct dl_error *err)
{
	struct options options = { 0 };
	dl_autodesk desk = { 0 };
	int64_t organization = 0;

	int r = options_read(argc, argv, &options, err);
	if (r >= 0 && !options.login)
		r = dl_option_missing("--login", err);
	if (r >= 0 && !options.role)
		r = dl_option_missing("--role", err);
	if (r >= 0 && options.all == (options.organization != NULL))
		r = dl_error_set(err, DL_E_INVALID, "name one --organization, or --all");
	if (r >= 0)
		r = dl_desk_open(options.folder, &desk, err);
	if (r >= 0 && options.organization)
		r = dl_desk_organization(&desk, options.organization, &organization, err);
	return r < 0 ? r : account_create(&desk, &options, organization, options.role, err);
}

static int organization_run(int argc, char **argv, struct dl_error *err)
{
	struct options options = { 0 };
	dl_autodesk desk = { 0 };
	dl_autojson *view = NULL;

	int r = options_read(argc, argv, &options, err);
	if (r >= 0 && !options.name)
		r = dl_option_missing("--name", err);
	if (r >= 0)
		r = dl_desk_open(options.folder, &desk, err);
	if (r < 0)
		return r;
	struct dl_wait *wait = dl_wait_new();
	dl_store_organization_add(desk.store, &dl_desk_actor, options.name, dl_wait_done, wait);
	r = dl_wait_end(wait, &view, err);
	if (r < 0)
		return r;
	printf("created organization '%s'\n", options.name);
	return 0;
}

const struct dl_command dl_command_admin_create = {
	.name = "admin create",
	.summary = "make an administrator of all organizations",
	.usage = "dislodged admin create --data FOLDER --login LOGIN [--name NAME] [--password-stdin]\n\n"
		 "The password is the first line of standard input, or made up and printed. It is\n"
		 "never an argument: those can be read by every user of the machine.\n",
	.run = admin_run,
};

const struct dl_command dl_command_user_create = {
	.name = "user create",
	.summary = "make a user with a role in one organization or in all",
	.usage = "dislodged user create --data FOLDER --login LOGIN --role ROLE\n"
		 "                      (--organization NAME | --all) [--name NAME] [--password-stdin]\n\n"
		 "ROLE is administrator, analyst, technician or reader. The password is the first\n"
		 "line of standard input, or made up and printed.\n",
	.run = user_run,
};

const struct dl_command dl_command_organization_create = {
	.name = "organization create",
	.summary = "make an organization",
	.usage = "dislodged organization create --data FOLDER --name NAME\n",
	.run = organization_run,
};
