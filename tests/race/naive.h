/* The naive remover: checks what a path holds, then acts on the path again. It
 * is kept to prove that the attacks are real: it has to lose. */
#ifndef DL_TESTS_RACE_NAIVE_H
#define DL_TESTS_RACE_NAIVE_H

#include "arena.h"

/* One attempt. True when it carried something away that was not approved, or
 * destroyed it: the arena is of no use afterwards. */
bool naive_take_loses(const struct arena *arena);

#endif
