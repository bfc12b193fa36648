/* A unit file and its drop-in: every value that is found can be asked for, and
 * what an empty assignment forgot is gone. */
#include "fuzz.h"

#include "agent/survey/command.h"
#include "agent/survey/unit_file.h"

#include <string.h>

static void commands_keep_their_limits(struct dl_commands *commands)
{
	must(commands->count <= DL_COMMANDS_MAX);
	for (size_t i = 0; i < commands->count; i++)
		for (size_t k = 0; k < commands->list[i].count; k++)
			must(commands->list[i].words[k] != NULL);
	dl_commands_free(commands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char reset[] = "[Service]\nExecStart=\n";
	const char *text = size ? (const char *)data : "";
	dl_auto(dl_unit_file) unit = dl_unit_file_new();
	int r = dl_unit_file_add(unit, text, size, NULL);
	must(r == 0 || r == DL_E_LIMIT);
	size_t at = 0;
	const char *last = NULL;
	for (const char *value; (value = dl_unit_file_next(unit, "Service", "ExecStart", &at));) {
		must(*value != '\0');
		commands_keep_their_limits(dl_commands_of_exec(value));
		commands_keep_their_limits(dl_commands_of_shell(value));
		last = value;
	}
	must(dl_unit_file_get(unit, "Service", "ExecStart") == last);
	if (dl_unit_file_add(unit, reset, strlen(reset), NULL) == 0)
		must(!dl_unit_file_get(unit, "Service", "ExecStart"));
	return 0;
}
