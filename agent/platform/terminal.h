/* Terminal: what standard output is. */
#ifndef DL_AGENT_PLATFORM_TERMINAL_H
#define DL_AGENT_PLATFORM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns: of the terminal, else of COLUMNS, else without a bound, as for a file. */
size_t dl_terminal_width(void);

/* A terminal, and NO_COLOR is not set (no-color.org). */
bool dl_terminal_has_colour(void);

/* Somebody can be asked: standard input and standard output are terminals. */
bool dl_terminal_can_ask(void);

#endif
