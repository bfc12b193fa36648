/* The TLS certificate of the agent endpoint. Agents do not ask an authority
 * about it: their enrolment key pins its public key. */
#ifndef DL_SERVER_COMMAND_CERTIFICATE_H
#define DL_SERVER_COMMAND_CERTIFICATE_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A self-signed P-256 certificate for these names and loopback, as PEM texts
 * owned by the caller. */
int dl_certificate_make(const char *const *names, size_t count, char **ret_certificate,
			char **ret_key, struct dl_error *err);

/* "sha256//BASE64" of the certificate's public key, as libcurl pins it. */
int dl_certificate_pin(const char *path, char **ret_pin, struct dl_error *err);

/* The first name it was made out to. */
int dl_certificate_name(const char *path, char **ret_name, struct dl_error *err);

#endif
