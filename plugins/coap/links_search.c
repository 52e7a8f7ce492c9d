/* SPDX-License-Identifier: Apache-2.0 */
#include "links_search.h"

#include "directory_order.h"

static const char *take_number(const struct links_wish *wish, bool *has, uint32_t *number)
{
	if (*has || wish->any || wish->prefix || !directory_number(wish->value, UINT32_MAX, number))
		return "page and count have to be one number each";
	*has = true;
	return NULL;
}

const char *links_search_add(struct links_search *search, struct tg_bytes query)
{
	const struct links_wish wish = links_wish_read(query);
	if (links_is_name(wish.name, "page"))
		return take_number(&wish, &search->has_page, &search->page);
	if (links_is_name(wish.name, "count"))
		return take_number(&wish, &search->has_count, &search->count);
	if (search->wishes_count == LINKS_SEARCH_MAX)
		return "too many search criteria";
	search->wishes[search->wishes_count++] = wish;
	return NULL;
}

const char *links_search_begin(struct links_search *search)
{
	if (search->has_page && !search->has_count)
		return "page needs count";
	search->left = search->has_count ? search->count : UINT64_MAX;
	search->skip = (uint64_t)search->page * search->count;
	return NULL;
}

const char *links_search_read(struct links_search *search, const struct coap_message *request)
{
	struct message_walk walk;
	struct message_option option;
	message_walk_init(&walk, request);
	while (message_option_next(&walk, &option)) {
		const char *problem =
			option.number == MESSAGE_URI_QUERY ? links_search_add(search, option.value) : NULL;
		if (problem)
			return problem;
	}
	return links_search_begin(search);
}

bool links_search_takes(struct links_search *search)
{
	if (search->skip > 0) {
		search->skip--;
		return false;
	}
	if (search->left == 0)
		return false;
	search->left--;
	return true;
}
