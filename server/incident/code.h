/* Codes that people choose from when they decide: stable names, a sentence each. */
#ifndef DL_SERVER_INCIDENT_CODE_H
#define DL_SERVER_INCIDENT_CODE_H

/* Why a plan or some of its steps were rejected: not_malicious, incomplete,
 * too_risky, other_means, wrong_host, other. NULL when there is no such code. */
const char *dl_reject_reason_sentence(const char *code);
/* "not_malicious, incomplete, …", for an error's words. Owned by the caller. */
char *dl_reject_reason_codes(void);

/* Why an incident was closed without proof: accepted_risk, false_positive,
 * host_retired. NULL when there is no such code. */
const char *dl_close_reason_sentence(const char *code);

#endif
