/* A disk that is really full: apply and undo with only so many bytes left, on
 * the agent's own disk and on the other. Whatever cannot be written, nothing
 * is lost, and once there is room again everything goes on. */
#include "disk.h"
#include "fault.h"

#include <stdio.h>

static const long rooms[] = { 0, 4096, 8192, 16384, 32768, 65536, 131072 };

static void fill_and_try(struct fault *fault, const struct story *story, enum act act, long left)
{
	dl_autofree char *broken = NULL;
	char where[128];

	trial_begin(&fault->trial, story, disk_raise);
	if (act == ACT_UNDO)
		broken = fault_start_well(fault, ACT_APPLY);
	disk_fill(story, left);
	if (!broken)
		broken = fault_check_answer(&fault->trial,
					    trial_start(&fault->trial, act, NULL, NULL));
	disk_free(story);
	if (!broken)
		broken = fault_check_later(fault, act);
	trial_end(&fault->trial);
	snprintf(where, sizeof(where), "%s, %s with %ld bytes left on the disk", story->name,
		 act_names[act], left);
	fault_judge(fault, where, broken);
}

void fault_fill_disk(struct fault *fault)
{
	for (const struct story *story = stories; story->name; story++)
		for (size_t i = 0; fault_is_wanted(fault, story) && i < DL_COUNT(rooms); i++) {
			if (fault_is_mine(fault))
				fill_and_try(fault, story, ACT_APPLY, rooms[i]);
			if (fault_is_mine(fault))
				fill_and_try(fault, story, ACT_UNDO, rooms[i]);
		}
}
