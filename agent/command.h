/* Command: the verbs of dislodge-agent, and what those that need rights share. */
#ifndef DL_AGENT_COMMAND_H
#define DL_AGENT_COMMAND_H

#include "agent/platform/host.h"
#include "agent/platform/process.h"

/* Exit codes; 0 is success. DONE is none: the command has nothing left to do. */
enum { DL_COMMAND_DONE = -1, DL_COMMAND_FAILED = 1, DL_COMMAND_USAGE = 2 };

/* The account of the network half, made by packaging/systemd/dislodge.sysusers. */
#define DL_AGENT_ACCOUNT "dislodge"

/* Each gets its own name as argv[0], prints for people and returns an exit code. */
int dl_cmd_enrol(int argc, char **argv);
int dl_cmd_run(int argc, char **argv);
int dl_cmd_status(int argc, char **argv);
int dl_cmd_survey(int argc, char **argv);

int dl_command_needs_root(struct dl_error *err);

/* Looked up in the host's own /etc/passwd. DL_E_NOT_FOUND says how to make it. */
int dl_command_account(struct dl_host *host, struct dl_account *ret_account, struct dl_error *err);

#endif
