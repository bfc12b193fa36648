/* Plan document: a plan as a file on the host it is for, so that a person can
 * read, keep and approve it without a server.
 *
 * JSON text, closed schema:
 *   {"dislodge_plan":1,"plan_id":32 hex,"hostname","made":ms,"steps":[step…]}
 * Steps are those of docs/protocol.md. The id is made with the plan, so that
 * one document is carried out at most once (I2).
 */
#ifndef DL_AGENT_LOCAL_DOCUMENT_H
#define DL_AGENT_LOCAL_DOCUMENT_H

#include "core/crypto/random.h"
#include "core/plan/plan.h"

enum { DL_DOCUMENT_MAX_BYTES = 4 * 1024 * 1024 };

struct dl_document {
	char plan_id[DL_ID_TEXT_SIZE];
	char *hostname; /* owned, spelled bytes */
	int64_t made;
	struct dl_plan *plan; /* owned */
};
void dl_document_clear(struct dl_document *document);
#define dl_autodocument __attribute__((cleanup(dl_document_clear))) struct dl_document

/* Takes the plan over; the id is new. */
void dl_document_make(struct dl_document *document, const char *hostname, struct dl_plan *plan);

json_t *dl_document_to_json(const struct dl_document *document);
int dl_document_from_json(const json_t *json, struct dl_document *ret_document,
			  struct dl_error *err);

#endif
