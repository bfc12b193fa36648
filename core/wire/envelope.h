/* The signed envelope: {"keyid": hex, "sig": hex, "body": text}.
 *
 * The signature is over DSSE v1's pre-authentication encoding
 *   "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body
 * with decimal lengths, so that a body signed for one purpose never counts
 * for another. `body` is the exact bytes that were signed: verify first, parse
 * after, never serialize again.
 */
#ifndef DL_CORE_WIRE_ENVELOPE_H
#define DL_CORE_WIRE_ENVELOPE_H

#include "core/crypto/sha256.h"
#include "core/crypto/sign.h"
#include "core/json/json.h"

#define DL_TYPE_KEY    "application/vnd.dislodge.key.v1+json"    /* root vouches for a signing key */
#define DL_TYPE_ORDER  "application/vnd.dislodge.order.v1+json"
#define DL_TYPE_CLAIM  "application/vnd.dislodge.claim.v1+json"  /* agent asks to start */
#define DL_TYPE_TICKET "application/vnd.dislodge.ticket.v1+json" /* server answers */
#define DL_TYPE_RECORD "application/vnd.dislodge.record.v1+json" /* survey, result */
#define DL_TYPE_ANCHOR "application/vnd.dislodge.anchor.v1+json" /* how far the audit has come */
#define DL_TYPE_ENROL  "application/vnd.dislodge.enrol.v1+json"

/* Signs `body`; the envelope is a new reference. */
int dl_envelope_sign(const struct dl_signing_key *key, const char *type, const char *body,
		     json_t **ret_envelope, struct dl_error *err);

/* Checks the closed schema, that keyid is `public_key`'s and the signature.
 * *ret_body is borrowed from the envelope. DL_E_DENIED: not by that key. */
int dl_envelope_verify(const json_t *envelope, const char *type, const char *public_key,
		       size_t body_limit, const char **ret_body, struct dl_error *err);

#endif
