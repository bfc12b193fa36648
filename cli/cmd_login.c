#include "cli/call.h"
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_SIZE = 1026 };

/* From the terminal without showing it, else the first line of standard input. */
static int password_read(char out[PASSWORD_SIZE], struct dl_error *err)
{
	struct termios before, silent;
	bool terminal = !tcgetattr(STDIN_FILENO, &before);

	if (terminal) {
		silent = before;
		silent.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
		fputs("Password: ", stderr);
	}
	bool got = fgets(out, PASSWORD_SIZE, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!got)
		return dl_error_set(err, DL_E_INVALID, "standard input holds no password");
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int sign_in(struct dl_account *account, const char *login, const char *password,
		   struct dl_error *err)
{
	dl_autojson *body = json_pack("{ss ss}", "login", login, "password", password);
	dl_autojson *answer = NULL;
	const char *token;

	if (!body)
		return dl_error_set(err, DL_E_INVALID, "name and password must be UTF-8");
	int r = dl_call(account, "POST", "/api/login", body, &answer, err);
	if (r >= 0)
		r = dl_json_hex(answer, "token", 32, &token, err);
	if (r < 0)
		return r;
	memcpy(account->token, token, sizeof(account->token));
	return 0;
}

static int login_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "server", "ca-file", NULL };
	struct dl_options options = { .server = getenv("DISLODGE_SERVER") };
	dl_auto(dl_account) account = DL_NEW(struct dl_account);
	char password[PASSWORD_SIZE];

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r < 0)
		return r;
	if (!options.word_count)
		return dl_error_set(err, DL_E_INVALID, "whose login? dislodge login LOGIN");
	account->server = dl_strdup(options.server ? options.server : "http://127.0.0.1:8080");
	account->ca_file = options.ca_file ? dl_strdup(options.ca_file) : NULL;
	r = password_read(password, err);
	if (r >= 0)
		r = sign_in(account, options.words[0], password, err);
	explicit_bzero(password, sizeof(password));
	if (r >= 0)
		r = dl_account_save(account, err);
	if (r < 0)
		return r;
	printf("signed in to %s as %s\n", account->server, options.words[0]);
	return 0;
}

const struct dl_command dl_command_login = {
	.name = "login",
	.arguments = "LOGIN [--server URL] [--ca-file FILE]",
	.summary = "sign in; the password comes from the terminal or standard input",
	.details = "The server is --server, else $DISLODGE_SERVER, else http://127.0.0.1:8080. The\n"
		   "session is kept in ~/.config/dislodge/session.json (mode 600) for twelve hours.\n",
	.run = login_run,
};
