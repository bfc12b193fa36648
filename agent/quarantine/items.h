/* Items: what lies in quarantine, to be looked at and, on a person's decision,
 * destroyed. Nothing here is done on its own. */
#ifndef DL_AGENT_QUARANTINE_ITEMS_H
#define DL_AGENT_QUARANTINE_ITEMS_H

#include "agent/quarantine/quarantine.h"

/* Items told of at once. */
enum { DL_ITEMS_MAX = 10000 };

/* Oldest first: {"items":[item], "bytes": of all listed, "more": bool}, a new
 * reference. An item is {"id","plan_id","step","what":"take"|"replace","path",
 * "type","size","mode","uid","gid","mtime_ns","sha256"?,"target"?,"taken":ms
 * (0: not known),"purging": bool}. */
int dl_items_list(struct dl_journal *journal, json_t **ret_list, struct dl_error *err);

/* One item as above, with "links", "holders" and "others" as the journal has
 * them. DL_E_NOT_FOUND: there is none by that id (it may have been given back). */
int dl_items_show(struct dl_journal *journal, const char *id, json_t **ret_item,
		  struct dl_error *err);

/* Destroys one item for good: journalled before, synced after; a purge that a
 * crash interrupted is finished by asking again. `move` must be DONE. */
int dl_quarantine_purge(struct dl_quarantine *quarantine, struct dl_move *move,
			struct dl_error *err);

#endif
