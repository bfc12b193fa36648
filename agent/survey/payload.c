#include "agent/survey/payload.h"

#include "agent/survey/command.h"
#include "agent/survey/runner.h"
#include "core/base/bytes.h"

#include <string.h>

enum { LINK_HOPS_MAX = 8 };

struct follow {
	const struct dl_payload_place *place;
	struct dl_foothold *foothold;
	size_t added;
	int depth;
};

static int follow_shell(struct follow *follow, const char *text, struct dl_error *err);

/* ---- from a word to a file ---- */

static char *joined(const char *folder, const char *name)
{
	dl_autobuf path = DL_BUF_INIT;
	dl_buf_printf(&path, "%s/%s", folder, name);
	return dl_buf_take(&path);
}

/* "~/x", "$HOME/x", "%h/x" and relative names; NULL when the word says no path we can know. */
static char *path_of_word(const struct dl_payload_place *place, const char *word)
{
	static const char *const homes[] = { "~/", "$HOME/", "${HOME}/", "%h/" };
	for (size_t i = 0; i < DL_COUNT(homes); i++)
		if (strncmp(word, homes[i], strlen(homes[i])) == 0)
			return place->home ? joined(place->home, word + strlen(homes[i])) : NULL;
	if (strpbrk(word, "$`") || !*word)
		return NULL;
	if (word[0] == '/')
		return dl_strdup(word);
	return place->folder ? joined(place->folder, word) : NULL;
}

static bool is_listed(const struct dl_foothold *foothold, const char *encoded)
{
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role == DL_ROLE_PAYLOAD &&
		    strcmp(foothold->objects[i].path, encoded) == 0)
			return true;
	return false;
}

static int add_object(struct follow *follow, const char *path, struct dl_error *err)
{
	dl_autofree char *encoded = dl_bytes_encode_str(path);
	if (follow->added == DL_PAYLOADS_MAX || is_listed(follow->foothold, encoded))
		return 0;
	struct dl_object object = { 0 };
	int r = dl_host_object(follow->place->host, path, DL_ROLE_PAYLOAD, &object, err);
	if (r < 0)
		return r;
	struct dl_object *slot = dl_foothold_add_object(follow->foothold);
	if (!slot) {
		dl_object_clear(&object);
		return 0;
	}
	*slot = object;
	follow->added++;
	return 0;
}

/* A link that a package or the alternatives system made is the host's own. */
static bool is_ordinary_link(struct dl_host *host, const char *path)
{
	dl_autopackage package = { 0 };
	return strncmp(path, "/etc/alternatives/", 18) == 0 ||
	       (dl_host_package_of(host, path, &package, NULL) == 0 && package.name);
}

/* The path a link leads to, not yet canonical. */
static char *link_leads_to(const char *path, const char *target)
{
	if (target[0] == '/')
		return dl_strdup(target);
	dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	return joined(folder, target);
}

/* Whether the name leads to a file; adds what stands on the way and the file. */
static int add_file(struct follow *follow, const char *name, bool *ret_found, struct dl_error *err)
{
	struct dl_host *host = follow->place->host;
	dl_autofree char *path = dl_strdup(name);
	*ret_found = false;
	for (int hops = 0; hops < LINK_HOPS_MAX; hops++) {
		if (dl_host_looks(host) >= follow->place->looks_max)
			return dl_error_set(err, DL_E_LIMIT,
					    "more names and links than a survey follows");
		dl_autofree char *canonical = NULL;
		struct dl_host_facts facts;
		int r = dl_host_canonical(host, path, false, &canonical, err);
		if (r == 0)
			r = dl_host_look(host, canonical, false, &facts, err);
		if (r < 0)
			return r == DL_E_INVALID ? 0 : r;
		if (facts.type == DL_TYPE_FILE) {
			*ret_found = true;
			return add_object(follow, canonical, err);
		}
		if (facts.type != DL_TYPE_SYMLINK)
			return 0;
		if (!is_ordinary_link(host, canonical)) {
			r = add_object(follow, canonical, err);
			if (r < 0)
				return r;
		}
		free(path);
		path = link_leads_to(canonical, facts.target);
	}
	return 0;
}

static int add_script(struct follow *follow, const char *word, struct dl_error *err)
{
	bool found;
	dl_autofree char *path = path_of_word(follow->place, word);
	return path ? add_file(follow, path, &found, err) : 0;
}

static int add_program(struct follow *follow, const char *word, struct dl_error *err)
{
	if (strchr(word, '/'))
		return add_script(follow, word, err);
	if (!*word || strpbrk(word, "$`\n"))
		return 0;
	dl_autofree char *search = dl_strdup(follow->place->search);
	bool found = false;
	int r = 0, folders = 0;
	for (char *at = search; at && !found && r == 0;) {
		if (folders++ == DL_PAYLOAD_SEARCH_MAX)
			return dl_error_set(err, DL_E_LIMIT,
					    "its search path has more than %d folders",
					    DL_PAYLOAD_SEARCH_MAX);
		const char *folder = strsep(&at, ":");
		dl_autofree char *path = joined(folder, word);
		if (folder[0] == '/')
			r = add_file(follow, path, &found, err);
	}
	return r;
}

/* ---- from a command to its words ---- */

static bool is_assignment(const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				     "0123456789");
	return length > 0 && word[length] == '=' && strchr(letters, word[0]);
}

/* LD_PRELOAD makes the loader run the files it names, ld.so(8). */
static int follow_assignment(struct follow *follow, const char *word, struct dl_error *err)
{
	if (strncmp(word, "LD_PRELOAD=", 11) != 0)
		return 0;
	dl_autofree char *list = dl_strdup(word + 11);
	int r = 0;
	for (char *at = list; at && r == 0;)
		r = add_script(follow, strsep(&at, ": "), err);
	return r;
}

/* Words that stand before a command without being one. */
static bool is_keyword(const char *word)
{
	static const char *const keywords[] = { "if", "then", "else", "elif", "while", "until",
						"do", "!", "{", "}", "fi", "done", "time" };
	for (size_t i = 0; i < DL_COUNT(keywords); i++)
		if (strcmp(word, keywords[i]) == 0)
			return true;
	return false;
}

/* What an option says; `*value` is the rest of its word or the next word. */
enum option { OPTION_PLAIN, OPTION_VALUE, OPTION_TEXT, OPTION_CODE, OPTION_FILE };

static enum option read_option(const struct dl_runner *runner, const struct dl_command *command,
			       size_t *at, const char **ret_value)
{
	const char *word = command->words[(*at)++];
	*ret_value = NULL;
	if (word[1] == '-')
		return OPTION_PLAIN;
	for (const char *letter = word + 1; *letter; letter++) {
		enum option option = strchr(runner->text, *letter)   ? OPTION_TEXT :
				     strchr(runner->code, *letter)   ? OPTION_CODE :
				     strchr(runner->files, *letter)  ? OPTION_FILE :
				     strchr(runner->values, *letter) ? OPTION_VALUE :
								       OPTION_PLAIN;
		if (option == OPTION_PLAIN)
			continue;
		/* A shell's -c takes the next word even from within "-lce". */
		if (letter[1] && option != OPTION_TEXT)
			*ret_value = letter + 1;
		else if (*at < command->count)
			*ret_value = command->words[(*at)++];
		return option;
	}
	return OPTION_PLAIN;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Reads a runner's options. *ret_done: they already said all that is run. */
static int follow_options(struct follow *follow, const struct dl_runner *runner,
			  const struct dl_command *command, size_t *at, bool *ret_done,
			  struct dl_error *err)
{
	int r = 0;
	*ret_done = false;
	while (r == 0 && *at < command->count && is_option(command->words[*at])) {
		if (strcmp(command->words[*at], "--") == 0) {
			(*at)++;
			return 0;
		}
		const char *value;
		enum option option = read_option(runner, command, at, &value);
		*ret_done = *ret_done || option == OPTION_TEXT || option == OPTION_CODE;
		if (value && option == OPTION_TEXT)
			r = follow_shell(follow, value, err);
		else if (value && option == OPTION_FILE)
			r = add_script(follow, value, err);
	}
	return r;
}

/* "su USER -c TEXT": options may stand after the operands. */
static int follow_late_options(struct follow *follow, const struct dl_runner *runner,
			       const struct dl_command *command, size_t at, struct dl_error *err)
{
	int r = 0;
	while (r == 0 && at < command->count) {
		bool done;
		if (is_option(command->words[at]))
			r = follow_options(follow, runner, command, &at, &done, err);
		else
			at++;
	}
	return r;
}

/* Moves over keywords and assignments to the word that is run. */
static int find_program(struct follow *follow, const struct dl_command *command, size_t *at,
			struct dl_error *err)
{
	int r = 0;
	for (; r == 0 && *at < command->count; (*at)++) {
		if (is_assignment(command->words[*at]))
			r = follow_assignment(follow, command->words[*at], err);
		else if (!is_keyword(command->words[*at]))
			break;
	}
	return r;
}

static int follow_script(struct follow *follow, const struct dl_command *command, size_t at,
			 struct dl_error *err)
{
	if (at < command->count)
		return add_script(follow, command->words[at], err);
	return command->input ? add_script(follow, command->input, err) : 0;
}

/* Each round names one program, and goes on if that runs another. */
static int follow_command(struct follow *follow, const struct dl_command *command,
			  struct dl_error *err)
{
	for (size_t at = 0;;) {
		int r = find_program(follow, command, &at, err);
		if (r < 0 || at >= command->count)
			return r;
		const char *word = command->words[at++];
		r = add_program(follow, word, err);
		if (r == 0 && strcmp(word, "eval") == 0 && at < command->count)
			return follow_shell(follow, command->words[at], err);
		const struct dl_runner *runner = dl_runner_find(word);
		if (r < 0 || !runner)
			return r;
		bool done;
		r = follow_options(follow, runner, command, &at, &done, err);
		if (r < 0 || done)
			return r;
		if (runner->then == DL_THEN_SCRIPT)
			return follow_script(follow, command, at, err);
		if (runner->then == DL_THEN_NOTHING)
			return follow_late_options(follow, runner, command, at, err);
		at += (size_t)runner->operands;
		r = follow_options(follow, runner, command, &at, &done, err);
		if (r < 0 || done)
			return r;
	}
}

static int follow_commands(struct follow *follow, const struct dl_commands *commands,
			   struct dl_error *err)
{
	for (size_t i = 0; i < commands->count; i++) {
		int r = follow_command(follow, &commands->list[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int follow_shell(struct follow *follow, const char *text, struct dl_error *err)
{
	if (follow->depth == DL_PAYLOAD_DEPTH_MAX)
		return 0;
	dl_auto(dl_commands) commands = dl_commands_of_shell(text);
	follow->depth++;
	int r = follow_commands(follow, commands, err);
	follow->depth--;
	return r;
}

int dl_payload_of_shell(const struct dl_payload_place *place, const char *text,
			struct dl_foothold *foothold, struct dl_error *err)
{
	struct follow follow = { .place = place, .foothold = foothold };
	return follow_shell(&follow, text, err);
}

int dl_payload_of_exec(const struct dl_payload_place *place, const char *value,
		       struct dl_foothold *foothold, struct dl_error *err)
{
	struct follow follow = { .place = place, .foothold = foothold };
	dl_auto(dl_commands) commands = dl_commands_of_exec(value);
	return follow_commands(&follow, commands, err);
}

int dl_payload_of_program(const struct dl_payload_place *place, const char *name,
			  struct dl_foothold *foothold, struct dl_error *err)
{
	struct follow follow = { .place = place, .foothold = foothold };
	return add_program(&follow, name, err);
}
