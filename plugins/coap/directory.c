/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "directory_inside.h"
#include "directory_links.h"

enum { FULL_MAX_AGE_S = 60 };

#define SECOND_US INT64_C(1000000)

int directory_new(const struct directory_limits *limits, struct directory **ret_directory)
{
	struct directory *directory = calloc(1, sizeof(*directory));
	if (!directory)
		return -ENOMEM;
	directory->limits = *limits;
	directory->version = 1;
	*ret_directory = directory;
	return 0;
}

static void attributes_free(struct directory_attribute *attributes)
{
	for (struct directory_attribute *next; attributes; attributes = next) {
		next = attributes->next;
		free(attributes);
	}
}

static void registration_free(struct directory_registration *registration)
{
	if (!registration)
		return;
	attributes_free(registration->attributes);
	free(registration->device);
	free(registration->sector);
	free(registration->base);
	free(registration->links);
	free(registration);
}

static void registration_drop(struct directory *directory, struct directory_registration *registration)
{
	DL_DELETE(directory->first, registration);
	directory->count--;
	directory->version++;
	registration_free(registration);
}

void directory_free(struct directory *directory)
{
	if (!directory)
		return;
	while (directory->first)
		registration_drop(directory, directory->first);
	for (size_t i = 0; i < DIRECTORY_KEPT; i++) {
		free(directory->kept[i].key);
		free(directory->kept[i].text.data);
	}
	free(directory);
}

void directory_set_limits(struct directory *directory, const struct directory_limits *limits)
{
	directory->limits = *limits;
}

static struct directory_result result(uint8_t code, const char *problem)
{
	return (struct directory_result){.code = code, .problem = problem};
}

static struct directory_result result_full(const char *problem)
{
	return (struct directory_result){.code = MESSAGE_UNAVAILABLE, .detail = FULL_MAX_AGE_S, .problem = problem};
}

static char *copy(const void *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return NULL;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* NULL data is copied as "". */
static char *copy_bytes(struct tg_bytes bytes)
{
	return copy(bytes.data, bytes.size);
}

static struct directory_attribute *attribute_new(struct tg_bytes query)
{
	struct directory_attribute *attribute = calloc(1, sizeof(*attribute) + query.size + 1);
	if (!attribute)
		return NULL;
	memcpy(attribute->text, query.data, query.size);
	const char *equals = strchr(attribute->text, '=');
	attribute->name = (struct tg_bytes){.data = attribute->text, .size = query.size};
	if (equals) {
		attribute->name.size = (size_t)(equals - attribute->text);
		attribute->value = (struct tg_bytes){.data = equals + 1, .size = query.size - attribute->name.size - 1};
	}
	return attribute;
}

/* Whether one of the first `count` has it. */
static bool has_name(const struct directory_attribute *list, size_t count, struct tg_bytes name)
{
	for (; count > 0; count--, list = list->next)
		if (list->name.size == name.size && memcmp(list->name.data, name.data, name.size) == 0)
			return true;
	return false;
}

/* Those of the order, and behind them those of `old` that have other names. Errors: -ENOMEM; -E2BIG. */
static int attributes_make(const struct directory_order *order, const struct directory_attribute *old,
			   struct directory_attribute **ret_attributes)
{
	struct directory_attribute *list = NULL;
	size_t count = order->attributes_count;
	int r = 0;
	for (size_t i = 0; r >= 0 && i < order->attributes_count; i++) {
		struct directory_attribute *attribute = attribute_new(order->attributes[i]);
		r = attribute ? 0 : -ENOMEM;
		if (attribute)
			LL_APPEND(list, attribute);
	}
	for (; r >= 0 && old; old = old->next) {
		if (has_name(list, order->attributes_count, old->name))
			continue;
		size_t size = old->name.size + (old->value.data ? 1 + old->value.size : 0);
		struct directory_attribute *attribute = attribute_new((struct tg_bytes){old->text, size});
		r = !attribute ? -ENOMEM : ++count > DIRECTORY_ATTRIBUTES_MAX ? -E2BIG : 0;
		if (attribute)
			LL_APPEND(list, attribute);
	}
	if (r < 0)
		attributes_free(list);
	else
		*ret_attributes = list;
	return r;
}

static size_t attributes_bytes(const struct directory_attribute *list)
{
	size_t bytes = 0;
	for (; list; list = list->next)
		bytes += list->name.size + list->value.size + 1;
	return bytes;
}

static struct directory_registration *registration_find(struct directory *directory, uint32_t number)
{
	struct directory_registration *registration;
	DL_SEARCH_SCALAR(directory->first, registration, number, number);
	return registration;
}

/* The one in this sector; *ret_sectors are counted. */
static struct directory_registration *registration_of(struct directory *directory, const struct directory_peer *peer,
						      struct tg_bytes sector, size_t *ret_sectors)
{
	struct directory_registration *registration, *found = NULL;
	*ret_sectors = 0;
	DL_FOREACH (directory->first, registration) {
		if (strcmp(registration->device, peer->device) != 0)
			continue;
		++*ret_sectors;
		if (strlen(registration->sector) == sector.size &&
		    (sector.size == 0 || memcmp(registration->sector, sector.data, sector.size) == 0))
			found = registration;
	}
	return found;
}

/* 0, or why this order is not for this peer. */
static struct directory_result order_check(const struct directory_peer *peer, const struct directory_order *order)
{
	const struct tg_bytes *endpoint = &order->endpoint;
	if (endpoint->data &&
	    (endpoint->size != strlen(peer->device) || memcmp(endpoint->data, peer->device, endpoint->size) != 0))
		return result(MESSAGE_FORBIDDEN, "ep is another name than this device's own");
	if (order->base_is_local && peer->scope == 0)
		return result(MESSAGE_BAD_REQUEST, "base is local to a link that this request did not come by");
	return result(0, NULL);
}

/* What the peer's address is to a base that is not given. */
static void base_take(struct directory_registration *registration, const struct directory_peer *peer,
		      const struct directory_order *order)
{
	registration->base_given = order->base.data != NULL;
	registration->base = order->base.data ? copy_bytes(order->base) : copy(peer->base, strlen(peer->base));
	registration->scope = order->base.data && !order->base_is_local ? 0 : peer->scope;
}

static struct directory_result registration_make(const struct directory *directory, const struct directory_peer *peer,
						 const struct directory_order *order, struct tg_bytes links,
						 struct directory_registration **ret_registration)
{
	struct directory_registration *registration = calloc(1, sizeof(*registration));
	if (!registration)
		return result_full("out of memory");
	registration->device = copy(peer->device, strlen(peer->device));
	registration->sector = copy_bytes(order->sector);
	base_take(registration, peer, order);
	registration->links = copy_bytes(links);
	registration->links_size = links.size;
	registration->lifetime_s = order->lifetime_s ? order->lifetime_s : DIRECTORY_LIFETIME_S;
	int r = attributes_make(order, NULL, &registration->attributes);
	if (r < 0 || !registration->device || !registration->sector || !registration->base || !registration->links) {
		registration_free(registration);
		return result_full("out of memory");
	}
	size_t bytes = links.size + strlen(registration->base) + attributes_bytes(registration->attributes);
	if (bytes > directory->limits.bytes) {
		registration_free(registration);
		return (struct directory_result){MESSAGE_TOO_LARGE, (uint32_t)directory->limits.bytes, NULL};
	}
	*ret_registration = registration;
	return result(0, NULL);
}

struct directory_result directory_register(struct directory *directory, const struct directory_peer *peer,
					   const struct directory_order *order, struct tg_bytes links, int64_t now_us)
{
	struct directory_result refusal = order_check(peer, order);
	size_t sectors, count;
	if (refusal.code)
		return refusal;
	const char *problem = directory_links_check(links, &count);
	if (problem)
		return result(MESSAGE_BAD_REQUEST, problem);
	if (count > directory->limits.links)
		return (struct directory_result){MESSAGE_TOO_LARGE, (uint32_t)directory->limits.bytes,
						 "too many links"};
	struct directory_registration *old = registration_of(directory, peer, order->sector, &sectors), *made;
	if (!old && sectors >= DIRECTORY_SECTORS_MAX)
		return result_full("too many sectors of one device");
	if (!old && directory->count >= directory->limits.registrations)
		return result_full("too many registrations");
	refusal = registration_make(directory, peer, order, links, &made);
	if (refusal.code)
		return refusal;
	made->number = old ? old->number : ++directory->last_number;
	made->until_us = now_us + made->lifetime_s * SECOND_US;
	if (old) {
		DL_REPLACE_ELEM(directory->first, old, made);
		registration_free(old);
	} else {
		DL_APPEND(directory->first, made);
		directory->count++;
	}
	directory->version++;
	return (struct directory_result){.code = MESSAGE_CREATED, .detail = made->number};
}

static struct directory_result owned_check(const struct directory_registration *registration,
					   const struct directory_peer *peer)
{
	if (!registration)
		return result(MESSAGE_NOT_FOUND, "no such registration");
	if (strcmp(registration->device, peer->device) != 0)
		return result(MESSAGE_FORBIDDEN, "the registration is another device's");
	return result(0, NULL);
}

static struct directory_result update_apply(struct directory_registration *registration,
					    const struct directory_limits *limits, const struct directory_peer *peer,
					    const struct directory_order *order)
{
	struct directory_registration changed = {.base = NULL};
	int r = attributes_make(order, registration->attributes, &changed.attributes);
	if (r < 0)
		return r == -E2BIG ? result(MESSAGE_BAD_REQUEST, "too many attributes") : result_full("out of memory");
	if (order->base.data || !registration->base_given) {
		base_take(&changed, peer, order);
	} else {
		changed.base = copy(registration->base, strlen(registration->base));
		changed.base_given = true;
		changed.scope = registration->scope;
	}
	size_t bytes = registration->links_size + attributes_bytes(changed.attributes);
	if (!changed.base || bytes + strlen(changed.base) > limits->bytes) {
		bool memory = !changed.base;
		attributes_free(changed.attributes);
		free(changed.base);
		return memory ? result_full("out of memory")
			      : (struct directory_result){MESSAGE_TOO_LARGE, (uint32_t)limits->bytes, NULL};
	}
	attributes_free(registration->attributes);
	free(registration->base);
	registration->attributes = changed.attributes;
	registration->base = changed.base;
	registration->base_given = changed.base_given;
	registration->scope = changed.scope;
	return result(MESSAGE_CHANGED, NULL);
}

struct directory_result directory_update(struct directory *directory, const struct directory_peer *peer,
					 uint32_t number, const struct directory_order *order, int64_t now_us)
{
	struct directory_registration *registration = registration_find(directory, number);
	struct directory_result answer = owned_check(registration, peer);
	if (!answer.code && (order->endpoint.data || order->sector.data))
		answer = result(MESSAGE_BAD_REQUEST, "ep and d cannot be changed");
	if (!answer.code)
		answer = order_check(peer, order);
	if (!answer.code)
		answer = update_apply(registration, &directory->limits, peer, order);
	if (answer.code != MESSAGE_CHANGED)
		return answer;
	if (order->lifetime_s)
		registration->lifetime_s = order->lifetime_s;
	registration->until_us = now_us + registration->lifetime_s * SECOND_US;
	directory->version++;
	return answer;
}

struct directory_result directory_remove(struct directory *directory, const struct directory_peer *peer,
					 uint32_t number)
{
	struct directory_registration *registration = registration_find(directory, number);
	struct directory_result answer = owned_check(registration, peer);
	if (answer.code)
		return answer;
	registration_drop(directory, registration);
	return result(MESSAGE_DELETED, NULL);
}

void directory_forget(struct directory *directory, struct tg_bytes device)
{
	struct directory_registration *registration, *next;
	DL_FOREACH_SAFE (directory->first, registration, next) {
		if (strlen(registration->device) == device.size &&
		    memcmp(registration->device, device.data, device.size) == 0)
			registration_drop(directory, registration);
	}
}

size_t directory_count(const struct directory *directory)
{
	return directory->count;
}

void directory_run(struct directory *directory, int64_t now_us)
{
	struct directory_registration *registration, *next;
	DL_FOREACH_SAFE (directory->first, registration, next) {
		if (registration->until_us <= now_us)
			registration_drop(directory, registration);
	}
}

int64_t directory_next_us(const struct directory *directory)
{
	const struct directory_registration *registration;
	int64_t next_us = INT64_MAX;
	DL_FOREACH (directory->first, registration) {
		if (registration->until_us < next_us)
			next_us = registration->until_us;
	}
	return next_us;
}
