/* Errors: a code for the program, words for the person.
 *
 * Functions return 0 or a negative DL_E_*. A function that can fail takes
 * `struct dl_error *err` last; it may be NULL where nobody wants the words.
 * Libraries fill it and return; only programs print.
 */
#ifndef DL_CORE_BASE_ERROR_H
#define DL_CORE_BASE_ERROR_H

enum dl_error_code {
	DL_E_INVALID = -1,     /* the input breaks its format or its rules */
	DL_E_LIMIT = -2,       /* the input is well formed but larger than allowed */
	DL_E_NOT_FOUND = -3,   /* the named thing does not exist (or must look so) */
	DL_E_EXISTS = -4,      /* the name is taken */
	DL_E_DENIED = -5,      /* authority is missing: signature, role, permission */
	DL_E_STALE = -6,       /* the thing is not what was approved or expected */
	DL_E_STATE = -7,       /* not possible in the present state */
	DL_E_BUSY = -8,        /* held by somebody else just now */
	DL_E_IO = -9,          /* the operating system said no; the words say what */
	DL_E_NO_SPACE = -10,   /* a disk or a quota is full */
	DL_E_CROSS_DEVICE = -11, /* a rename would cross file systems */
	DL_E_TIMEOUT = -12,    /* no answer in the time allowed */
	DL_E_UNSUPPORTED = -13, /* this platform or build cannot do it */
	DL_E_UNAVAILABLE = -14, /* a peer (server, systemd, executor) is not there */
	DL_E_CRYPTO = -15,     /* the cryptographic library failed */
};

enum { DL_ERROR_TEXT_SIZE = 512 };

struct dl_error {
	int code;
	char text[DL_ERROR_TEXT_SIZE];
};

/* Writes code and words; returns `code`, so that `return dl_error_set(…)` reads well. */
int dl_error_set(struct dl_error *err, int code, const char *format, ...)
	__attribute__((format(DL_PRINTF, 3, 4)));

/* Puts words and ": " before those already in `err`; returns `code`. */
int dl_error_prefix(struct dl_error *err, int code, const char *format, ...)
	__attribute__((format(DL_PRINTF, 3, 4)));

/* Maps errno to a code (ENOENT → NOT_FOUND, ENOSPC and EDQUOT → NO_SPACE,
 * EXDEV → CROSS_DEVICE, EACCES and EPERM → DENIED, EEXIST → EXISTS, EBUSY and
 * ETXTBSY → BUSY, else IO) and appends strerror's words. */
int dl_error_errno(struct dl_error *err, int errnum, const char *format, ...)
	__attribute__((format(DL_PRINTF, 3, 4)));

/* A short lower-case name for logs and JSON, such as "not_found". Static. */
const char *dl_error_name(int code);

#endif
