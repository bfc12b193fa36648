#include "agent/executor/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ID_TEXT_SIZE = 24 };

void dl_identity_free(struct dl_identity *identity)
{
	if (!identity)
		return;
	dl_signing_key_free(identity->key);
	free(identity);
}

static int load_id(struct dl_journal *journal, const char *name, int64_t *ret,
		   struct dl_error *err)
{
	dl_autofree char *text = NULL;
	int r = dl_journal_setting(journal, name, &text, err);
	if (r < 0)
		return r;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || value <= 0)
		return dl_error_set(err, DL_E_INVALID, "the setting '%s' is damaged", name);
	*ret = value;
	return 0;
}

static int load_key(struct dl_journal *journal, struct dl_identity *identity,
		    struct dl_error *err)
{
	dl_autofree char *private_text = NULL;
	int r = dl_journal_setting(journal, DL_SETTING_PRIVATE_KEY, &private_text, err);
	if (r < 0)
		return r;
	r = dl_signing_key_import(private_text, &identity->key, err);
	explicit_bzero(private_text, strlen(private_text));
	if (r < 0)
		return r;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	dl_signing_key_public(identity->key, public_key);
	return dl_key_id(public_key, identity->key_id, err);
}

static int load_root(struct dl_journal *journal, struct dl_identity *identity,
		     struct dl_error *err)
{
	dl_autofree char *root = NULL, *pinned = NULL;
	char key_id[DL_KEY_ID_TEXT_SIZE];
	int r = dl_journal_setting(journal, DL_SETTING_ROOT_KEY, &root, err);
	if (r >= 0)
		r = dl_journal_setting(journal, DL_SETTING_ROOT_KEY_ID, &pinned, err);
	if (r >= 0)
		r = dl_key_id(root, key_id, err);
	if (r < 0)
		return r;
	if (strcmp(key_id, pinned) != 0)
		return dl_error_set(err, DL_E_DENIED,
				    "the server's root key is not the one pinned at enrolment");
	memcpy(identity->root_key, root, DL_PUBLIC_KEY_TEXT_SIZE);
	return 0;
}

int dl_identity_load(struct dl_journal *journal, struct dl_identity **ret, struct dl_error *err)
{
	dl_auto(dl_identity) identity = DL_NEW(struct dl_identity);
	int r = load_id(journal, DL_SETTING_AGENT_ID, &identity->agent, err);
	if (r == DL_E_NOT_FOUND)
		return dl_error_set(err, r, "this host is not enrolled with a server yet: "
					    "dislodge-agent enrol --key-file FILE");
	if (r >= 0)
		r = load_id(journal, DL_SETTING_ORGANIZATION, &identity->organization, err);
	if (r >= 0)
		r = load_key(journal, identity, err);
	if (r >= 0)
		r = load_root(journal, identity, err);
	if (r < 0)
		return dl_error_prefix(err, r, "loading this agent's identity");
	*ret = DL_TAKE(identity);
	return 0;
}

static int close_plan(struct dl_journal *journal, const char *plan_id, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	int r = dl_journal_plan(journal, plan_id, &plan, err);
	if (r < 0)
		return r;
	enum dl_journal_plan_state end = plan.state == DL_JOURNAL_CLAIMED ? DL_JOURNAL_FINISHED
									  : DL_JOURNAL_REFUSED;
	return dl_journal_plan_move(journal, plan_id, plan.state, end, err);
}

static int forget_errands(struct dl_journal *journal, struct dl_error *err)
{
	dl_autojson *plans = NULL;
	int64_t seq;
	int r = dl_journal_plans_open(journal, &plans, err);
	for (size_t i = 0; r >= 0 && i < json_array_size(plans); i++)
		r = close_plan(journal, json_string_value(json_array_get(plans, i)), err);
	if (r >= 0)
		r = dl_journal_last_seq(journal, &seq, err);
	if (r >= 0 && seq > 0)
		r = dl_journal_acked(journal, seq, err);
	return r;
}

int dl_identity_store(struct dl_journal *journal, const struct dl_identity *identity,
		      struct dl_error *err)
{
	char agent[ID_TEXT_SIZE], organization[ID_TEXT_SIZE];
	char private_key[DL_PRIVATE_KEY_TEXT_SIZE], root_key_id[DL_KEY_ID_TEXT_SIZE];
	snprintf(agent, sizeof(agent), "%" PRId64, identity->agent);
	snprintf(organization, sizeof(organization), "%" PRId64, identity->organization);
	int r = dl_key_id(identity->root_key, root_key_id, err);
	if (r >= 0)
		r = forget_errands(journal, err);
	if (r >= 0)
		r = dl_signing_key_export(identity->key, private_key, err);
	if (r < 0)
		return r;
	const struct dl_setting settings[] = {
		{ DL_SETTING_AGENT_ID, agent },
		{ DL_SETTING_ORGANIZATION, organization },
		{ DL_SETTING_PRIVATE_KEY, private_key },
		{ DL_SETTING_ROOT_KEY, identity->root_key },
		{ DL_SETTING_ROOT_KEY_ID, root_key_id },
	};
	r = dl_journal_set_all(journal, settings, DL_COUNT(settings), err);
	explicit_bzero(private_key, sizeof(private_key));
	return r;
}
