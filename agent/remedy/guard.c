/* The executor's own judgement on fresh facts: it may only refuse. */
#include "agent/remedy/work.h"

#include "core/base/bytes.h"
#include "core/plan/plan.h"

static struct dl_host_facts guard_facts(const struct dl_held *held)
{
	const struct dl_facts *facts = dl_held_facts(held);
	struct dl_host_facts seen = {
		.type = facts->type,
		.size = facts->size,
		.uid = facts->uid,
		.gid = facts->gid,
		.mode = facts->mode,
		.mtime_ns = facts->mtime_ns,
		.links = facts->links,
		.immutable = facts->locks != 0,
	};

	dl_held_identity(held, &seen.device, &seen.inode);
	return seen;
}

static void guard_clear_object(struct dl_object *object)
{
	dl_object_clear(object);
}
#define dl_autoobject __attribute__((cleanup(guard_clear_object))) struct dl_object

static int guard_refuse(enum dl_reason *ret_reason, enum dl_reason reason, struct dl_error *err,
			const char *words)
{
	*ret_reason = reason;
	return dl_error_set(err, DL_E_DENIED, "%s", words ? words : dl_reason_sentence(reason));
}

/* An edited line and an emptied folder are judged by less than a file that
 * goes: their tables may belong to a package as long as the line does not. */
static enum dl_reason guard_judge(const struct guard *guard, const struct dl_object *object,
				  char **ret_words)
{
	if (object->type == DL_TYPE_FOLDER)
		return object->package ? DL_REASON_PACKAGE_OWNED : DL_REASON_NONE;
	if (guard->role == DL_ROLE_TABLE)
		return object->package && object->baseline == DL_BASELINE_SAME ?
			       DL_REASON_PACKAGE_OWNED :
			       DL_REASON_NONE;
	return dl_plan_judge_object(object, ret_words);
}

/* What no package owns is judged by the handle alone; a package's file is read
 * once more, to be compared with what the package shipped. */
static int guard_describe(const struct guard *guard, const char *path, const struct dl_held *held,
			  struct dl_object *ret_object, struct dl_error *err)
{
	const struct dl_facts *facts = dl_held_facts(held);
	dl_autopackage package = { 0 };
	int r = dl_host_package_of(guard->work->host, path, &package, err);

	if (r < 0 && r != DL_E_UNSUPPORTED)
		return r;
	if (r < 0 || package.name)
		return dl_host_object(guard->work->host, path, guard->role, ret_object, err);
	*ret_object = (struct dl_object){
		.role = guard->role,
		.type = facts->type,
		.path = dl_bytes_encode_str(path),
		.link_target = facts->target ? dl_bytes_encode_str(facts->target) : NULL,
		.sha256 = facts->sha256[0] ? dl_strdup(facts->sha256) : NULL,
		.baseline = DL_BASELINE_ABSENT,
	};
	return 0;
}

int guard_allows(void *context, const char *path, const struct dl_held *held,
		 enum dl_reason *ret_reason, struct dl_error *err)
{
	const struct guard *guard = context;
	struct dl_host_facts facts = guard_facts(held);
	dl_autofree char *never = dl_host_protected_by(guard->work->host, path, &facts);
	dl_autofree char *words = NULL;
	dl_autoobject object = { 0 };
	enum dl_reason reason;
	int r;

	if (never)
		return guard_refuse(ret_reason, DL_REASON_PROTECTED, err, never);
	r = guard_describe(guard, path, held, &object, err);
	if (r < 0)
		return r;
	if (object.protected_by)
		return guard_refuse(ret_reason, DL_REASON_PROTECTED, err, object.protected_by);
	reason = guard_judge(guard, &object, &words);
	return reason == DL_REASON_NONE ? 0 : guard_refuse(ret_reason, reason, err, words);
}

void guard_end(struct run *run, int error, enum dl_reason reason, const struct dl_error *err)
{
	if (error == DL_E_NOT_FOUND)
		run_end(run, DL_RUN_ALREADY_GONE, DL_REASON_NONE, err);
	else if (error == DL_E_STALE)
		run_end(run, DL_RUN_STALE, DL_REASON_NONE, err);
	else if (error == DL_E_DENIED && reason != DL_REASON_IMMUTABLE_REFUSED)
		run_end(run, DL_RUN_REFUSED, reason, err);
	else if (reason == DL_REASON_NONE)
		run_end(run, DL_RUN_FAILED,
			error == DL_E_LIMIT || error == DL_E_UNSUPPORTED ? DL_REASON_UNSUPPORTED :
									   DL_REASON_IO_ERROR,
			err);
	else
		run_end(run, DL_RUN_FAILED, reason, err);
}

bool guard_object(struct work *work, struct run *run, const struct dl_object *object)
{
	struct guard guard = { work, object->role };
	dl_auto(dl_held) held = NULL;
	dl_autofree char *path = NULL;
	enum dl_reason reason = DL_REASON_NONE;
	struct dl_error why = { 0 };
	int r = dl_quarantine_check(object, &held, &why);

	if (r == DL_E_NOT_FOUND)
		return true;
	if (r == 0)
		r = dl_bytes_decode_str(object->path, &path, &why);
	if (r == 0)
		r = guard_allows(&guard, path, held, &reason, &why);
	if (r < 0)
		guard_end(run, r, reason, &why);
	return false;
}
