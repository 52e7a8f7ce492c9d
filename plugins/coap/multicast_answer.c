/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "block.h"
#include "multicast.h"

enum { FORMAT_LINK = 40, LINKS_MAX = 1024, SUCCESS_UNWANTED = 2 };

bool multicast_is_near(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *a = &v6->sin6_addr;
		return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_SITELOCAL(a) || IN6_IS_ADDR_LOOPBACK(a) ||
		       (a->s6_addr[0] & 0xfe) == 0xfc;
	}
	uint32_t a = ntohl(v4->sin_addr.s_addr);
	return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe;
}

/* An error would be many errors at once, from everybody who was asked. */
static bool is_answered(const struct coap_message *request)
{
	char text[RESOURCE_TEXT_MAX];
	bool asks = request->type == MESSAGE_NON && request->code == MESSAGE_GET && resource_is_core(request);
	bool plain = !request->if_match && !request->if_none_match && !(request->no_response & SUCCESS_UNWANTED);
	bool accepts = request->accept == MESSAGE_ABSENT || request->accept == FORMAT_LINK;
	return asks && plain && accepts && resource_check(request, text) == 0;
}

/* What comes next by unicast would find nobody: all of it, or nothing. */
static bool fits(uint32_t block2, size_t size)
{
	return block2 == MESSAGE_ABSENT || (block2 >> 4 == 0 && size <= (size_t)16 << (block2 & 7));
}

size_t multicast_answer(const struct coap_message *request, const struct resource_links *links, const char *base,
			uint16_t id, uint8_t memory[MULTICAST_DATAGRAM_MAX])
{
	struct message_writer writer;
	char text[LINKS_MAX];
	if (!is_answered(request))
		return 0;
	int size = links_write_at(base, links->links, links->count, request, text, sizeof(text));
	if (size <= 0 || !fits(request->block2, (size_t)size))
		return 0;
	message_writer_init(&writer, memory, MULTICAST_DATAGRAM_MAX);
	message_write_header(&writer, MESSAGE_NON, MESSAGE_CONTENT, id,
			     (struct tg_bytes){.data = request->token, .size = request->token_size});
	message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, FORMAT_LINK);
	message_write_payload(&writer, (struct tg_bytes){.data = text, .size = (size_t)size});
	return writer.failed ? 0 : writer.size;
}
