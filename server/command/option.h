/* Options every command reads the same way. */
#ifndef DL_SERVER_COMMAND_OPTION_H
#define DL_SERVER_COMMAND_OPTION_H

#include "core/base/error.h"

#include <getopt.h>
#include <stdint.h>

/* After getopt_long said '?': DL_E_INVALID with the words. */
int dl_option_unknown(char **argv, struct dl_error *err);

/* Refuses what stands behind the options. */
int dl_option_no_more(int argc, char **argv, struct dl_error *err);

int dl_option_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret,
		     struct dl_error *err);

int dl_option_missing(const char *name, struct dl_error *err);

#endif
