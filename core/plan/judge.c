/* The rules: from facts to "a step may remove it" or a reason why not. What
 * was modified rather than created is never removed, and what nothing proves
 * to be created counts as modified. */
#include "core/plan/plan.h"

#include "core/plan/words.h"

#include <stdarg.h>
#include <stdio.h>

/* The answer of every rule below: a reason, with its words. */
__attribute__((format(DL_PRINTF, 4, 5)))
static enum dl_reason because(enum dl_reason reason, char **ret_detail, const char *subject,
			      const char *format, ...)
{
	char sentence[DL_WORDS_MAX_BYTES + 1024];
	dl_autobuf words = DL_BUF_INIT;
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (subject)
		dl_words_quote(&words, subject);
	dl_buf_puts(&words, sentence);
	*ret_detail = dl_buf_take(&words);
	return reason;
}

static enum dl_reason judge_protection(const struct dl_object *object, char **ret_detail)
{
	if (!object->protected_by)
		return DL_REASON_NONE;
	return because(DL_REASON_PROTECTED, ret_detail, object->path,
		       " is protected: %s. Compare it with a clean copy and repair it by hand.",
		       object->protected_by);
}

/* A step can only promise an exact undo of what it can describe exactly. */
static enum dl_reason judge_type(const struct dl_object *object, char **ret_detail)
{
	if (object->type == DL_TYPE_SYMLINK && object->link_target)
		return DL_REASON_NONE;
	if (object->type == DL_TYPE_FILE && object->sha256)
		return DL_REASON_NONE;
	if (object->type == DL_TYPE_FILE)
		return because(DL_REASON_UNSUPPORTED, ret_detail, object->path,
			       " could not be hashed by the survey, so a step could not be sure to "
			       "meet the same file. Examine it and move it away by hand.");
	return because(DL_REASON_UNSUPPORTED, ret_detail, object->path,
		       " is of type %s; only regular files and symbolic links are moved to "
		       "quarantine. Examine it and remove it by hand.",
		       dl_object_type_name(object->type));
}

static enum dl_reason judge_package(const struct dl_object *object, char **ret_detail)
{
	const char *source = object->package_source ? object->package_source : "no evidence given";
	if (object->baseline == DL_BASELINE_SAME)
		return because(DL_REASON_PACKAGE_OWNED, ret_detail, object->path,
			       " belongs to package %s (%s) and is as the package ships it. If it is "
			       "unwanted, disable or remove the package.",
			       object->package, source);
	return because(DL_REASON_MODIFIED_EXISTING, ret_detail, object->path,
		       " belongs to package %s (%s) and is not known to be as shipped. Reinstall "
		       "the package, or restore the file from a clean copy.",
		       object->package, source);
}

static enum dl_reason judge_baseline(const struct dl_object *object, char **ret_detail)
{
	switch (object->baseline) {
	case DL_BASELINE_ABSENT:
		return DL_REASON_NONE;
	case DL_BASELINE_DIFFERENT:
		return because(DL_REASON_MODIFIED_EXISTING, ret_detail, object->path,
			       " existed before and was changed, not added. Restore the earlier "
			       "content by hand.");
	default:
		return because(DL_REASON_MODIFIED_EXISTING, ret_detail, object->path,
			       ": nothing proves that it was added rather than changed. Examine it, "
			       "then remove or restore it by hand.");
	}
}

static enum dl_reason judge_file(const struct dl_object *object, char **ret_detail)
{
	enum dl_reason reason = judge_type(object, ret_detail);
	if (reason == DL_REASON_NONE && object->package)
		return judge_package(object, ret_detail);
	return reason == DL_REASON_NONE ? judge_baseline(object, ret_detail) : reason;
}

/* A table's baseline speaks of the foothold's line: `absent` means that the
 * line was provably added, even to a file that a package owns. */
static enum dl_reason judge_table(const struct dl_object *object, char **ret_detail)
{
	if (object->type != DL_TYPE_FILE)
		return because(DL_REASON_UNSUPPORTED, ret_detail, object->path,
			       " is of type %s; lines are removed from regular files only. Edit "
			       "what it stands for by hand.",
			       dl_object_type_name(object->type));
	if (object->baseline == DL_BASELINE_ABSENT)
		return DL_REASON_NONE;
	if (object->package && object->baseline == DL_BASELINE_SAME)
		return because(DL_REASON_PACKAGE_OWNED, ret_detail, object->path,
			       ": the line is as package %s ships it. If it is unwanted, disable or "
			       "remove the package.",
			       object->package);
	return because(DL_REASON_MODIFIED_EXISTING, ret_detail, object->path,
		       ": nothing proves that the line was added rather than changed. Compare the "
		       "table with a clean copy and edit it by hand.");
}

static enum dl_reason judge_value(const struct dl_object *object, char **ret_detail)
{
	if (object->type != DL_TYPE_REGISTRY)
		return because(DL_REASON_UNSUPPORTED, ret_detail, object->path,
			       " is not a registry value. Examine it by hand.");
	if (object->baseline == DL_BASELINE_ABSENT)
		return DL_REASON_NONE;
	return because(DL_REASON_MODIFIED_EXISTING, ret_detail, object->path,
		       ": the value existed before, or nothing proves that it did not. Set it back "
		       "to its earlier data by hand.");
}

enum dl_reason dl_plan_judge_object(const struct dl_object *object, char **ret_detail)
{
	enum dl_reason reason = judge_protection(object, ret_detail);
	if (reason != DL_REASON_NONE)
		return reason;
	switch (object->role) {
	case DL_ROLE_TABLE:
		return judge_table(object, ret_detail);
	case DL_ROLE_VALUE:
		return judge_value(object, ret_detail);
	default:
		return judge_file(object, ret_detail);
	}
}

/* How many trigger objects of each role the foothold has. */
struct role_count {
	size_t of[DL_ROLE_COUNT];
	size_t triggers;
};

static struct role_count count_roles(const struct dl_foothold *foothold)
{
	struct role_count count = { 0 };
	for (size_t i = 0; i < foothold->object_count; i++) {
		count.of[foothold->objects[i].role]++;
		count.triggers += foothold->objects[i].role != DL_ROLE_PAYLOAD;
	}
	return count;
}

/* Whether the trigger is of the one form that the kind's verb can remove. A
 * drop-in without its unit file belongs to somebody else's unit. */
static bool has_known_form(const struct dl_foothold *foothold)
{
	struct role_count count = count_roles(foothold);
	switch (foothold->kind) {
	case DL_KIND_SYSTEMD_SERVICE:
	case DL_KIND_SYSTEMD_TIMER:
		return foothold->name && *foothold->name && count.of[DL_ROLE_UNIT] > 0 &&
		       count.triggers == count.of[DL_ROLE_UNIT] + count.of[DL_ROLE_DROPIN] +
						 count.of[DL_ROLE_LINK];
	case DL_KIND_CRON_SYSTEM:
	case DL_KIND_CRON_USER:
		return foothold->line && foothold->occurrence >= 1 &&
		       count.of[DL_ROLE_TABLE] == 1 && count.triggers == 1;
	case DL_KIND_REGISTRY_RUN:
		return foothold->name && count.of[DL_ROLE_VALUE] == 1 && count.triggers == 1;
	case DL_KIND_COUNT:
		break;
	}
	return false;
}

enum dl_reason dl_plan_judge(const struct dl_foothold *foothold, char **ret_detail)
{
	if (foothold->manual_because)
		return because(DL_REASON_NEEDS_ATTENTION, ret_detail, NULL, "%s",
			       foothold->manual_because);
	for (size_t i = 0; i < foothold->object_count; i++) {
		if (foothold->objects[i].role == DL_ROLE_PAYLOAD)
			continue;
		enum dl_reason reason = dl_plan_judge_object(&foothold->objects[i], ret_detail);
		if (reason != DL_REASON_NONE)
			return reason;
	}
	if (!has_known_form(foothold))
		return because(DL_REASON_UNSUPPORTED, ret_detail, foothold->location,
			       ": the survey could not tell every part of this %s, so no step can "
			       "remove exactly it. Examine and remove it by hand.",
			       dl_kind_info(foothold->kind)->words);
	return DL_REASON_NONE;
}
