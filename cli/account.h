/* Account: the server one is signed in to, kept between commands in
 * $XDG_CONFIG_HOME/dislodge/session.json (by default ~/.config), mode 0600. */
#ifndef DL_CLI_ACCOUNT_H
#define DL_CLI_ACCOUNT_H

#include "core/base/mem.h"
#include "core/json/json.h"

enum { DL_ACCOUNT_TOKEN_SIZE = 65 };

struct dl_account {
	char *server;  /* "http://127.0.0.1:8080" */
	char *ca_file; /* NULL: the system's authorities */
	char token[DL_ACCOUNT_TOKEN_SIZE]; /* "": not signed in */
};

void dl_account_free(struct dl_account *account);
DL_DEFINE_AUTO(dl_account, dl_account_free)

/* DL_E_DENIED with "please sign in" when there is none. */
int dl_account_load(struct dl_account **ret_account, struct dl_error *err);
int dl_account_save(const struct dl_account *account, struct dl_error *err);
int dl_account_forget(struct dl_error *err);

#endif
