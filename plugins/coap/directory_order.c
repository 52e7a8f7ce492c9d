/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_order.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "directory_links.h"
#include "links.h"

bool directory_number(struct tg_bytes text, uint32_t most, uint32_t *ret_number)
{
	const char *digits = text.data;
	uint64_t number = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(digits[i] - '0');
		if (number > most)
			return false;
	}
	*ret_number = (uint32_t)number;
	return text.size > 0;
}

/* "[address]" with or without a port; no zone. */
static bool literal_check(const char *authority, size_t size, bool *ret_local)
{
	const char *end = memchr(authority, ']', size);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t length = end ? (size_t)(end - authority) - 1 : 0;
	if (!end || length >= sizeof(text))
		return false;
	memcpy(text, authority + 1, length);
	text[length] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return false;
	*ret_local = IN6_IS_ADDR_LINKLOCAL(&address);
	return length + 2 == size || end[1] == ':';
}

/* scheme://authority, perhaps with a path. */
static const char *base_check(struct tg_bytes base, bool *ret_local)
{
	const char *text = base.data;
	size_t colon;
	*ret_local = false;
	if (base.size > DIRECTORY_BASE_MAX)
		return "base is too long";
	if (!directory_is_reference(base) || !directory_has_scheme(base, &colon) || base.size < colon + 4 ||
	    memcmp(text + colon, "://", 3) != 0)
		return "base has to be a URI with an authority";
	const char *authority = text + colon + 3;
	size_t left = base.size - colon - 3;
	const char *slash = memchr(authority, '/', left);
	size_t size = slash ? (size_t)(slash - authority) : left;
	if (memchr(text, '?', base.size) || memchr(text, '#', base.size))
		return "base must not have a query or a fragment";
	if (size == 0 || memchr(authority, '@', size))
		return "base has to have an authority without user information";
	if (authority[0] == '[' && !literal_check(authority, size, ret_local))
		return "base has no proper address in it; a zone must not be there";
	return NULL;
}

static const char *name_check(struct tg_bytes name)
{
	return name.size <= DIRECTORY_NAME_MAX && directory_is_text(name)
		       ? NULL
		       : "names have to be UTF-8 of 63 bytes at most, without control characters";
}

/* What the directory itself says of a registration, or what filters mean, is no attribute of it. */
static const char *attribute_check(struct tg_bytes name, struct tg_bytes value)
{
	static const char *const taken[] = {"rt", "if", "sz", "href", "anchor", "rel", "rev", "page", "count"};
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (links_is_name(name, taken[i]))
			return "rt, if, sz, href, anchor, rel, rev, page and count are no attributes of a registration";
	if (!directory_is_name(name) || !directory_is_text(value))
		return "an attribute has no proper name or value";
	return NULL;
}

static const char *order_take(struct directory_order *order, struct tg_bytes query)
{
	const char *equals = query.size ? memchr(query.data, '=', query.size) : NULL;
	struct tg_bytes name = query, value = {.data = NULL};
	if (equals) {
		name.size = (size_t)(equals - (const char *)query.data);
		value = (struct tg_bytes){.data = equals + 1, .size = query.size - name.size - 1};
	}
	struct tg_bytes *place = links_is_name(name, "ep")     ? &order->endpoint
				 : links_is_name(name, "d")    ? &order->sector
				 : links_is_name(name, "base") ? &order->base
							       : NULL;
	bool lifetime = links_is_name(name, "lt");
	if ((place || lifetime) && !equals)
		return "ep, d, lt and base have to have a value";
	if ((place && place->data) || (lifetime && order->lifetime_s))
		return "ep, d, lt and base may be there once only";
	if (lifetime)
		return directory_number(value, UINT32_MAX, &order->lifetime_s) &&
				       order->lifetime_s >= DIRECTORY_LIFETIME_MIN_S
			       ? NULL
			       : "lt has to be 60 to 4294967295 seconds";
	if (place) {
		*place = value;
		return place == &order->base ? base_check(value, &order->base_is_local) : name_check(value);
	}
	if (order->attributes_count == DIRECTORY_ATTRIBUTES_MAX)
		return "too many attributes";
	order->attributes[order->attributes_count++] = query;
	return attribute_check(name, value);
}

const char *directory_order_read(const struct coap_message *message, struct directory_order *ret_order)
{
	struct message_walk walk;
	struct message_option option;
	*ret_order = (struct directory_order){.attributes_count = 0};
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_QUERY)
			continue;
		const char *problem = order_take(ret_order, option.value);
		if (problem)
			return problem;
	}
	return NULL;
}
