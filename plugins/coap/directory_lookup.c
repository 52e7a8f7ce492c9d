/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "directory_inside.h"
#include "directory_links.h"
#include "links_search.h"

enum { HREF_MAX = 16 };

/* A lookup while it is worked on. */
struct search {
	const struct directory *directory;
	const struct directory_peer *peer;
	struct links_search criteria;
	struct directory_text scratch;
	struct directory_text *out;
};

static struct tg_bytes bytes_of(const char *terminated)
{
	return (struct tg_bytes){.data = terminated, .size = strlen(terminated)};
}

static void href_of(const struct directory_registration *registration, char ret_href[HREF_MAX])
{
	snprintf(ret_href, HREF_MAX, "/rd/%u", registration->number);
}

/* Whether the registration itself has what is wished. */
static bool endpoint_has(const struct directory_registration *registration, const struct links_wish *wish)
{
	char href[HREF_MAX];
	const struct directory_attribute *attribute;
	href_of(registration, href);
	if (links_is_name(wish->name, "href"))
		return links_value_matches(wish, bytes_of(href), false);
	if (links_is_name(wish->name, "ep"))
		return links_value_matches(wish, bytes_of(registration->device), false);
	if (links_is_name(wish->name, "base"))
		return links_value_matches(wish, bytes_of(registration->base), false);
	if (links_is_name(wish->name, "rt"))
		return links_value_matches(wish, bytes_of("core.rd-ep"), false);
	if (links_is_name(wish->name, "d"))
		return *registration->sector && links_value_matches(wish, bytes_of(registration->sector), false);
	LL_FOREACH (registration->attributes, attribute) {
		if (attribute->name.size != wish->name.size ||
		    memcmp(attribute->name.data, wish->name.data, wish->name.size) != 0)
			continue;
		if (wish->any || (attribute->value.data && links_value_matches(wish, attribute->value, false)))
			return true;
	}
	return false;
}

static bool resolved_matches(struct search *search, const struct directory_registration *registration,
			     const struct links_wish *wish, struct tg_bytes reference)
{
	search->scratch.size = 0;
	directory_text_resolved(&search->scratch, registration->base, reference);
	return !search->scratch.failed &&
	       links_value_matches(wish, (struct tg_bytes){search->scratch.data, search->scratch.size}, false);
}

/* Whether the link itself has what is wished. */
static bool link_has(struct search *search, const struct directory_registration *registration,
		     const struct directory_link *link, const struct links_wish *wish)
{
	struct tg_bytes rest = link->parameters;
	struct directory_parameter parameter;
	if (links_is_name(wish->name, "href"))
		return resolved_matches(search, registration, wish, link->target);
	while (directory_parameter_next(&rest, &parameter)) {
		if (parameter.name.size != wish->name.size ||
		    memcmp(parameter.name.data, wish->name.data, wish->name.size) != 0)
			continue;
		if (links_is_name(wish->name, "anchor"))
			return resolved_matches(search, registration, wish, parameter.value);
		if (wish->any || (parameter.value.data && links_value_matches(wish, parameter.value, parameter.quoted)))
			return true;
	}
	return false;
}

static bool link_matches(struct search *search, const struct directory_registration *registration,
			 const struct directory_link *link)
{
	for (size_t i = 0; i < search->criteria.wishes_count; i++)
		if (!link_has(search, registration, link, &search->criteria.wishes[i]) &&
		    !endpoint_has(registration, &search->criteria.wishes[i]))
			return false;
	return true;
}

static bool any_link_has(struct search *search, const struct directory_registration *registration,
			 const struct links_wish *wish)
{
	struct tg_bytes rest = {.data = registration->links, .size = registration->links_size};
	struct directory_link link;
	while (directory_link_next(&rest, &link))
		if (link_has(search, registration, &link, wish))
			return true;
	return false;
}

static bool endpoint_matches(struct search *search, const struct directory_registration *registration)
{
	for (size_t i = 0; i < search->criteria.wishes_count; i++)
		if (!endpoint_has(registration, &search->criteria.wishes[i]) &&
		    !any_link_has(search, registration, &search->criteria.wishes[i]))
			return false;
	return true;
}

static void write_target(struct search *search, const char *base, struct tg_bytes target)
{
	directory_text_terminated(search->out, search->out->size > 0 ? ",<" : "<");
	directory_text_resolved(search->out, base, target);
	directory_text_terminated(search->out, ">");
}

/* As it was registered, but for references that are resolved. Source: RFC 9176 section 6.1. */
static void write_link(struct search *search, const struct directory_registration *registration,
		       const struct directory_link *link)
{
	struct tg_bytes rest = link->parameters;
	struct directory_parameter parameter;
	write_target(search, registration->base, link->target);
	while (directory_parameter_next(&rest, &parameter)) {
		directory_text_terminated(search->out, ";");
		if (!links_is_name(parameter.name, "anchor")) {
			directory_text_add(search->out, parameter.whole.data, parameter.whole.size);
			continue;
		}
		directory_text_terminated(search->out, "anchor=\"");
		directory_text_resolved(search->out, registration->base, parameter.value);
		directory_text_terminated(search->out, "\"");
	}
}

static void write_attribute(struct search *search, struct tg_bytes name, struct tg_bytes value)
{
	directory_text_terminated(search->out, ";");
	directory_text_add(search->out, name.data, name.size);
	if (!value.data)
		return;
	directory_text_terminated(search->out, "=");
	directory_text_value(search->out, value);
}

/* Source: RFC 9176 section 6.4. */
static void write_endpoint(struct search *search, const struct directory_registration *registration)
{
	const struct directory_attribute *attribute;
	char href[HREF_MAX];
	href_of(registration, href);
	directory_text_terminated(search->out, search->out->size > 0 ? ",<" : "<");
	directory_text_terminated(search->out, href);
	directory_text_terminated(search->out, ">");
	write_attribute(search, bytes_of("ep"), bytes_of(registration->device));
	if (*registration->sector)
		write_attribute(search, bytes_of("d"), bytes_of(registration->sector));
	write_attribute(search, bytes_of("base"), bytes_of(registration->base));
	write_attribute(search, bytes_of("rt"), bytes_of("core.rd-ep"));
	LL_FOREACH (registration->attributes, attribute) {
		write_attribute(search, attribute->name, attribute->value);
	}
}

static void search_resources(struct search *search, const struct directory_registration *registration)
{
	struct tg_bytes rest = {.data = registration->links, .size = registration->links_size};
	struct directory_link link;
	while (search->criteria.left > 0 && directory_link_next(&rest, &link))
		if (link_matches(search, registration, &link) && links_search_takes(&search->criteria))
			write_link(search, registration, &link);
}

/* What is local to a link is shown on that link alone. */
static void search_all(struct search *search, enum directory_kind kind)
{
	const struct directory_registration *registration;
	DL_FOREACH (search->directory->first, registration) {
		if (registration->scope && registration->scope != search->peer->scope)
			continue;
		if (kind == DIRECTORY_RESOURCES)
			search_resources(search, registration);
		else if (endpoint_matches(search, registration) && links_search_takes(&search->criteria))
			write_endpoint(search, registration);
	}
}

/* What the answer depends on, but for the directory itself. */
static void key_make(struct directory_text *key, enum directory_kind kind, const struct directory_peer *peer,
		     const struct coap_message *request)
{
	struct message_walk walk;
	struct message_option option;
	directory_text_add(key, (const char *)&kind, sizeof(kind));
	directory_text_add(key, (const char *)&peer->scope, sizeof(peer->scope));
	message_walk_init(&walk, request);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_QUERY)
			continue;
		directory_text_add(key, (const char *)&option.value.size, sizeof(option.value.size));
		directory_text_add(key, option.value.data, option.value.size);
	}
}

static struct directory_kept *kept_find(struct directory *directory, const struct directory_text *key)
{
	for (size_t i = 0; i < DIRECTORY_KEPT; i++) {
		struct directory_kept *kept = &directory->kept[i];
		if (kept->version == directory->version && kept->key_size == key->size &&
		    memcmp(kept->key, key->data, key->size) == 0)
			return kept;
	}
	return NULL;
}

/* The one that was used least lately, for another answer. */
static struct directory_kept *kept_take(struct directory *directory)
{
	struct directory_kept *kept = &directory->kept[0];
	for (size_t i = 1; i < DIRECTORY_KEPT; i++)
		if (directory->kept[i].used < kept->used)
			kept = &directory->kept[i];
	free(kept->key);
	free(kept->text.data);
	*kept = (struct directory_kept){.version = 0};
	return kept;
}

/* FNV-1a: it only has to differ where the text differs. */
static uint32_t etag_of(const struct directory_text *text)
{
	uint32_t hash = 0x811c9dc5;
	for (size_t i = 0; i < text->size; i++)
		hash = (hash ^ (uint8_t)text->data[i]) * 0x01000193;
	return hash;
}

/* Returns the answer, or NULL: out of memory. */
static struct directory_kept *search_run(struct directory *directory, struct search *search, enum directory_kind kind,
					 struct directory_text *key)
{
	struct directory_kept *kept = kept_take(directory);
	search->out = &kept->text;
	search_all(search, kind);
	free(search->scratch.data);
	if (kept->text.failed || search->scratch.failed || key->failed)
		return NULL;
	kept->version = directory->version;
	kept->etag = etag_of(&kept->text);
	kept->key = key->data;
	kept->key_size = key->size;
	*key = (struct directory_text){.data = NULL};
	return kept;
}

uint8_t directory_lookup(struct directory *directory, enum directory_kind kind, const struct directory_peer *peer,
			 const struct coap_message *request, struct tg_bytes *ret_text, uint32_t *ret_etag,
			 const char **ret_problem)
{
	struct search search = {.directory = directory, .peer = peer};
	struct directory_text key = {.data = NULL};
	const char *problem = links_search_read(&search.criteria, request);
	if (problem) {
		*ret_problem = problem;
		return MESSAGE_BAD_REQUEST;
	}
	key_make(&key, kind, peer, request);
	struct directory_kept *kept = key.failed ? NULL : kept_find(directory, &key);
	if (!kept)
		kept = search_run(directory, &search, kind, &key);
	free(key.data);
	if (!kept) {
		*ret_problem = "out of memory";
		return MESSAGE_UNAVAILABLE;
	}
	kept->used = ++directory->lookups;
	*ret_text = (struct tg_bytes){.data = kept->text.data ? kept->text.data : "", .size = kept->text.size};
	*ret_etag = kept->etag;
	return 0;
}
