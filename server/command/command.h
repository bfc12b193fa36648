/* Commands of dislodged: one row and one file each. */
#ifndef DL_SERVER_COMMAND_COMMAND_H
#define DL_SERVER_COMMAND_COMMAND_H

#include "server/command/data.h"
#include "server/store/store.h"

struct dl_command {
	const char *name;    /* "admin create": one or two words */
	const char *summary; /* one line for --help */
	const char *usage;   /* the whole --help of the command */
	/* argv[0] is the last word of the name. 0, or a failure with its words. */
	int (*run)(int argc, char **argv, struct dl_error *err);
};

extern const struct dl_command dl_command_init, dl_command_serve, dl_command_admin_create,
	dl_command_user_create, dl_command_organization_create, dl_command_enrol_key_create,
	dl_command_audit_verify, dl_command_routes;

/* The store as a command uses it: one call at a time, and it waits. */
struct dl_desk {
	struct dl_data *data;
	struct dl_store *store;
};
int dl_desk_open(const char *folder, struct dl_desk *ret_desk, struct dl_error *err);
void dl_desk_close(struct dl_desk *desk);
#define dl_autodesk __attribute__((cleanup(dl_desk_close))) struct dl_desk

/* `dl_store_x(…, dl_wait_done, &wait)`, then wait. */
struct dl_wait;
struct dl_wait *dl_wait_new(void);
void dl_wait_done(void *wait, int result, json_t *view, const struct dl_error *err);
/* Frees the wait. *ret_view is a new reference; it may be NULL. */
int dl_wait_end(struct dl_wait *wait, json_t **ret_view, struct dl_error *err);

extern const struct dl_actor dl_desk_actor; /* the command line: the system itself */

/* The id of the organization with this name. */
int dl_desk_organization(struct dl_desk *desk, const char *name, int64_t *ret_id,
			 struct dl_error *err);

#endif
