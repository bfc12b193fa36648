/* Table: a survey as a person reads it in a terminal. */
#ifndef DL_AGENT_TABLE_H
#define DL_AGENT_TABLE_H

#include "core/plan/survey.h"

#include <stdio.h>

struct dl_table_look {
	size_t width; /* columns of the terminal */
	bool colour;
};

/* Grouped by kind, two or three lines per foothold, then what was left out and how far the
 * survey can be believed. */
void dl_table_print(FILE *out, const struct dl_survey *survey, const struct dl_table_look *look);

#endif
