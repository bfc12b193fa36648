/* Tracer: runs a child system call by system call (ptrace(2)) and lets a judge
 * decide at each entry and each exit: go on, die here, or fail here.
 * x86-64 only. */
#ifndef DL_TESTS_CRASH_TRACER_H
#define DL_TESTS_CRASH_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

struct tracer_stop {
	pid_t child;
	long index;   /* of this stop, from 1: entry and exit are two */
	bool exit;    /* after the call; otherwise before it */
	long call;    /* SYS_… */
	long answer;  /* at an exit: what the kernel answered */
};

enum tracer_verdict { TRACER_GO, TRACER_KILL };
typedef enum tracer_verdict (*tracer_judge)(void *context, const struct tracer_stop *stop);

/* The child calls this, then does what is to be traced, then ends with _exit. */
void tracer_offer(void);

enum tracer_end { TRACER_ENDED, TRACER_KILLED, TRACER_CRASHED };
/* Returns when the child is gone. A child that ends by itself must exit with 0,
 * anything else (a signal of its own, another code) is TRACER_CRASHED. */
enum tracer_end tracer_follow(pid_t child, tracer_judge judge, void *context);

/* At an entry: the call is not made, and answers -error at its exit. */
void tracer_skip_call(const struct tracer_stop *stop);
void tracer_answer(const struct tracer_stop *stop, int error);

/* Whether a call can change a file, a name or what the journal holds. */
bool tracer_call_changes(long call);
const char *tracer_call_name(long call);

#endif
