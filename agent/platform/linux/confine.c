#include "agent/platform/confine.h"

#include "agent/platform/process.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files, ports and signals: Landlock ----
 * Debian 12's header is of version 2; what later kernels know is named here, after
 * linux/landlock.h of Linux 6.12. */

enum {
	ACCESS_TRUNCATE_BIT = 14,  /* since version 3 */
	ACCESS_IOCTL_DEV_BIT = 15, /* since version 5 */
	BIND_TCP_BIT = 0,          /* since version 4 */
	SCOPE_ABSTRACT_SOCKET_BIT = 0, SCOPE_SIGNAL_BIT = 1, /* since version 6 */
	ABI_TRUNCATE = 3, ABI_PORTS = 4, ABI_IOCTL = 5, ABI_SCOPES = 6,
};

struct ruleset {
	uint64_t files, ports, scopes;
};

/* libraries that name resolution loads, certificates, and the resolver's own files */
static const char *const readable[] = {
	"/etc", "/usr/lib", "/usr/lib64", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/usr/share/zoneinfo", "/run/systemd/resolve",
	"/run/resolvconf", "/run/NetworkManager",
};

static struct ruleset ruleset_of(int abi)
{
	/* REFER came with version 2, so all but it are the first 13. */
	struct ruleset all = { .files = (1ULL << 13) - 1 };
	if (abi >= 2)
		all.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		all.files |= 1ULL << ACCESS_TRUNCATE_BIT;
	if (abi >= ABI_PORTS)
		all.ports = 1ULL << BIND_TCP_BIT;
	if (abi >= ABI_IOCTL)
		all.files |= 1ULL << ACCESS_IOCTL_DEV_BIT;
	if (abi >= ABI_SCOPES)
		all.scopes = 1ULL << SCOPE_ABSTRACT_SOCKET_BIT | 1ULL << SCOPE_SIGNAL_BIT;
	return all;
}

static size_t ruleset_size(int abi)
{
	if (abi < ABI_PORTS)
		return sizeof(uint64_t);
	return abi < ABI_SCOPES ? 2 * sizeof(uint64_t) : sizeof(struct ruleset);
}

/* A folder that this host does not have needs no rule. */
static int allow_reading(int rules, const char *path, struct dl_error *err)
{
	dl_autohandle folder = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (folder < 0)
		return 0;
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = folder,
	};
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return dl_error_errno(err, errno, "allowing '%s' to be read", path);
	return 0;
}

static int confine_files(int abi, struct dl_error *err)
{
	struct ruleset all = ruleset_of(abi);
	dl_autohandle rules = (int)syscall(SYS_landlock_create_ruleset, &all, ruleset_size(abi), 0);
	if (rules < 0)
		return dl_error_errno(err, errno, "making a Landlock ruleset");
	for (size_t i = 0; i < DL_COUNT(readable); i++) {
		int r = allow_reading(rules, readable[i], err);
		if (r < 0)
			return r;
	}
	if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return dl_error_errno(err, errno, "locking the process out of the file system");
	return 0;
}

/* ---- system calls: seccomp ---- */

static const char *const calls[] = {
	/* bytes in and out */
	"read", "readv", "pread64", "write", "writev", "pwrite64", "close", "lseek", "dup", "dup2",
	"dup3", "fcntl", "ioctl", "pipe", "pipe2", "eventfd2", "signalfd4",
	/* waiting */
	"poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "restart_syscall", "nanosleep", "clock_nanosleep",
	"sched_yield", "futex",
	/* the network, and the executor's socket */
	"socket", "socketpair", "connect", "bind", "shutdown", "sendto", "sendmsg", "sendmmsg",
	"recvfrom", "recvmsg", "recvmmsg", "getsockopt", "setsockopt", "getsockname", "getpeername",
	/* reading what name resolution and TLS read */
	"open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "fadvise64", "fstatfs",
	"statfs",
	/* memory and threads */
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "set_robust_list",
	"get_robust_list", "rseq", "membarrier", "set_tid_address", "gettid", "sched_getaffinity",
	"exit", "exit_group",
	/* signals to itself */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill",
	/* asking who and when */
	"getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "clock_gettime",
	"clock_getres", "gettimeofday", "time", "getrandom", "uname", "sysinfo", "getrusage",
	"getrlimit",
};

/* A name that this architecture does not have is passed over. */
static int allow_calls(scmp_filter_ctx filter)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < DL_COUNT(calls); i++) {
		int number = seccomp_syscall_resolve_name(calls[i]);
		if (number >= 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return r;
}

/* Threads, but no processes: glibc falls back from clone3, whose flags lie in memory where a
 * filter cannot look, to clone. Limits may be read. A thread may be given a name. */
static int allow_parts_of_calls(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_EQ, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	return r;
}

static void filter_release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int confine_calls(struct dl_error *err)
{
	__attribute__((cleanup(filter_release))) scmp_filter_ctx filter =
		seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return dl_error_set(err, DL_E_IO, "libseccomp cannot make a filter");
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* set by us, or by root */
	if (r == 0)
		r = allow_calls(filter);
	if (r == 0)
		r = allow_parts_of_calls(filter);
	if (r == 0)
		r = seccomp_load(filter);
	return r < 0 ? dl_error_errno(err, -r, "locking the process out of system calls") : 0;
}

/* Newer kernels than we know of are asked for what we know. */
static int landlock_version(void)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	return abi < ABI_SCOPES ? abi : ABI_SCOPES;
}

static void say_missing(int abi, int failure, char words[DL_CONFINE_WORDS_MAX])
{
	*words = '\0';
	if (abi < 1)
		snprintf(words, DL_CONFINE_WORDS_MAX,
			 "no Landlock here (%s): files are fenced by their modes only",
			 strerror(failure));
	else if (abi < ABI_SCOPES)
		snprintf(words, DL_CONFINE_WORDS_MAX, "this kernel's Landlock cannot fence %s",
			 abi < ABI_PORTS ? "ports and signals" : "signals");
}

int dl_confine_to_network(char ret_missing[DL_CONFINE_WORDS_MAX], struct dl_error *err)
{
	int abi = landlock_version();
	int r = 0;
	say_missing(abi, errno, ret_missing);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return dl_error_errno(err, errno, "giving up new privileges");
	if (abi >= 1)
		r = confine_files(abi, err);
	return r < 0 ? r : confine_calls(err);
}
