#include "agent/survey/command.h"

void dl_commands_free(struct dl_commands *commands)
{
	if (!commands)
		return;
	for (size_t i = 0; i < commands->count; i++) {
		for (size_t k = 0; k < commands->list[i].count; k++)
			free(commands->list[i].words[k]);
		free(commands->list[i].input);
	}
	free(commands->list);
	free(commands);
}

struct dl_command *dl_commands_open(struct dl_commands *commands)
{
	if (commands->count == DL_COMMANDS_MAX)
		return NULL;
	commands->list = dl_realloc(commands->list, commands->count + 1, sizeof(struct dl_command));
	struct dl_command *command = &commands->list[commands->count++];
	*command = (struct dl_command){ 0 };
	return command;
}

void dl_command_add_word(struct dl_command *command, struct dl_buf *word)
{
	char *text = dl_buf_take(word);
	if (command->count == DL_COMMAND_WORDS_MAX)
		free(text);
	else
		command->words[command->count++] = text;
}
