/* Where a browser may be sent. */
#include "core/base/mem.h"
#include "server/http/local_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

static void admits_paths_of_this_server(void **state)
{
	static const char *const good[] = { "/", "/incidents/7", "/hosts?after=7&q=a%2Fb",
					    "/?next=https://example.org/", "/a/b/" };

	(void)state;
	for (size_t i = 0; i < DL_COUNT(good); i++)
		assert_true(dl_path_is_local(good[i]));
}

static void refuses_what_a_browser_takes_for_another_server(void **state)
{
	static const char *const wrong[] = {
		"//evil.example/", "/\\evil.example", "\\\\evil.example", "https://evil.example/",
		"/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/\r\n/evil.example",
		"/a\\..\\\\evil.example", "/.//evil.example", "/a/..//evil.example",
		"javascript:alert(1)", "evil.example",
	};

	(void)state;
	for (size_t i = 0; i < DL_COUNT(wrong); i++)
		assert_false(dl_path_is_local(wrong[i]));
}

static void refuses_blanks_controls_and_what_is_not_ascii(void **state)
{
	static const char *const wrong[] = { "/a b", "/a\x01", "/a\x7f", "/\xc2\xa0", "/a\xff",
					     " /a", "", NULL };

	(void)state;
	for (size_t i = 0; i < DL_COUNT(wrong); i++)
		assert_false(dl_path_is_local(wrong[i]));
}

static void refuses_a_path_that_is_too_long(void **state)
{
	char path[DL_LOCAL_PATH_MAX_BYTES + 2];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_false(dl_path_is_local(path));
	path[sizeof(path) - 2] = '\0';
	assert_true(dl_path_is_local(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_paths_of_this_server),
		cmocka_unit_test(refuses_what_a_browser_takes_for_another_server),
		cmocka_unit_test(refuses_blanks_controls_and_what_is_not_ascii),
		cmocka_unit_test(refuses_a_path_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
