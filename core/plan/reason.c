#include "core/plan/reason.h"

#include <string.h>

static const struct {
	const char *name, *sentence;
} reasons[DL_REASON_COUNT] = {
	[DL_REASON_NONE] = { "", "" },
	[DL_REASON_IN_USE] = { "in_use", "A running program holds it open, so it cannot be moved." },
	[DL_REASON_PROTECTED] = { "protected",
				  "The host needs it to start or to be reached, so no step may touch it." },
	[DL_REASON_PACKAGE_OWNED] = { "package_owned",
				      "It belongs to an installed package and is as the package ships it." },
	[DL_REASON_MODIFIED_EXISTING] = { "modified_existing",
					  "It was there before and was changed, or nothing proves that it was added, so it needs a person's eyes." },
	[DL_REASON_IMMUTABLE_REFUSED] = { "immutable_refused",
					  "It is marked immutable and the mark could not be taken off." },
	[DL_REASON_CROSS_DEVICE] = { "cross_device",
				     "It lies on a file system from which it could not be moved safely." },
	[DL_REASON_BUSY_MOUNT] = { "busy_mount", "Something is mounted over it." },
	[DL_REASON_PARTIAL_HARDLINKS] = { "partial_hardlinks",
					  "The same file has other names on the host that are still there." },
	[DL_REASON_NO_SPACE] = { "no_space", "The disk has too little room to keep a copy for undo." },
	[DL_REASON_IO_ERROR] = { "io_error", "The host reported an error while reading or writing." },
	[DL_REASON_UNSUPPORTED] = { "unsupported", "The agent has no safe way to remove this." },
	[DL_REASON_BAD_SIGNATURE] = { "bad_signature",
				      "The order's signature could not be verified, so it was not followed." },
	[DL_REASON_WRONG_TARGET] = { "wrong_target", "The order was made for another host." },
	[DL_REASON_PRECONDITION] = { "precondition",
				     "The host no longer holds what was approved, so nothing was done." },
	[DL_REASON_REQUIREMENT_FAILED] = { "requirement_failed",
					   "A step that had to succeed first did not." },
	[DL_REASON_NEEDS_ATTENTION] = { "needs_attention", "A person has to look at this." },
};

const char *dl_reason_name(enum dl_reason reason)
{
	return reasons[reason].name;
}

const char *dl_reason_sentence(enum dl_reason reason)
{
	return reasons[reason].sentence;
}

enum dl_reason dl_reason_parse(const char *name)
{
	for (int i = 0; i < DL_REASON_COUNT; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return (enum dl_reason)i;
	return DL_REASON_COUNT;
}
