#include "agent/survey/runner.h"

#include "core/base/mem.h"

#include <string.h>

#define WRAPPER(word, with_value, before)                                                          \
	{ .name = word, .values = with_value, .text = "", .code = "", .files = "",                 \
	  .operands = before, .then = DL_THEN_COMMAND }
#define SHELL(word)                                                                                \
	{ .name = word, .values = "oO", .text = "c", .code = "", .files = "",                      \
	  .then = DL_THEN_SCRIPT }
#define INTERPRETER(word, with_value, with_code, with_file)                                        \
	{ .name = word, .values = with_value, .text = "", .code = with_code, .files = with_file,   \
	  .then = DL_THEN_SCRIPT }

/* From each program's own manual page. */
static const struct dl_runner runners[] = {
	SHELL("sh"), SHELL("bash"), SHELL("dash"), SHELL("zsh"), SHELL("ksh"), SHELL("mksh"),
	SHELL("ash"), SHELL("rbash"), SHELL("fish"), SHELL("csh"), SHELL("tcsh"),
	INTERPRETER("python", "WX", "cm", ""),
	INTERPRETER("pypy", "WX", "cm", ""),
	INTERPRETER("perl", "I", "eE", ""),
	INTERPRETER("ruby", "IrC", "e", ""),
	INTERPRETER("node", "r", "ep", ""),
	INTERPRETER("nodejs", "r", "ep", ""),
	INTERPRETER("php", "dcz", "r", "fF"),
	INTERPRETER("lua", "l", "e", ""),
	INTERPRETER("tclsh", "", "", ""),
	INTERPRETER("expect", "d", "c", "f"),
	INTERPRETER(".", "", "", ""),
	INTERPRETER("source", "", "", ""),
	/* "-jar FILE": its last letter takes the value. */
	{ .name = "java", .values = "", .text = "", .code = "", .files = "r" },
	{ .name = "awk", .values = "vF", .text = "", .code = "", .files = "f" },
	{ .name = "gawk", .values = "vF", .text = "", .code = "", .files = "f" },
	{ .name = "mawk", .values = "vF", .text = "", .code = "", .files = "f" },
	{ .name = "su", .values = "gGsw", .text = "c", .code = "", .files = "" },
	{ .name = "script", .values = "oEBIOT", .text = "c", .code = "", .files = "" },
	{ .name = "runuser", .values = "ugGsw", .text = "c", .code = "", .files = "",
	  .then = DL_THEN_COMMAND },
	{ .name = "flock", .values = "wE", .text = "c", .code = "", .files = "", .operands = 1,
	  .then = DL_THEN_COMMAND },
	{ .name = "env", .values = "uC", .text = "S", .code = "", .files = "",
	  .then = DL_THEN_COMMAND },
	WRAPPER("sudo", "ugpCDhRrtTU", 0), WRAPPER("doas", "uC", 0), WRAPPER("nohup", "", 0),
	WRAPPER("setsid", "", 0), WRAPPER("timeout", "ks", 1), WRAPPER("nice", "n", 0),
	WRAPPER("ionice", "cnpPu", 0), WRAPPER("chrt", "TPD", 1), WRAPPER("taskset", "", 1),
	WRAPPER("stdbuf", "ioe", 0), WRAPPER("chroot", "", 1), WRAPPER("time", "fo", 0),
	WRAPPER("xargs", "adEILnPs", 0), WRAPPER("watch", "n", 0), WRAPPER("unshare", "RwSG", 0),
	WRAPPER("nsenter", "tSGr", 0), WRAPPER("setpriv", "", 0), WRAPPER("systemd-cat", "tp", 0),
	WRAPPER("systemd-run", "puEMHC", 0), WRAPPER("systemd-inhibit", "", 0),
	WRAPPER("busybox", "", 0), WRAPPER("exec", "a", 0), WRAPPER("command", "", 0),
	WRAPPER("builtin", "", 0), WRAPPER("daemonize", "ceopulE", 0), WRAPPER("tini", "eg", 0),
	WRAPPER("ld-linux", "", 0), WRAPPER("ld-linux-x", "", 0), WRAPPER("ld-linux-aarch", "", 0),
};

/* The length of a name without its version: "python3.11", "ld-linux-x86-64.so.2". */
static size_t bare_length(const char *name)
{
	size_t length = strlen(name);
	if (strncmp(name, "ld-linux", 8) == 0)
		return strcspn(name, "0123456789.");
	while (length > 1 && strchr("0123456789.", name[length - 1]))
		length--;
	return length;
}

const struct dl_runner *dl_runner_find(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;
	size_t length = bare_length(name);
	for (size_t i = 0; i < DL_COUNT(runners); i++)
		if (strncmp(runners[i].name, name, length) == 0 && !runners[i].name[length])
			return &runners[i];
	return NULL;
}
