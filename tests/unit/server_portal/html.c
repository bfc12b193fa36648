/* What templates write, with values as an attacker would choose them. */
#include "core/base/mem.h"
#include "core/json/json.h"
#include "tests/unit/server_portal/test-templates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
static const int64_t NOW = 1773500966000; /* 2026-03-14T15:09:26Z */

static char *show(void (*template)(struct dl_html *), json_t *view)
{
	dl_autobuf out = DL_BUF_INIT;
	struct dl_html html = { .out = &out, .view = view, .now = NOW };
	template(&html);
	json_decref(view);
	return dl_buf_take(&out);
}

static void assert_shows(const char *page, const char *part)
{
	if (!strstr(page, part))
		fail_msg("'%s' is not in: %s", part, page);
}

static void assert_hides(const char *page, const char *part)
{
	if (strstr(page, part))
		fail_msg("'%s' is in: %s", part, page);
}

static void escapes_markup_and_quotes_in_text_and_attributes(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{ss}", "text", "\"'><script>alert(1)</script>&amp;"));
	assert_hides(page, "<script");
	assert_shows(page, "class=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;\"");
	assert_shows(page, ">&quot;&#39;&gt;&lt;script&gt;");
}

static void shows_controls_and_bidirectional_overrides_as_names(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{ss}", "text", "a\xe2\x80\xaegnp.exe\x1b[2J\xc2\x85"
								"\xe2\x81\xa6z\xe2\x80\xa8"));
	assert_shows(page, ">a[U+202E]gnp.exe[U+001B][2J[U+0085][U+2066]z[U+2028]<");
}

static void shows_what_nobody_would_see_as_names(void **state)
{
	static const struct { const char *bytes, *name; } unseen[] = {
		{ "\xc2\xad", "00AD" }, { "\xd8\x9c", "061C" }, { "\xe1\xa0\x8e", "180E" },
		{ "\xe2\x80\x8b", "200B" }, { "\xe2\x80\x8d", "200D" }, { "\xe2\x80\x8f", "200F" },
		{ "\xe2\x81\xa0", "2060" }, { "\xe2\x81\xa4", "2064" }, { "\xe2\x81\xaf", "206F" },
		{ "\xe3\x85\xa4", "3164" }, { "\xef\xb8\x8f", "FE0F" }, { "\xef\xbb\xbf", "FEFF" },
		{ "\xef\xbf\xb9", "FFF9" }, { "\xf3\xa0\x80\x81", "E0001" },
		{ "\xf3\xa0\x81\xbf", "E007F" }, { "\xf3\xa0\x84\x80", "E0100" },
	};

	(void)state;
	for (size_t i = 0; i < DL_COUNT(unseen); i++) {
		dl_autobuf text = DL_BUF_INIT, wanted = DL_BUF_INIT;
		dl_buf_printf(&text, "a%sb", unseen[i].bytes);
		dl_buf_printf(&wanted, ">a[U+%s]b<", unseen[i].name);
		dl_autofree char *page =
			show(dl_template_hostile, json_pack("{ss}", "text", text.data));
		assert_shows(page, wanted.data);
	}
}

static void keeps_line_breaks_and_letters_of_all_scripts(void **state)
{
	(void)state;
	const char *text = "one\n\ttwo \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x94\xa5 "
			   "\xe2\x80\x90\xe2\x80\x94\xe2\x80\xaf\xe2\x82\xac\xef\xbf\xbd";
	dl_autofree char *page = show(dl_template_hostile, json_pack("{ss}", "text", text));
	assert_shows(page, text);
}

static void marks_encoded_bytes_and_nothing_else(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{ss}", "path", "/tmp/<b>%0A%FF100%zz%25"));
	assert_shows(page, "<code>/tmp/&lt;b&gt;<span class=\"byte\">%0A%FF</span>100%zz"
			   "<span class=\"byte\">%25</span></code>");
}

static void assert_words(const char *text, const char *markup)
{
	dl_autofree char *page = show(dl_template_hostile, json_pack("{ss}", "words", text));
	dl_autobuf wanted = DL_BUF_INIT;
	dl_buf_printf(&wanted, "<p>%s</p>", markup);
	assert_shows(page, wanted.data);
}

static void shows_names_between_backticks_as_code(void **state)
{
	(void)state;
	assert_words("Remove `x.service` of `y`.", "Remove <code>x.service</code> of <code>y</code>.");
	assert_words("`<b>%0A`", "<code>&lt;b&gt;<span class=\"byte\">%0A</span></code>");
	assert_words("`` echo `id` `` ran", "<code>echo `id`</code> ran");
	assert_words("``` `` ```", "<code>``</code>");
	assert_words("a ` b `` c", "a ` b `` c");
	assert_words("a `b", "a `b");
	assert_words("``", "``");
	assert_words("no ticks", "no ticks");
}

static void encodes_parts_of_addresses(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{ss}", "text", "../a?b=c&d#e \"\xc3\xa9"));
	assert_shows(page, "href=\"/hosts/..%2Fa%3Fb%3Dc%26d%23e%20%22%C3%A9\"");
}

static void writes_only_addresses_of_this_server(void **state)
{
	(void)state;
	static const char *const foreign[] = { "//evil.example", "/\\evil.example",
					       "javascript:alert(1)", "https://evil.example", "",
					       "/\t/evil.example", "/a\\evil.example" };
	for (size_t i = 0; i < DL_COUNT(foreign); i++) {
		dl_autofree char *page =
			show(dl_template_hostile, json_pack("{ss}", "next", foreign[i]));
		assert_shows(page, "<a href=\"/\">next</a>");
	}
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{ss}", "next", "/hosts?a=1&b=\"2\""));
	assert_shows(page, "<a href=\"/hosts?a=1&amp;b=&quot;2&quot;\">");
}

static void writes_nothing_for_absent_members_and_wrong_types(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{s[i] s{} si sn}", "text", 1, "path", "list", 5,
						"number"));
	assert_shows(page, "<p class=\"\" title=\"\"></p>");
	assert_shows(page, "<code></code>");
	assert_shows(page, "no\nnone\n");
}

static void chooses_branches_and_walks_lists(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_hostile,
				      json_pack("{sb si s[{ss}{ss}]}", "flag", 0, "number", 7, "list",
						"name", "<1>", "name", "2"));
	assert_shows(page, ">7</a>");
	assert_shows(page, "seven\n<i>&lt;1&gt;</i><i>2</i>");
	dl_autofree char *other = show(dl_template_hostile,
				       json_pack("{sb ss}", "flag", 1, "text", "x"));
	assert_shows(other, "yes\nnone");
}

static void says_sizes_modes_and_counts_in_words(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_filters,
				      json_pack("{sI s[ii]}", "value", (json_int_t)1348212, "list", 1,
						2));
	assert_shows(page, "1,348,212 bytes|");
	assert_shows(page, "|2|");
	dl_autofree char *one = show(dl_template_filters, json_pack("{si}", "value", 1));
	assert_shows(one, "1 byte|0001 --------x|0|");
	dl_autofree char *special = show(dl_template_filters, json_pack("{si}", "value", 07644));
	assert_shows(special, "|7644 rwSr-Sr-T|");
	dl_autofree char *usual = show(dl_template_filters, json_pack("{si}", "value", 04755));
	assert_shows(usual, "|4755 rwsr-xr-x|");
}

static void assert_ago(int64_t before, const char *words)
{
	dl_autofree char *page = show(dl_template_filters,
				      json_pack("{sI}", "value", (json_int_t)(NOW - before)));
	dl_autobuf wanted = DL_BUF_INIT;
	dl_buf_printf(&wanted, ">%s</time>|", words);
	assert_shows(page, wanted.data);
}

static void says_how_long_ago_and_the_exact_time_besides(void **state)
{
	(void)state;
	assert_ago(0, "just now");
	assert_ago(59 * 1000, "59 s ago");
	assert_ago(4 * MINUTE, "4 min ago");
	assert_ago(47 * (int64_t)HOUR, "47 h ago");
	assert_ago(30 * (int64_t)DAY, "30 days ago");
	assert_ago(-2 * (int64_t)MINUTE, "in 2 min");
	dl_autofree char *page = show(dl_template_filters,
				      json_pack("{sI}", "value", (json_int_t)(NOW - HOUR)));
	assert_shows(page, "<time datetime=\"2026-03-14T14:09:26Z\" title=\"14 Mar 2026, 14:09:26 UTC\">");
	assert_shows(page, ">14 Mar 2026, 14:09 UTC</time>|");
	assert_shows(page, ">14:09 UTC</time>");
}

static void names_the_day_when_it_was_not_today(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_filters,
				      json_pack("{sI}", "value", (json_int_t)(NOW - DAY)));
	assert_shows(page, "|<time datetime=\"2026-03-13T15:09:26Z\" title=\"13 Mar 2026, 15:09:26 UTC\">"
			   "13 Mar 2026, 15:09 UTC</time>\n");
}

static void shows_no_time_for_never(void **state)
{
	(void)state;
	dl_autofree char *page = show(dl_template_filters, json_pack("{si}", "value", 0));
	assert_hides(page, "<time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_markup_and_quotes_in_text_and_attributes),
		cmocka_unit_test(shows_controls_and_bidirectional_overrides_as_names),
		cmocka_unit_test(shows_what_nobody_would_see_as_names),
		cmocka_unit_test(keeps_line_breaks_and_letters_of_all_scripts),
		cmocka_unit_test(marks_encoded_bytes_and_nothing_else),
		cmocka_unit_test(shows_names_between_backticks_as_code),
		cmocka_unit_test(encodes_parts_of_addresses),
		cmocka_unit_test(writes_only_addresses_of_this_server),
		cmocka_unit_test(writes_nothing_for_absent_members_and_wrong_types),
		cmocka_unit_test(chooses_branches_and_walks_lists),
		cmocka_unit_test(says_sizes_modes_and_counts_in_words),
		cmocka_unit_test(says_how_long_ago_and_the_exact_time_besides),
		cmocka_unit_test(names_the_day_when_it_was_not_today),
		cmocka_unit_test(shows_no_time_for_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
