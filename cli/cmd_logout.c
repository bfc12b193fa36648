#include "cli/call.h"
#include "cli/command.h"

#include <stdio.h>

static int logout_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { NULL };
	struct dl_options options = { 0 };
	dl_autojson *body = json_object(), *answer = NULL;

	int r = dl_options_read(argc, argv, taken, 0, &options, err);
	if (r < 0)
		return r;
	/* Forgotten here even when the server has ended the session already. */
	int told = dl_call_saved("POST", body, &answer, err, "/api/logout");
	r = dl_account_forget(err);
	if (r < 0)
		return r;
	if (told < 0 && told != DL_E_DENIED)
		return told;
	puts("signed out");
	return 0;
}

const struct dl_command dl_command_logout = {
	.name = "logout",
	.arguments = "",
	.summary = "end the session, here and on the server",
	.run = logout_run,
};
