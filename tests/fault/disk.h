/* Disk: a scratch host on real ext4, on loop devices over files in memory, so
 * that it can be full, and lose power. */
#ifndef DL_TESTS_FAULT_DISK_H
#define DL_TESTS_FAULT_DISK_H

#include "tests/crash/story.h"

/* Once, while the machine's mkfs can still be reached. */
void disk_make_template(void);

/* For trial_begin: the root, and the story's other file system, each on a disk. */
void disk_raise(const struct story *story);

/* Leaves at most `left` bytes free on every disk; and frees them again. */
void disk_fill(const struct story *story, long left);
void disk_free(const struct story *story);

/* Everything on the disk so far stays; what is not synced from now on can be lost. */
void disk_settle(void);
/* The power goes: what is not on the disk is gone (EXT4_IOC_SHUTDOWN, NOLOGFLUSH). */
void disk_cut_power(const struct story *story);
/* The next boot: the file systems come back as their journals have them. */
void disk_boot(const struct story *story);

#endif
