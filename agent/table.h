/* Table: a survey as a person reads it in a terminal. */
#ifndef DL_AGENT_TABLE_H
#define DL_AGENT_TABLE_H

#include "agent/page.h"
#include "core/plan/survey.h"

/* Digits of a key that are shown; as many tell footholds of one host apart. */
enum { DL_TABLE_KEY_SHOWN = 12 };

/* Grouped by kind, a few lines per foothold, then what was left out and how far the
 * survey can be believed. */
void dl_table_print(FILE *out, const struct dl_survey *survey, const struct dl_table_look *look);

/* One object with where it is from, as a field under its role. */
void dl_table_object(const struct dl_page *page, const struct dl_object *object);

#endif
