/* Byte strings as text.
 *
 * Names and contents found on a host are bytes chosen by an attacker; JSON
 * strings are Unicode. This is the one place that converts: every byte that
 * is not part of a printable, valid UTF-8 character, and '%' itself, becomes
 * "%XX" with upper-case hexadecimal digits. Controls (C0, DEL, C1), line and
 * paragraph separators, bidirectional controls (U+061C, U+200E..F,
 * U+202A..E, U+2066..9), zero-width characters (U+200B..D, U+2060, U+FEFF)
 * and noncharacters count as not printable. The mapping is reversible.
 */
#ifndef DL_CORE_BASE_BYTES_H
#define DL_CORE_BASE_BYTES_H

#include "core/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Always succeeds; the result is valid UTF-8 and owned by the caller. */
char *dl_bytes_encode(const void *data, size_t size);
char *dl_bytes_encode_str(const char *text);

/* Strict inverse: refuses (DL_E_INVALID) text that dl_bytes_encode would not
 * have written, so that one byte string has exactly one spelling. *ret_data
 * is NUL-terminated (not counted in *ret_size) and owned by the caller. */
int dl_bytes_decode(const char *text, char **ret_data, size_t *ret_size, struct dl_error *err);

/* As above, and refuses embedded NUL: for paths, names and lines. */
int dl_bytes_decode_str(const char *text, char **ret_text, struct dl_error *err);

/* Lower-case hexadecimal, NUL-terminated; `out` has room for 2 * size + 1. */
void dl_hex_encode(const void *data, size_t size, char *out);

/* Accepts exactly 2 * size lower-case digits. */
int dl_hex_decode(const char *text, void *out, size_t size, struct dl_error *err);

#endif
