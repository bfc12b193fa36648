#include "server/command/command.h"

#include <pthread.h>
#include <string.h>

const struct dl_actor dl_desk_actor = { .kind = DL_ACTOR_SYSTEM };

struct dl_wait {
	pthread_mutex_t lock;
	pthread_cond_t here;
	bool done;
	int result;
	json_t *view;
	struct dl_error err;
};

int dl_desk_open(const char *folder, struct dl_desk *ret_desk, struct dl_error *err)
{
	dl_autodesk desk = { 0 };

	int r = dl_data_open(folder, &desk.data, err);
	if (r < 0)
		return r;
	struct dl_store_options options = {
		.path = desk.data->database,
		.key = desk.data->signing_key,
		.key_cert = desk.data->key_cert,
		.root_key = desk.data->root_key,
	};
	r = dl_store_open(&options, &desk.store, err);
	if (r < 0)
		return r;
	*ret_desk = desk;
	desk = (struct dl_desk){ 0 };
	return 0;
}

void dl_desk_close(struct dl_desk *desk)
{
	if (desk->store)
		dl_store_close(desk->store);
	dl_data_free(desk->data);
}

struct dl_wait *dl_wait_new(void)
{
	struct dl_wait *wait = DL_NEW(struct dl_wait);

	pthread_mutex_init(&wait->lock, NULL);
	pthread_cond_init(&wait->here, NULL);
	return wait;
}

void dl_wait_done(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct dl_wait *wait = arg;

	pthread_mutex_lock(&wait->lock);
	wait->done = true;
	wait->result = result;
	wait->view = json_deep_copy(view); /* the store counts references of its own */
	if (err)
		wait->err = *err;
	pthread_cond_signal(&wait->here);
	pthread_mutex_unlock(&wait->lock);
}

int dl_wait_end(struct dl_wait *wait, json_t **ret_view, struct dl_error *err)
{
	pthread_mutex_lock(&wait->lock);
	while (!wait->done)
		pthread_cond_wait(&wait->here, &wait->lock);
	pthread_mutex_unlock(&wait->lock);
	int result = wait->result;
	if (result < 0)
		*err = wait->err;
	else
		*ret_view = DL_TAKE(wait->view);
	json_decref(wait->view);
	pthread_cond_destroy(&wait->here);
	pthread_mutex_destroy(&wait->lock);
	free(wait);
	return result;
}

int dl_desk_organization(struct dl_desk *desk, const char *name, int64_t *ret_id,
			 struct dl_error *err)
{
	struct dl_wait *wait = dl_wait_new();
	dl_autojson *list = NULL;
	size_t i;
	json_t *organization;

	dl_store_organization_list(desk->store, &dl_desk_actor, dl_wait_done, wait);
	int r = dl_wait_end(wait, &list, err);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(list, "items"), i, organization) {
		const char *found = json_string_value(json_object_get(organization, "name"));
		if (!found || strcmp(found, name))
			continue;
		*ret_id = json_integer_value(json_object_get(organization, "id"));
		return 0;
	}
	return dl_error_set(err, DL_E_NOT_FOUND, "there is no organization '%s'", name);
}
