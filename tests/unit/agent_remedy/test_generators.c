/* What systemd would run at the reload that a removal asks for, on a host in memory. */
#include "agent/remedy/work.h"
#include "tests/fakes/fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define VENDOR "/usr/lib/systemd/system-generators"
#define LOCAL "/etc/systemd/system-generators"

static struct fake_host *host_with_generators(void)
{
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, VENDOR "/fstab", "vendor's")->mode = 0755;
	fake_owned(fake, "systemd", VENDOR "/fstab", "/lib/systemd/system-generators/fstab");
	return fake;
}

/* Ends the fake's life. "" when nothing is in the way. */
static char *objection_of(struct fake_host *fake)
{
	dl_auto(dl_host) host = fake_host_open(fake);
	struct work work = { .host = host };
	struct dl_error err = { 0 };
	int r = generators_are_owned(&work, &err);
	assert_true(r == 0 || r == DL_E_DENIED);
	return dl_strdup(r < 0 ? err.text : "");
}

static void expect(struct fake_host *fake, const char *words)
{
	dl_autofree char *objection = objection_of(fake);
	if (words)
		assert_non_null(strstr(objection, words));
	else
		assert_string_equal(objection, "");
}

static void accepts_what_packages_ship(void **state)
{
	(void)state;
	expect(host_with_generators(), NULL);
}

static void refuses_a_generator_of_no_package(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_file(fake, LOCAL "/evil", "x")->mode = 0755;
	expect(fake, LOCAL "/evil would run when systemd reloads, and no package owns it");
}

static void refuses_a_packages_generator_that_was_edited(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_file(fake, VENDOR "/fstab", "edited")->mode = 0755;
	expect(fake, "it is not as its package ships it");
}

static void refuses_a_packages_generator_that_nothing_can_check(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_file(fake, VENDOR "/bare", "x")->mode = 0755;
	fake_file(fake, "/var/lib/dpkg/info/bare.list", VENDOR "/bare\n");
	expect(fake, VENDOR "/bare would run when systemd reloads, and it cannot be checked");
}

static void judges_a_packages_link_by_what_it_leads_to(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_link(fake, VENDOR "/link", "fstab");
	fake_file(fake, "/var/lib/dpkg/info/link.list", VENDOR "/link\n");
	expect(fake, NULL);

	fake = host_with_generators();
	fake_link(fake, VENDOR "/link", "/opt/evil");
	fake_file(fake, "/opt/evil", "x")->mode = 0755;
	fake_file(fake, "/var/lib/dpkg/info/link.list", VENDOR "/link\n");
	expect(fake, "/opt/evil would run when systemd reloads, and no package owns it");
}

static void refuses_a_link_of_no_package(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_link(fake, LOCAL "/link", VENDOR "/fstab");
	expect(fake, LOCAL "/link would run when systemd reloads, and no package owns it");
}

static void passes_over_what_systemd_does_not_run(void **state)
{
	struct fake_host *fake = host_with_generators();
	(void)state;
	fake_file(fake, LOCAL "/README", "not executable");
	fake_link(fake, LOCAL "/masked", "/dev/null");
	fake_link(fake, VENDOR "/dangling", "/nowhere");
	fake_file(fake, "/var/lib/dpkg/info/link.list", VENDOR "/dangling\n");
	expect(fake, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_packages_ship),
		cmocka_unit_test(refuses_a_generator_of_no_package),
		cmocka_unit_test(refuses_a_packages_generator_that_was_edited),
		cmocka_unit_test(refuses_a_packages_generator_that_nothing_can_check),
		cmocka_unit_test(judges_a_packages_link_by_what_it_leads_to),
		cmocka_unit_test(refuses_a_link_of_no_package),
		cmocka_unit_test(passes_over_what_systemd_does_not_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
