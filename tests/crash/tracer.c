#include "tracer.h"

#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)

struct named_call {
	long call;
	const char *name;
};

/* What the agent changes a host with; a call that is missing here is killed at too, only not first. */
static const struct named_call changing[] = {
	{ SYS_write, "write" }, { SYS_pwrite64, "pwrite64" }, { SYS_fsync, "fsync" },
	{ SYS_fdatasync, "fdatasync" }, { SYS_renameat2, "renameat2" }, { SYS_rename, "rename" },
	{ SYS_renameat, "renameat" }, { SYS_linkat, "linkat" }, { SYS_link, "link" },
	{ SYS_symlinkat, "symlinkat" }, { SYS_mkdir, "mkdir" }, { SYS_mkdirat, "mkdirat" },
	{ SYS_unlink, "unlink" }, { SYS_unlinkat, "unlinkat" }, { SYS_rmdir, "rmdir" },
	{ SYS_ioctl, "ioctl" }, { SYS_chmod, "chmod" }, { SYS_fchmod, "fchmod" },
	{ SYS_fchmodat, "fchmodat" }, { SYS_fchown, "fchown" }, { SYS_fchownat, "fchownat" },
	{ SYS_setxattr, "setxattr" }, { SYS_fsetxattr, "fsetxattr" },
	{ SYS_removexattr, "removexattr" }, { SYS_utimensat, "utimensat" }, { SYS_ftruncate, "ftruncate" },
	{ SYS_syncfs, "syncfs" }, { SYS_sendmsg, "sendmsg" }, { SYS_fallocate, "fallocate" },
	{ SYS_copy_file_range, "copy_file_range" },
};
static const struct named_call looking[] = {
	{ SYS_open, "open" }, { SYS_openat, "openat" }, { SYS_openat2, "openat2" },
	{ SYS_read, "read" }, { SYS_pread64, "pread64" }, { SYS_newfstatat, "newfstatat" },
	{ SYS_fstat, "fstat" }, { SYS_statx, "statx" }, { SYS_close, "close" },
	{ SYS_getdents64, "getdents64" }, { SYS_fcntl, "fcntl" }, { SYS_listxattr, "listxattr" },
	{ SYS_getxattr, "getxattr" }, { SYS_readlinkat, "readlinkat" },
};

static const struct named_call *find_call(const struct named_call *calls, size_t count, long call)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i].call == call)
			return &calls[i];
	return NULL;
}

bool tracer_call_changes(long call)
{
	return find_call(changing, sizeof(changing) / sizeof(changing[0]), call) != NULL;
}

const char *tracer_call_name(long call)
{
	const struct named_call *found =
		find_call(changing, sizeof(changing) / sizeof(changing[0]), call);

	if (!found)
		found = find_call(looking, sizeof(looking) / sizeof(looking[0]), call);
	return found ? found->name : "another call";
}

void tracer_offer(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		err(EXIT_FAILURE, "ptrace");
	raise(SIGSTOP);
}

static struct tracer_stop read_stop(pid_t child, long index, bool exit)
{
	struct __ptrace_syscall_info info = { 0 };
	static long call; /* an exit does not say of which call it is */

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0)
		err(EXIT_FAILURE, "asking what the child does");
	if (!exit)
		call = (long)info.entry.nr;
	return (struct tracer_stop){
		.child = child,
		.index = index,
		.exit = exit,
		.call = call,
		.answer = exit ? (long)info.exit.rval : 0,
	};
}

static int wait_for(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, 0) != child)
		err(EXIT_FAILURE, "waiting for the child");
	return status;
}

static enum tracer_end end_of(int status, bool killed)
{
	if (WIFSIGNALED(status) && killed)
		return TRACER_KILLED;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TRACER_ENDED : TRACER_CRASHED;
}

enum tracer_end tracer_follow(pid_t child, tracer_judge judge, void *context)
{
	int status = wait_for(child);
	bool exit = false, killed = false;
	long index = 0;

	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (WIFSTOPPED(status)) {
		int deliver = 0;

		if (WSTOPSIG(status) == SYSCALL_STOP) {
			struct tracer_stop stop = read_stop(child, ++index, exit);

			exit = !exit;
			killed = judge(context, &stop) == TRACER_KILL;
		} else if (WSTOPSIG(status) != SIGSTOP) {
			deliver = WSTOPSIG(status);
		}
		if (killed)
			kill(child, SIGKILL);
		ptrace(PTRACE_SYSCALL, child, 0, deliver);
		status = wait_for(child);
	}
	return end_of(status, killed);
}

static void set_registers(const struct tracer_stop *stop, bool skip, int error)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, stop->child, 0, &registers) < 0)
		err(EXIT_FAILURE, "reading registers");
	if (skip)
		registers.orig_rax = (unsigned long long)-1;
	else
		registers.rax = (unsigned long long)-(long long)error;
	if (ptrace(PTRACE_SETREGS, stop->child, 0, &registers) < 0)
		err(EXIT_FAILURE, "writing registers");
}

void tracer_skip_call(const struct tracer_stop *stop)
{
	set_registers(stop, true, 0);
}

void tracer_answer(const struct tracer_stop *stop, int error)
{
	set_registers(stop, false, error);
}
