#include "core/wire/envelope.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct dl_foothold *sealed(struct dl_foothold *foothold)
{
	dl_foothold_seal(foothold);
	return foothold;
}

static int read_back(const json_t *json, struct dl_foothold **ret)
{
	struct dl_error err;
	return dl_foothold_from_json(json, ret, &err);
}

static void brings_a_foothold_back_from_json_unchanged(void **state)
{
	(void)state;
	dl_auto(dl_foothold) foothold = sample_timer("x.timer", "x.service", "/opt/x");
	struct dl_object *payload = sample_object(foothold, DL_ROLE_PAYLOAD);
	payload->package = dl_strdup("x-tools");
	payload->package_source = dl_strdup("dpkg: x-tools.list");
	payload->protected_by = dl_strdup("it is the way in");
	payload->baseline = DL_BASELINE_DIFFERENT;
	payload->immutable = payload->conffile = true;
	foothold->manual_because = dl_strdup("shadows a vendor unit");
	foothold->first_seen = 1700000000000;
	dl_foothold_seal(foothold);
	dl_autojson *json = dl_foothold_to_json(foothold);
	dl_auto(dl_foothold) again = NULL;
	assert_int_equal(read_back(json, &again), 0);
	dl_autojson *again_json = dl_foothold_to_json(again);
	assert_true(json_equal(json, again_json));
	assert_string_equal(again->key, foothold->key);
}

static void keeps_hostile_names_through_json(void **state)
{
	(void)state;
	static const char *const names[] = { "/tmp/a%0Ab", "/tmp/%FF%FE", "/tmp/100%25",
					     "/tmp/gnp.%E2%80%AEexe", "/tmp/\"\\'<script>",
					     "/tmp/ä", "/tmp/%1B[31m" };
	for (size_t i = 0; i < DL_COUNT(names); i++) {
		dl_auto(dl_foothold) foothold = sealed(sample_service("x.service", names[i]));
		dl_autojson *json = dl_foothold_to_json(foothold);
		dl_autofree char *text = dl_json_text(json);
		dl_autojson *parsed = NULL;
		dl_auto(dl_foothold) again = NULL;
		assert_int_equal(dl_json_parse(text, strlen(text), 1 << 20, &parsed, NULL), 0);
		assert_int_equal(read_back(parsed, &again), 0);
		assert_string_equal(sample_object(again, DL_ROLE_PAYLOAD)->path, names[i]);
	}
}

static void gives_each_identity_its_own_key(void **state)
{
	(void)state;
	dl_auto(dl_foothold) service = sealed(sample_service("x.service", "/opt/x"));
	dl_auto(dl_foothold) other = sealed(sample_service("y.service", "/opt/x"));
	dl_auto(dl_foothold) first = sealed(sample_cron("alice", "* * * * * /opt/x", NULL));
	dl_auto(dl_foothold) second = sample_cron("alice", "* * * * * /opt/x", NULL);
	second->occurrence = 2;
	dl_foothold_seal(second);
	assert_string_not_equal(service->key, other->key);
	assert_string_not_equal(first->key, second->key);
	dl_auto(dl_foothold) scoped = sample_cron("alice", "* * * * * /opt/x", NULL);
	free(scoped->scope);
	scoped->scope = dl_strdup("user:bob");
	dl_foothold_seal(scoped);
	assert_string_not_equal(first->key, scoped->key);
}

static void keeps_neighbouring_texts_of_a_key_apart(void **state)
{
	(void)state;
	dl_auto(dl_foothold) one = dl_foothold_new(DL_KIND_REGISTRY_RUN);
	dl_auto(dl_foothold) two = dl_foothold_new(DL_KIND_REGISTRY_RUN);
	one->location = dl_strdup("ab");
	one->name = dl_strdup("c");
	two->location = dl_strdup("a");
	two->name = dl_strdup("bc");
	dl_foothold_seal(one);
	dl_foothold_seal(two);
	assert_string_not_equal(one->key, two->key);
}

static void changes_the_digest_but_not_the_key_when_the_content_changes(void **state)
{
	(void)state;
	dl_auto(dl_foothold) before = sealed(sample_service("x.service", "/opt/x"));
	dl_auto(dl_foothold) after = sample_service("x.service", "/opt/x");
	sample_object(after, DL_ROLE_UNIT)->sha256[0] ^= 1;
	dl_foothold_seal(after);
	assert_string_equal(before->key, after->key);
	assert_string_not_equal(before->digest, after->digest);
	dl_auto(dl_foothold) owner = sample_service("x.service", "/opt/x");
	sample_object(owner, DL_ROLE_UNIT)->uid = 1000;
	dl_foothold_seal(owner);
	assert_string_not_equal(before->digest, owner->digest);
}

static void keeps_the_digest_when_payload_or_other_lines_of_the_table_change(void **state)
{
	(void)state;
	dl_auto(dl_foothold) before = sealed(sample_cron("alice", "* * * * * /opt/x", "/opt/x"));
	dl_auto(dl_foothold) after = sample_cron("alice", "* * * * * /opt/x", "/opt/x");
	sample_object(after, DL_ROLE_TABLE)->sha256[0] ^= 1;
	sample_object(after, DL_ROLE_PAYLOAD)->sha256[0] ^= 1;
	dl_foothold_seal(after);
	assert_string_equal(before->digest, after->digest);
}

static void refuses_a_key_or_digest_that_the_facts_do_not_give(void **state)
{
	(void)state;
	static const char *const members[] = { "key", "digest" };
	for (size_t i = 0; i < DL_COUNT(members); i++) {
		dl_auto(dl_foothold) foothold = sealed(sample_service("x.service", "/opt/x"));
		dl_autojson *json = dl_foothold_to_json(foothold);
		dl_json_put_str(json, members[i],
				"00000000000000000000000000000000"
				"00000000000000000000000000000000");
		struct dl_foothold *again = NULL;
		assert_int_equal(read_back(json, &again), DL_E_INVALID);
		assert_null(again);
	}
}

/* Every member that is always written must also be there when read. */
static void refuses_a_foothold_without_its_required_members(void **state)
{
	(void)state;
	static const char *const members[] = { "key",	     "digest",	   "kind",	"scope",
					       "location",   "occurrence", "objects", "first_seen" };
	dl_auto(dl_foothold) foothold = sealed(sample_service("x.service", "/opt/x"));
	for (size_t i = 0; i < DL_COUNT(members); i++) {
		dl_autojson *json = dl_foothold_to_json(foothold);
		json_object_del(json, members[i]);
		struct dl_foothold *again = NULL;
		assert_int_equal(read_back(json, &again), DL_E_INVALID);
	}
}

static void refuses_an_object_that_breaks_its_schema(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"extra\":1}",	  "{\"role\":\"king\"}",  "{\"type\":\"socket\"}",
		"{\"baseline\":\"new\"}", "{\"size\":-1}",	  "{\"mode\":4096}",
		"{\"uid\":-1}",		  "{\"gid\":4294967296}", "{\"sha256\":\"AB\"}",
		"{\"path\":\"/%41\"}",	  "{\"path\":\"\"}",	  "{\"path\":null}",
		"{\"links\":null}",	  "{\"immutable\":1}",	  "{\"link_target\":\"a%00\"}",
	};
	dl_auto(dl_foothold) foothold = sample_service("x.service", "/opt/x");
	for (size_t i = 0; i < DL_COUNT(changes); i++) {
		dl_autojson *json = dl_object_to_json(&foothold->objects[0]);
		dl_autojson *change = json_loads(changes[i], 0, NULL);
		struct dl_object object = { 0 };
		assert_int_equal(json_object_update(json, change), 0);
		assert_true(dl_object_from_json(json, &object, NULL) < 0);
		assert_null(object.path);
	}
}

static void refuses_more_objects_than_a_foothold_may_have(void **state)
{
	(void)state;
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_SYSTEMD_SERVICE);
	for (int i = 0; i < DL_FOOTHOLD_OBJECTS_MAX; i++)
		assert_non_null(dl_foothold_add_object(foothold));
	assert_null(dl_foothold_add_object(foothold));
}

static void knows_every_kind_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < DL_KIND_COUNT; i++) {
		enum dl_kind kind = DL_KIND_COUNT;
		const struct dl_kind_info *info = dl_kind_info((enum dl_kind)i);
		assert_int_equal(dl_kind_parse(info->name, &kind, NULL), 0);
		assert_int_equal(kind, i);
		assert_int_equal(info->attack[0], 'T');
		assert_true(strlen(info->words) > 0);
	}
	enum dl_kind kind;
	assert_int_equal(dl_kind_parse("systemd", &kind, NULL), DL_E_INVALID);
}

static void brings_a_survey_back_from_json_unchanged(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = sample_survey();
	sample_add(survey, sample_service("x.service", "/opt/x"));
	sample_add(survey, sample_cron("alice", "* * * * * /opt/x", "/opt/x"));
	survey->trusted = false;
	survey->untrusted_because = dl_strdup("/etc/ld.so.preload is not empty");
	survey->omitted = 7;
	dl_survey_cover(survey, DL_KIND_CRON_USER, DL_COVERAGE_PARTIAL, "one table was unreadable");
	dl_autojson *json = dl_survey_to_json(survey);
	dl_auto(dl_survey) again = NULL;
	assert_int_equal(dl_survey_from_json(json, &again, NULL), 0);
	dl_autojson *again_json = dl_survey_to_json(again);
	assert_true(json_equal(json, again_json));
	assert_int_equal(again->coverage[DL_KIND_CRON_USER], DL_COVERAGE_PARTIAL);
	assert_false(again->trusted);
}

static void refuses_a_survey_that_breaks_its_schema(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"extra\":1}",
		"{\"started\":-1}",
		"{\"finished\":null}",
		"{\"omitted\":\"7\"}",
		"{\"host\":{\"hostname\":\"x\",\"ip\":\"y\"}}",
		"{\"host\":null}",
		"{\"coverage\":{\"no.kind\":{\"state\":\"complete\",\"why\":\"\"}}}",
		"{\"coverage\":{\"cron.user\":{\"state\":\"perfect\",\"why\":\"\"}}}",
		"{\"coverage\":{\"cron.user\":{\"state\":\"complete\",\"more\":1}}}",
		"{\"coverage\":[]}",
		"{\"footholds\":[{}]}",
		"{\"footholds\":null}",
		"{\"trusted\":\"yes\"}",
	};
	dl_auto(dl_survey) survey = sample_survey();
	sample_add(survey, sample_service("x.service", "/opt/x"));
	for (size_t i = 0; i < DL_COUNT(changes); i++) {
		dl_autojson *json = dl_survey_to_json(survey);
		dl_autojson *change = json_loads(changes[i], 0, NULL);
		struct dl_survey *again = NULL;
		assert_int_equal(json_object_update(json, change), 0);
		assert_true(dl_survey_from_json(json, &again, NULL) < 0);
		assert_null(again);
	}
}

static void calls_a_kind_unsupported_that_a_survey_does_not_mention(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = sample_survey();
	dl_autojson *json = dl_survey_to_json(survey);
	json_object_del(json_object_get(json, "coverage"), "registry.run");
	dl_auto(dl_survey) again = NULL;
	assert_int_equal(dl_survey_from_json(json, &again, NULL), 0);
	assert_int_equal(again->coverage[DL_KIND_REGISTRY_RUN], DL_COVERAGE_UNSUPPORTED);
	assert_int_equal(again->coverage[DL_KIND_CRON_USER], DL_COVERAGE_COMPLETE);
}

static void drops_a_foothold_its_reader_would_refuse_and_says_so(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = sample_survey();
	struct dl_foothold *hostile = sample_service("x.service", "/opt/%41");
	dl_foothold_seal(hostile);
	dl_survey_add(survey, hostile);
	sample_add(survey, sample_service("y.service", "/opt/y"));
	assert_int_equal(survey->foothold_count, 1);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	assert_non_null(survey->coverage_why[DL_KIND_SYSTEMD_SERVICE]);
	dl_survey_cover(survey, DL_KIND_SYSTEMD_SERVICE, DL_COVERAGE_COMPLETE, NULL);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	dl_autojson *json = dl_survey_to_json(survey);
	dl_auto(dl_survey) again = NULL;
	assert_int_equal(dl_survey_from_json(json, &again, NULL), 0);
}

static void stays_within_its_limits_when_a_host_has_too_many_footholds(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = sample_survey();
	for (int i = 0; i < DL_SURVEY_FOOTHOLDS_MAX + 10; i++) {
		struct dl_foothold *foothold = sample_cron("alice", "* * * * * x", NULL);
		foothold->occurrence = i + 1;
		sample_add(survey, foothold);
	}
	dl_autojson *json = dl_survey_to_json(survey);
	dl_autofree char *text = dl_json_text(json);
	assert_true(survey->foothold_count <= DL_SURVEY_FOOTHOLDS_MAX);
	assert_true(survey->foothold_count > 1000);
	assert_true(strlen(text) <= DL_SURVEY_MAX_BYTES);
	assert_int_equal(survey->coverage[DL_KIND_CRON_USER], DL_COVERAGE_PARTIAL);
	assert_int_equal(survey->coverage[DL_KIND_CRON_SYSTEM], DL_COVERAGE_COMPLETE);
}

/* core/json bounds the values of a text: no survey may hold more. */
static void can_be_read_again_when_full_of_the_smallest_objects(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = sample_survey();
	while (survey->coverage[DL_KIND_CRON_USER] == DL_COVERAGE_COMPLETE) {
		struct dl_foothold *foothold = sample_cron("alice", "* * * * * x", NULL);
		foothold->occurrence = (int64_t)survey->foothold_count + 1;
		struct dl_object *object;
		while ((object = dl_foothold_add_object(foothold))) {
			object->role = DL_ROLE_UNIT;
			object->type = DL_TYPE_FILE;
			object->path = dl_strdup("/");
			object->baseline = DL_BASELINE_NONE;
		}
		sample_add(survey, foothold);
	}
	dl_autojson *json = dl_survey_to_json(survey), *again = NULL;
	dl_autofree char *text = dl_json_text(json);
	assert_true(strlen(text) > DL_SURVEY_MAX_BYTES - 128 * 1024);
	assert_int_equal(dl_json_parse(text, strlen(text), DL_SURVEY_MAX_BYTES, &again, NULL), 0);
}

/* The server takes 8 MiB in one request (docs/protocol.md). */
static void fits_into_one_request_when_it_is_made_of_quotes(void **state)
{
	(void)state;
	enum { REQUEST_MAX_BYTES = 8 * 1024 * 1024, QUOTES = 4000 };
	dl_auto(dl_signing_key) key = NULL;
	dl_auto(dl_survey) survey = sample_survey();
	char quotes[QUOTES + 1];
	memset(quotes, '"', QUOTES);
	quotes[QUOTES] = '\0';
	while (survey->coverage[DL_KIND_CRON_USER] == DL_COVERAGE_COMPLETE) {
		struct dl_foothold *foothold = sample_cron("alice", quotes, NULL);
		foothold->occurrence = (int64_t)survey->foothold_count + 1;
		sample_add(survey, foothold);
	}
	dl_autojson *json = dl_survey_to_json(survey), *envelope = NULL;
	dl_autofree char *text = dl_json_text(json);
	assert_int_equal(dl_signing_key_generate(&key, NULL), 0);
	assert_int_equal(dl_envelope_sign(key, DL_TYPE_RECORD, text, &envelope, NULL), 0);
	dl_autofree char *travels = dl_json_text(envelope);
	assert_true(strlen(travels) < REQUEST_MAX_BYTES / 10 * 9);
	assert_true(strlen(travels) > REQUEST_MAX_BYTES / 2);
	assert_non_null(strstr(survey->coverage_why[DL_KIND_CRON_USER], "more bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_a_foothold_back_from_json_unchanged),
		cmocka_unit_test(keeps_hostile_names_through_json),
		cmocka_unit_test(gives_each_identity_its_own_key),
		cmocka_unit_test(keeps_neighbouring_texts_of_a_key_apart),
		cmocka_unit_test(changes_the_digest_but_not_the_key_when_the_content_changes),
		cmocka_unit_test(keeps_the_digest_when_payload_or_other_lines_of_the_table_change),
		cmocka_unit_test(refuses_a_key_or_digest_that_the_facts_do_not_give),
		cmocka_unit_test(refuses_a_foothold_without_its_required_members),
		cmocka_unit_test(refuses_an_object_that_breaks_its_schema),
		cmocka_unit_test(refuses_more_objects_than_a_foothold_may_have),
		cmocka_unit_test(knows_every_kind_by_its_name),
		cmocka_unit_test(brings_a_survey_back_from_json_unchanged),
		cmocka_unit_test(refuses_a_survey_that_breaks_its_schema),
		cmocka_unit_test(calls_a_kind_unsupported_that_a_survey_does_not_mention),
		cmocka_unit_test(drops_a_foothold_its_reader_would_refuse_and_says_so),
		cmocka_unit_test(stays_within_its_limits_when_a_host_has_too_many_footholds),
		cmocka_unit_test(can_be_read_again_when_full_of_the_smallest_objects),
		cmocka_unit_test(fits_into_one_request_when_it_is_made_of_quotes),
	};
	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
