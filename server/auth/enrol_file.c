#include "server/auth/enrol_file.h"

#include "core/base/buf.h"

char *dl_enrol_file_text(const struct dl_enrol_server *server, const json_t *key)
{
	dl_autobuf text = DL_BUF_INIT;

	dl_buf_printf(&text, "[enrolment]\nserver = %s\nkey_id = %s\nsecret = %s\n", server->url,
		      json_string_value(json_object_get(key, "id")),
		      json_string_value(json_object_get(key, "secret")));
	dl_buf_printf(&text, "root_key_id = %s\ntls_pin = %s\n", server->root_key_id,
		      server->tls_pin);
	return dl_buf_take(&text);
}
