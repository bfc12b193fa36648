/* Plan documents: what is written is read back, and nothing else is read. */
#include "agent/local/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *written(void)
{
	dl_autodocument document = { 0 };
	struct dl_plan *plan = dl_plan_new();
	plan->steps = dl_alloc(1, sizeof(*plan->steps));
	plan->step_count = 1;
	plan->steps[0] = (struct dl_step){ .id = 1, .verb = DL_VERB_MANUAL,
					   .title = dl_strdup("Look at it"),
					   .detail = dl_strdup("with your eyes") };
	dl_document_make(&document, "web1", plan);
	return dl_document_to_json(&document);
}

static void reads_back_what_was_written(void **state)
{
	dl_autojson *json = written();
	dl_autodocument document = { 0 };
	(void)state;
	assert_int_equal(dl_document_from_json(json, &document, NULL), 0);
	assert_string_equal(document.hostname, "web1");
	assert_int_equal(document.plan->step_count, 1);
	dl_autojson *again = dl_document_to_json(&document);
	assert_true(json_equal(json, again));
}

static void gives_each_document_an_id_of_its_own(void **state)
{
	dl_autojson *one = written(), *other = written();
	(void)state;
	assert_false(json_equal(json_object_get(one, "plan_id"), json_object_get(other, "plan_id")));
}

static void refuses(const char *member, json_t *value)
{
	dl_autojson *json = written();
	struct dl_document document = { 0 };
	struct dl_error error = { 0 };
	if (value)
		json_object_set_new(json, member, value);
	else
		json_object_del(json, member);
	assert_true(dl_document_from_json(json, &document, &error) < 0);
	assert_non_null(strstr(error.text, "no plan document"));
	assert_null(document.plan);
}

static void refuses_a_document_that_is_not_whole(void **state)
{
	static const char *const members[] = { "dislodge_plan", "plan_id", "hostname", "made",
					       "steps" };
	(void)state;
	for (size_t i = 0; i < DL_COUNT(members); i++)
		refuses(members[i], NULL);
}

static void refuses_another_version_and_members_it_does_not_know(void **state)
{
	(void)state;
	refuses("dislodge_plan", json_integer(2));
	refuses("command", json_string("rm -rf /"));
	refuses("plan_id", json_string("../../../etc/passwd"));
	refuses("hostname", json_string("\x1b[2J"));
	refuses("steps", json_string("all"));
	refuses("steps", json_pack("[{s:i}]", "id", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_written),
		cmocka_unit_test(gives_each_document_an_id_of_its_own),
		cmocka_unit_test(refuses_a_document_that_is_not_whole),
		cmocka_unit_test(refuses_another_version_and_members_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
