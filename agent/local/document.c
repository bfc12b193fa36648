#include "agent/local/document.h"

#include "core/base/time.h"

#include <string.h>

enum { HOSTNAME_MAX_BYTES = 3 * 256 };

void dl_document_clear(struct dl_document *document)
{
	free(document->hostname);
	dl_plan_free(document->plan);
	*document = (struct dl_document){ 0 };
}

void dl_document_make(struct dl_document *document, const char *hostname, struct dl_plan *plan)
{
	dl_random_id(document->plan_id);
	document->hostname = dl_strdup(hostname);
	document->made = dl_time_now_ms();
	document->plan = plan;
}

json_t *dl_document_to_json(const struct dl_document *document)
{
	return json_pack("{s:i,s:s,s:s,s:I,s:o}", "dislodge_plan", 1, "plan_id",
			 document->plan_id, "hostname", document->hostname, "made",
			 (json_int_t)document->made, "steps", dl_plan_to_json(document->plan));
}

static int read_document(const json_t *json, struct dl_document *document, struct dl_error *err)
{
	static const char *const members[] = { "dislodge_plan", "plan_id", "hostname", "made",
					       "steps", NULL };
	const char *plan_id;
	int64_t version;
	json_t *steps;
	int r = dl_json_only(json, members, err);
	if (r >= 0)
		r = dl_json_int(json, "dislodge_plan", 1, 1, &version, err);
	if (r >= 0)
		r = dl_json_hex(json, "plan_id", (DL_ID_TEXT_SIZE - 1) / 2, &plan_id, err);
	if (r >= 0)
		r = dl_json_bytes_opt(json, "hostname", HOSTNAME_MAX_BYTES, &document->hostname, err);
	if (r >= 0)
		r = dl_json_int(json, "made", 0, INT64_MAX, &document->made, err);
	if (r >= 0)
		r = dl_json_array(json, "steps", DL_PLAN_STEPS_MAX, &steps, err);
	if (r >= 0)
		r = dl_plan_from_json(steps, &document->plan, err);
	if (r < 0)
		return r;
	memcpy(document->plan_id, plan_id, DL_ID_TEXT_SIZE);
	if (!document->hostname)
		return dl_error_set(err, DL_E_INVALID, "'hostname' is missing");
	return 0;
}

int dl_document_from_json(const json_t *json, struct dl_document *ret_document,
			  struct dl_error *err)
{
	dl_autodocument document = { 0 };
	int r = read_document(json, &document, err);
	if (r < 0)
		return dl_error_prefix(err, r, "this is no plan document");
	*ret_document = document;
	document = (struct dl_document){ 0 };
	return 0;
}
