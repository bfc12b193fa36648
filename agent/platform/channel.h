/* Channel: one end of the local stream between link and executor.
 *
 * Never blocks: what cannot be sent at once is kept, and what has not arrived
 * whole is told apart from what never will. The listener takes connections
 * only from the accounts it was given (unix(7), SO_PEERCRED: the credentials
 * are those at the time of connect, and no peer can choose them).
 */
#ifndef DL_AGENT_PLATFORM_CHANNEL_H
#define DL_AGENT_PLATFORM_CHANNEL_H

#include "core/base/mem.h"
#include "core/json/json.h"

struct dl_channel;
struct dl_listener;

/* More unsent bytes than this mean that the peer has stopped reading. */
enum { DL_CHANNEL_UNSENT_MAX = 20 * 1024 * 1024 };

int dl_channel_connect(const char *path, struct dl_channel **ret, struct dl_error *err);
void dl_channel_free(struct dl_channel *channel);
DL_DEFINE_AUTO(dl_channel, dl_channel_free)

/* For waiting only. */
int dl_channel_descriptor(const struct dl_channel *channel);
bool dl_channel_has_unsent(const struct dl_channel *channel);

/* The account at the other end, as the kernel says. */
int64_t dl_channel_peer(const struct dl_channel *channel);

/* Queues the message and sends what the peer takes now. DL_E_UNAVAILABLE: the
 * peer is gone; DL_E_LIMIT: it does not read, or the message fits no frame. */
int dl_channel_send(struct dl_channel *channel, const json_t *message, struct dl_error *err);
int dl_channel_flush(struct dl_channel *channel, struct dl_error *err);

/* The next message (a new reference). DL_E_BUSY: none now; DL_E_UNAVAILABLE:
 * the peer is gone; DL_E_INVALID, DL_E_LIMIT: it broke the format. */
int dl_channel_receive(struct dl_channel *channel, json_t **ret_message, struct dl_error *err);

/* Listens at `path`, replacing what an earlier run left there; mode 0660,
 * owned by us and `group`. Its folder is made (0755) when it is missing. */
int dl_listener_open(const char *path, int64_t group, struct dl_listener **ret,
		     struct dl_error *err);
/* Closes, and removes the socket's name. */
void dl_listener_free(struct dl_listener *listener);
DL_DEFINE_AUTO(dl_listener, dl_listener_free)
int dl_listener_descriptor(const struct dl_listener *listener);

/* A new connection. DL_E_BUSY: nobody waits. */
int dl_listener_accept(struct dl_listener *listener, struct dl_channel **ret,
		       struct dl_error *err);

/* One thing to wait for; poll(2) in our words. A descriptor of -1 is passed over. */
struct dl_wait {
	int descriptor;
	bool want_write; /* besides reading */
	bool ready;      /* set by dl_wait */
};
/* Until something is ready or the time is over; < 0 waits without end. */
int dl_wait(struct dl_wait *items, size_t count, int64_t timeout_ms, struct dl_error *err);

#endif
