/* Children: what they are told, and what they do not get from their parent. */
#include "agent/platform/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 4096, TIMEOUT_MS = 10 * 1000 };

static int echo(void *context, int channel)
{
	dl_autofree char *text = NULL;
	size_t size;
	(void)context;
	return dl_parent_read(channel, WORDS_MAX, TIMEOUT_MS, &text, &size, NULL) < 0 ||
	       dl_parent_write(channel, text, size, NULL) < 0;
}

static int count_descriptors(void *context, int channel)
{
	DIR *folder = opendir("/proc/self/fd");
	char words[16];
	int count = -1; /* the folder's own */
	(void)context;
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	snprintf(words, sizeof(words), "%d", count);
	return dl_parent_write(channel, words, strlen(words), NULL) < 0;
}

static int end_at_once(void *context, int channel)
{
	(void)context;
	(void)channel;
	return 0;
}

static void tells_a_child_and_hears_it(void **state)
{
	dl_auto(dl_child) child = NULL;
	dl_autofree char *text = NULL;
	size_t size;
	(void)state;
	assert_int_equal(dl_child_start(NULL, echo, NULL, &child, NULL), 0);
	assert_int_equal(dl_child_tell(child, "an errand", 9, NULL), 0);
	assert_int_equal(dl_child_read(child, WORDS_MAX, TIMEOUT_MS, &text, &size, NULL), 0);
	assert_int_equal(size, 9);
	assert_string_equal(text, "an errand");
}

static void refuses_a_child_that_says_too_much(void **state)
{
	dl_auto(dl_child) child = NULL;
	dl_autofree char *text = NULL;
	size_t size;
	(void)state;
	assert_int_equal(dl_child_start(NULL, echo, NULL, &child, NULL), 0);
	assert_int_equal(dl_child_tell(child, "an errand", 9, NULL), 0);
	assert_int_equal(dl_child_read(child, 8, TIMEOUT_MS, &text, &size, NULL), DL_E_LIMIT);
}

static void survives_a_child_that_is_gone(void **state)
{
	dl_auto(dl_child) child = NULL;
	int status;
	(void)state;
	assert_int_equal(dl_child_start(NULL, end_at_once, NULL, &child, NULL), 0);
	assert_int_equal(dl_child_wait(child, &status, NULL), 0);
	assert_int_equal(dl_child_tell(child, "an errand", 9, NULL), DL_E_IO);
}

static void gives_a_child_no_descriptor_but_the_standard_ones_and_its_channel(void **state)
{
	dl_auto(dl_child) child = NULL;
	dl_autofree char *text = NULL;
	dl_autohandle low = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dl_autohandle high = fcntl(low, F_DUPFD_CLOEXEC, 100);
	size_t size;
	(void)state;
	assert_true(low > STDERR_FILENO && high >= 100);
	assert_int_equal(dl_child_start(NULL, count_descriptors, NULL, &child, NULL), 0);
	assert_int_equal(dl_child_read(child, WORDS_MAX, TIMEOUT_MS, &text, &size, NULL), 0);
	assert_string_equal(text, "4");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_a_child_and_hears_it),
		cmocka_unit_test(refuses_a_child_that_says_too_much),
		cmocka_unit_test(survives_a_child_that_is_gone),
		cmocka_unit_test(
			gives_a_child_no_descriptor_but_the_standard_ones_and_its_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
