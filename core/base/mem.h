/* Memory: allocation that cannot fail, and owners that free themselves.
 *
 * Every outside size is bounded before it reaches an allocation, so running
 * out of memory is not a condition a caller can mend. The dl_ allocators end
 * the process with a line on standard error; the agent's journal and the
 * server's transactions make that as safe as a power cut.
 */
#ifndef DL_CORE_BASE_MEM_H
#define DL_CORE_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

/* Zeroed memory for `count` objects of `size` bytes. Owned by the caller. */
void *dl_alloc(size_t count, size_t size);

/* Resizes an array; new members are not zeroed. */
void *dl_realloc(void *old, size_t count, size_t size);

char *dl_strdup(const char *text);
char *dl_strndup(const char *text, size_t length);
void *dl_memdup(const void *data, size_t size);

#define DL_NEW(type) ((type *)dl_alloc(1, sizeof(type)))

/* Hands a pointer on: its value is returned, the variable becomes NULL. */
#define DL_TAKE(pointer)                                                                           \
	__extension__({                                                                            \
		__typeof__(pointer) dl_taken_ = (pointer);                                         \
		(pointer) = NULL;                                                                  \
		dl_taken_;                                                                         \
	})

static inline void dl_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

/* `dl_autofree char *name = …;` is freed when the scope ends. */
#define dl_autofree __attribute__((cleanup(dl_free_pointer)))

/* Declares the cleanup function behind `dl_auto(type)`: the scope's end calls
 * `release(value)`, which must accept NULL. */
#define DL_DEFINE_AUTO(type, release)                                                              \
	static inline void type##_auto_release(struct type **pointer)                              \
	{                                                                                          \
		release(*pointer);                                                                 \
	}
#define dl_auto(type) __attribute__((cleanup(type##_auto_release))) struct type *

#define DL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
