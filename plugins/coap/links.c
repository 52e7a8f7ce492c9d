/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include <errno.h>
#include <string.h>

struct links_wish links_wish_read(struct tg_bytes query)
{
	const char *text = query.data;
	const char *equals = query.size ? memchr(text, '=', query.size) : NULL;
	struct links_wish wish = {.name = query, .any = !equals};
	if (!equals)
		return wish;
	wish.name.size = (size_t)(equals - text);
	wish.value = (struct tg_bytes){.data = equals + 1, .size = query.size - wish.name.size - 1};
	wish.prefix = wish.value.size > 0 && text[query.size - 1] == '*';
	wish.value.size -= wish.prefix;
	return wish;
}

bool links_is_name(struct tg_bytes name, const char *wanted)
{
	return name.size == strlen(wanted) && memcmp(name.data, wanted, name.size) == 0;
}

static bool text_matches(const char *text, size_t size, bool escaped, const struct links_wish *wish)
{
	const char *wanted = wish->value.data;
	size_t found = 0;
	for (size_t i = 0; i < size; i++) {
		if (escaped && text[i] == '\\' && i + 1 < size)
			i++;
		if (found == wish->value.size)
			return wish->prefix;
		if (text[i] != wanted[found++])
			return false;
	}
	return found == wish->value.size;
}

static bool word_matches(const char *words, size_t size, bool escaped, const struct links_wish *wish)
{
	while (size > 0) {
		const char *space = memchr(words, ' ', size);
		size_t length = space ? (size_t)(space - words) : size;
		if (text_matches(words, length, escaped, wish))
			return true;
		words += length + (space != NULL);
		size -= length + (space != NULL);
	}
	return false;
}

static bool has_words(struct tg_bytes name)
{
	return links_is_name(name, "rt") || links_is_name(name, "if") || links_is_name(name, "rel");
}

bool links_value_matches(const struct links_wish *wish, struct tg_bytes value, bool escaped)
{
	if (wish->any)
		return true;
	return has_words(wish->name) ? word_matches(value.data, value.size, escaped, wish)
				     : text_matches(value.data, value.size, escaped, wish);
}

static bool matches(const struct links_wish *wish, const char *value)
{
	return links_value_matches(wish, (struct tg_bytes){.data = value, .size = strlen(value)}, false);
}

static bool link_matches(const struct link *link, const struct links_wish *wish)
{
	if (links_is_name(wish->name, "href"))
		return matches(wish, link->target);
	for (size_t i = 0; i < LINKS_ATTRIBUTES && link->attributes[i].name; i++) {
		const struct link_attribute *attribute = &link->attributes[i];
		if (links_is_name(wish->name, attribute->name))
			return attribute->value ? matches(wish, attribute->value) : wish->any;
	}
	return false;
}

static bool is_wanted(const struct link *link, const struct coap_message *request)
{
	struct message_walk walk;
	struct message_option option;
	message_walk_init(&walk, request);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_QUERY)
			continue;
		const struct links_wish wish = links_wish_read(option.value);
		if (!link_matches(link, &wish))
			return false;
	}
	return true;
}

static bool add(char *memory, size_t room, size_t *size, const char *text)
{
	size_t length = strlen(text);
	if (length > room - *size)
		return false;
	memcpy(memory + *size, text, length);
	*size += length;
	return true;
}

static bool add_attribute(char *memory, size_t room, size_t *size, const struct link_attribute *attribute)
{
	const char *quote = attribute->number ? "" : "\"";
	if (!add(memory, room, size, ";") || !add(memory, room, size, attribute->name))
		return false;
	return !attribute->value || (add(memory, room, size, "=") && add(memory, room, size, quote) &&
				     add(memory, room, size, attribute->value) && add(memory, room, size, quote));
}

static bool add_link(char *memory, size_t room, size_t *size, const char *base, const struct link *link)
{
	bool whole = add(memory, room, size, *size ? ",<" : "<") && add(memory, room, size, base) &&
		     add(memory, room, size, link->target) && add(memory, room, size, ">");
	for (size_t i = 0; whole && i < LINKS_ATTRIBUTES && link->attributes[i].name; i++)
		whole = add_attribute(memory, room, size, &link->attributes[i]);
	return whole;
}

int links_write(const struct link *links, size_t count, const struct coap_message *request, char *memory, size_t room)
{
	return links_write_at("", links, count, request, memory, room);
}

int links_write_at(const char *base, const struct link *links, size_t count, const struct coap_message *request,
		   char *memory, size_t room)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_wanted(&links[i], request) && !add_link(memory, room, &size, base, &links[i]))
			return -ENOSPC;
	}
	return (int)size;
}
