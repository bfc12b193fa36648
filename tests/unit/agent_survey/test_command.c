#include "check.h"

#include "agent/survey/command.h"

/* All words of all commands: words by "|", commands by "/", a "<" before an input. */
static char *flat(struct dl_commands *commands)
{
	dl_autobuf out = DL_BUF_INIT;
	for (size_t i = 0; i < commands->count; i++) {
		const struct dl_command *command = &commands->list[i];
		if (i)
			dl_buf_puts(&out, " / ");
		for (size_t k = 0; k < command->count; k++)
			dl_buf_printf(&out, "%s%s", k ? "|" : "", command->words[k]);
		if (command->input)
			dl_buf_printf(&out, "|<%s", command->input);
	}
	dl_commands_free(commands);
	return dl_buf_take(&out);
}

static void expect_shell(const char *text, const char *words)
{
	dl_autofree char *found = flat(dl_commands_of_shell(text));
	assert_string_equal(found, words);
}

static void expect_exec(const char *text, const char *words)
{
	dl_autofree char *found = flat(dl_commands_of_exec(text));
	assert_string_equal(found, words);
}

static void reads_a_shells_quotes(void **state)
{
	(void)state;
	expect_shell("a 'b c' \"d \\\" e\" f\\ g ''", "a|b c|d \" e|f g|");
	expect_shell("a'b'\"c\"d", "abcd");
	expect_shell("a 'never closed", "a|never closed");
	expect_shell("a \"never closed", "a|never closed");
	expect_shell("a\\", "a");
}

static void parts_a_shells_commands(void **state)
{
	(void)state;
	expect_shell("cd / && x y; z | w &", "cd|/ / x|y / z / w");
	expect_shell("(a; b) || { c; }", "a / b / {|c / }");
	expect_shell("a $(b c) `d`", "a / b|c / d");
	expect_shell("a # b\nc", "a / c");
	expect_shell("a#b", "a#b");
	expect_shell("  ;;&& ", "");
}

static void keeps_redirections_out_of_the_words(void **state)
{
	(void)state;
	expect_shell("a >/dev/null 2>&1 b", "a|b");
	expect_shell("sh < /tmp/x", "sh|</tmp/x");
	expect_shell("a 2 >b", "a|2");
	expect_shell("a <<EOF", "a");
}

static void reads_systemds_quotes_and_escapes(void **state)
{
	(void)state;
	expect_exec("/bin/a 'b c' \"d e\" f\\x20g \\\\", "/bin/a|b c|d e|f g|\\");
	expect_exec("/bin/a \\xZZ", "/bin/a|\\xZZ");
	expect_exec("/bin/a %i ${X}", "/bin/a|%i|${X}");
	expect_exec("", "");
}

static void takes_systemds_prefixes_off(void **state)
{
	(void)state;
	expect_exec("-@:+!!/bin/a not-its-name b", "/bin/a|b");
	expect_exec("-/bin/a b", "/bin/a|b");
	expect_exec("@/bin/a", "/bin/a");
	expect_exec("-", "");
}

static void parts_systemds_commands_at_a_lone_semicolon(void **state)
{
	(void)state;
	expect_exec("/a b ; /c d;e", "/a|b / /c|d;e");
	expect_exec("/a \\; b", "/a|;|b");
	expect_exec("/a ';' b", "/a|;|b");
}

static void ends_at_its_limits(void **state)
{
	(void)state;
	dl_autobuf text = DL_BUF_INIT, words = DL_BUF_INIT;
	for (int i = 0; i < 2 * DL_COMMANDS_MAX; i++)
		dl_buf_puts(&text, "a;");
	for (int i = 0; i < 2 * DL_COMMAND_WORDS_MAX; i++)
		dl_buf_puts(&words, "a ");
	dl_auto(dl_commands) commands = dl_commands_of_shell(text.data);
	dl_auto(dl_commands) one = dl_commands_of_shell(words.data);
	dl_auto(dl_commands) exec = dl_commands_of_exec(words.data);
	assert_int_equal(commands->count, DL_COMMANDS_MAX);
	assert_int_equal(one->list[0].count, DL_COMMAND_WORDS_MAX);
	assert_int_equal(exec->list[0].count, DL_COMMAND_WORDS_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_shells_quotes),
		cmocka_unit_test(parts_a_shells_commands),
		cmocka_unit_test(keeps_redirections_out_of_the_words),
		cmocka_unit_test(reads_systemds_quotes_and_escapes),
		cmocka_unit_test(takes_systemds_prefixes_off),
		cmocka_unit_test(parts_systemds_commands_at_a_lone_semicolon),
		cmocka_unit_test(ends_at_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
