/* The local stream: hostile peers end their own connection and nothing else. */
#include "agent/platform/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct pair {
	char folder[64], path[96];
	struct dl_listener *listener;
	struct dl_channel *here; /* accepted */
	int there;               /* the hostile end, a bare socket */
};

static int connect_bare(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	struct pair *pair = DL_NEW(struct pair);
	snprintf(pair->folder, sizeof(pair->folder), "/tmp/dislodge-test.XXXXXX");
	assert_non_null(mkdtemp(pair->folder));
	snprintf(pair->path, sizeof(pair->path), "%s/socket", pair->folder);
	assert_int_equal(dl_listener_open(pair->path, getgid(), &pair->listener, NULL), 0);
	pair->there = connect_bare(pair->path);
	assert_int_equal(dl_listener_accept(pair->listener, &pair->here, NULL), 0);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;
	close(pair->there);
	dl_channel_free(pair->here);
	dl_listener_free(pair->listener);
	rmdir(pair->folder);
	free(pair);
	return 0;
}

static void say_bytes(const struct pair *pair, const char *bytes, size_t size)
{
	assert_int_equal(send(pair->there, bytes, size, 0), size);
}

static void knows_who_is_at_the_other_end(void **state)
{
	struct pair *pair = *state;
	assert_int_equal(dl_channel_peer(pair->here), getuid());
}

static void lets_only_owner_and_group_connect(void **state)
{
	struct pair *pair = *state;
	struct stat facts;
	assert_int_equal(stat(pair->path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0660);
}

static void a_message_in_pieces_arrives_whole(void **state)
{
	struct pair *pair = *state;
	dl_autojson *got = NULL;
	say_bytes(pair, "\0\0\0\7{\"a", 7);
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), DL_E_BUSY);
	say_bytes(pair, "\":1}", 4);
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(got, "a")), 1);
}

static void a_giant_length_is_refused_before_a_byte_is_kept(void **state)
{
	struct pair *pair = *state;
	dl_autojson *got = NULL;
	say_bytes(pair, "\xff\xff\xff\xff", 4);
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), DL_E_LIMIT);
}

static void junk_is_refused(void **state)
{
	struct pair *pair = *state;
	dl_autojson *got = NULL;
	say_bytes(pair, "\0\0\0\4junk", 8);
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), DL_E_INVALID);
}

static void a_peer_that_left_is_told_apart_from_a_silent_one(void **state)
{
	struct pair *pair = *state;
	dl_autojson *got = NULL;
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), DL_E_BUSY);
	shutdown(pair->there, SHUT_WR);
	assert_int_equal(dl_channel_receive(pair->here, &got, NULL), DL_E_UNAVAILABLE);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
	struct pair *pair = *state;
	dl_autofree char *large = dl_alloc(4 * 1024 * 1024 + 1, 1);
	memset(large, 'x', 4 * 1024 * 1024);
	dl_autojson *message = json_pack("{s:s}", "x", large);
	int r = 0;
	for (int i = 0; r == 0 && i < 20; i++)
		r = dl_channel_send(pair->here, message, NULL);
	assert_int_equal(r, DL_E_LIMIT);
	assert_true(dl_channel_has_unsent(pair->here));
}

static void a_name_left_by_an_earlier_run_is_replaced(void **state)
{
	struct pair *pair = *state;
	struct dl_listener *second = NULL;
	assert_int_equal(dl_listener_open(pair->path, getgid(), &second, NULL), 0);
	int fd = connect_bare(pair->path);
	dl_auto(dl_channel) channel = NULL;
	assert_int_equal(dl_listener_accept(second, &channel, NULL), 0);
	close(fd);
	dl_listener_free(second);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(knows_who_is_at_the_other_end),
		PAIR_TEST(lets_only_owner_and_group_connect),
		PAIR_TEST(a_message_in_pieces_arrives_whole),
		PAIR_TEST(a_giant_length_is_refused_before_a_byte_is_kept),
		PAIR_TEST(junk_is_refused),
		PAIR_TEST(a_peer_that_left_is_told_apart_from_a_silent_one),
		PAIR_TEST(a_peer_that_does_not_read_is_given_up),
		PAIR_TEST(a_name_left_by_an_earlier_run_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
