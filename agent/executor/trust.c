#include "agent/executor/trust.h"

#include "core/base/time.h"

#include <inttypes.h>
#include <stdio.h>

enum { CERT_MAX_BYTES = 4096, TIME_DIGITS = 24 };

static int check_time(const struct dl_key_cert *cert, int64_t now, struct dl_error *err)
{
	char limit[DL_TIME_TEXT_SIZE];
	if (now > cert->not_after) {
		dl_time_format(cert->not_after, limit);
		return dl_error_set(err, DL_E_DENIED, "the server's signing key expired at %s",
				    limit);
	}
	if (now + DL_TRUST_LAG_MS < cert->not_before) {
		dl_time_format(cert->not_before, limit);
		return dl_error_set(err, DL_E_DENIED,
				    "the server's signing key is valid from %s on", limit);
	}
	return 0;
}

int dl_trust_open(const struct dl_identity *identity, const json_t *key, const json_t *envelope,
		  const char *type, size_t body_limit, int64_t now, const char **ret_body,
		  struct dl_error *err)
{
	const char *body;
	struct dl_key_cert cert;
	int r = dl_envelope_verify(key, DL_TYPE_KEY, identity->root_key, CERT_MAX_BYTES, &body, err);
	if (r >= 0)
		r = dl_key_cert_from_body(body, &cert, err);
	if (r >= 0)
		r = check_time(&cert, now, err);
	if (r < 0)
		return dl_error_prefix(err, r, "the key certificate");
	return dl_envelope_verify(envelope, type, cert.public_key, body_limit, ret_body, err);
}

static int seen_time(struct dl_journal *journal, int64_t *ret, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	int r = dl_journal_setting(journal, DL_SETTING_CLOCK, &text, err);
	if (r == DL_E_NOT_FOUND) {
		*ret = 0;
		return 0;
	}
	if (r < 0)
		return r;
	*ret = strtoll(text, NULL, 10);
	return 0;
}

int dl_trust_now(struct dl_journal *journal, int64_t *ret_now, struct dl_error *err)
{
	int64_t seen, own = dl_time_now_ms();
	int r = seen_time(journal, &seen, err);
	if (r < 0)
		return r;
	*ret_now = seen > own ? seen : own;
	return 0;
}

int dl_trust_saw(struct dl_journal *journal, int64_t server_time, struct dl_error *err)
{
	int64_t seen;
	int r = seen_time(journal, &seen, err);
	if (r < 0 || server_time <= seen)
		return r;
	char text[TIME_DIGITS];
	snprintf(text, sizeof(text), "%" PRId64, server_time);
	return dl_journal_set(journal, DL_SETTING_CLOCK, text, err);
}
