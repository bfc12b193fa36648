/* Command: the verbs of dislodge-agent, and what those that need rights share. */
#ifndef DL_AGENT_COMMAND_H
#define DL_AGENT_COMMAND_H

#include "agent/platform/host.h"
#include "agent/platform/process.h"

/* Exit codes of every command, as in dislodge-agent(8). DONE is none: the
 * command has nothing left to do. */
enum {
	DL_COMMAND_DONE = -1,
	DL_COMMAND_OK = 0,      /* all of it was done */
	DL_COMMAND_FAILED = 1,  /* it went wrong; what happened is said */
	DL_COMMAND_USAGE = 2,   /* it was called wrongly; nothing was done */
	DL_COMMAND_PARTLY = 3,  /* some of it was done, or not everything could be looked at */
	DL_COMMAND_REFUSED = 4, /* nothing was done: stale, forbidden, or nobody agreed */
};

/* The account of the network half, made by packaging/systemd/dislodge.sysusers. */
#define DL_AGENT_ACCOUNT "dislodge"

/* Each gets its own name as argv[0], prints for people and returns an exit code. */
int dl_cmd_apply(int argc, char **argv);
int dl_cmd_check(int argc, char **argv);
int dl_cmd_enrol(int argc, char **argv);
int dl_cmd_propose(int argc, char **argv);
int dl_cmd_quarantine(int argc, char **argv);
int dl_cmd_run(int argc, char **argv);
int dl_cmd_status(int argc, char **argv);
int dl_cmd_survey(int argc, char **argv);
int dl_cmd_undo(int argc, char **argv);
int dl_cmd_verify(int argc, char **argv);

int dl_command_needs_root(struct dl_error *err);

/* Looked up in the host's own /etc/passwd. DL_E_NOT_FOUND says how to make it. */
int dl_command_account(struct dl_host *host, struct dl_account *ret_account, struct dl_error *err);

#endif
