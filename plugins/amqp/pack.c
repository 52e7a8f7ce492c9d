/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <errno.h>
#include <proton/message.h>
#include <stdlib.h>
#include <string.h>

#include "common/media.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/words.h"
#include "unpack.h"

int pack_init(struct pack *pack)
{
	*pack = (struct pack){.message = pn_message()};
	return pack->message ? 0 : -ENOMEM;
}

void pack_done(struct pack *pack)
{
	pn_message_free(pack->message);
	free(pack->buffer);
	*pack = (struct pack){0};
}

static pn_bytes_t pack_bytes(struct tg_bytes bytes)
{
	return pn_bytes(bytes.size, bytes.data);
}

static void pack_property(pn_data_t *data, const char *name, struct tg_bytes value)
{
	if (!utf8_is_good(value))
		return;
	pn_data_put_string(data, pn_bytes(strlen(name), name));
	pn_data_put_string(data, pack_bytes(value));
}

static void pack_property_text(pn_data_t *data, const char *name, const char *value)
{
	pack_property(data, name, (struct tg_bytes){.data = value, .size = strlen(value)});
}

static const char *pack_outcome(uint32_t outcome)
{
	switch (outcome) {
	case TG_OUTCOME_DELIVERED:
		return "delivered";
	case TG_OUTCOME_EXPIRED:
		return "expired";
	default:
		return "refused";
	}
}

/* As arrival.c has put it together; anything else goes as it is. */
static pn_atom_t pack_correlation(struct tg_bytes correlation)
{
	const uint8_t *p = correlation.data;
	struct tg_bytes rest = {.data = p + 1, .size = correlation.size - 1};
	pn_atom_t atom = {.type = PN_BINARY, .u.as_bytes = pack_bytes(rest)};

	if (p[0] == UNPACK_ID_STRING && utf8_is_good(rest)) {
		atom.type = PN_STRING;
	} else if (p[0] == UNPACK_ID_ULONG && rest.size == 8) {
		atom = (pn_atom_t){.type = PN_ULONG};
		for (unsigned i = 1; i <= 8; i++)
			atom.u.as_ulong = atom.u.as_ulong << 8 | p[i];
	} else if (p[0] == UNPACK_ID_UUID && rest.size == sizeof(atom.u.as_uuid.bytes)) {
		atom = (pn_atom_t){.type = PN_UUID};
		memcpy(atom.u.as_uuid.bytes, p + 1, rest.size);
	} else if (p[0] != UNPACK_ID_BINARY) {
		atom.u.as_bytes = pack_bytes(correlation);
	}
	return atom;
}

static void pack_response(pn_data_t *data, const struct tg_delivery *delivery)
{
	char command[STAMP_ID_SIZE], code[WORDS_CODE_SIZE];

	stamp_id(delivery->command, command);
	words_code(delivery->code, code);
	pack_property_text(data, "outcome", pack_outcome(delivery->outcome));
	if (delivery->code != 0)
		pack_property_text(data, "code", code);
	pack_property_text(data, "command", command);
}

static void pack_application(pn_message_t *message, const struct tg_delivery *delivery, const char *via)
{
	pn_data_t *data = pn_message_properties(message);
	char time[STAMP_TIME_SIZE];

	stamp_time(delivery->time_wall_us, time);
	pn_data_put_map(data);
	pn_data_enter(data);
	pack_property(data, "device", delivery->device);
	pack_property(data, "path", delivery->path);
	pack_property_text(data, "time", time);
	if (delivery->kind == TG_RESPONSE)
		pack_response(data, delivery);
	if (via)
		pack_property_text(data, "via", via);
	pn_data_exit(data);
}

/* The library takes a terminated text; one that cannot stand so is left out. */
static int pack_subject(pn_message_t *message, struct tg_bytes subject)
{
	char text[TG_ADDRESS_MAX + 1];

	if (subject.size == 0 || subject.size >= sizeof(text) || !utf8_is_good(subject) ||
	    memchr(subject.data, 0, subject.size))
		return 0;
	memcpy(text, subject.data, subject.size);
	text[subject.size] = '\0';
	return pn_message_set_subject(message, text);
}

static int pack_properties(pn_message_t *message, const struct tg_delivery *delivery, uint32_t expiry_s,
			   struct tg_bytes subject)
{
	bool utf8 = false;
	const char *type = media_type(delivery->content_format, &utf8);
	char id[STAMP_ID_SIZE];
	int r;

	pn_message_set_durable(message, true);
	pn_message_set_ttl(message, expiry_s < UINT32_MAX / 1000 ? expiry_s * 1000 : UINT32_MAX);
	pn_message_set_creation_time(message, delivery->time_wall_us / 1000);
	stamp_id(delivery->id, id);
	r = pn_message_set_id(message, (pn_atom_t){.type = PN_STRING, .u.as_bytes = pn_bytes(strlen(id), id)});
	if (r == 0)
		r = pack_subject(message, subject.size > 0 ? subject : delivery->path);
	if (r == 0 && type)
		r = pn_message_set_content_type(message, type);
	if (r == 0 && delivery->kind == TG_RESPONSE && delivery->correlation.size > 0)
		r = pn_message_set_correlation_id(message, pack_correlation(delivery->correlation));
	return r;
}

int pack_delivery(struct pack *pack, const struct tg_delivery *delivery, uint32_t expiry_s, struct tg_bytes subject,
		  const char *via, struct tg_bytes *ret_bytes)
{
	pn_message_t *message = pack->message;
	pn_rwbytes_t buffer = {.size = pack->room, .start = pack->buffer};
	ssize_t n;

	pn_message_clear(message);
	pn_message_set_inferred(message, true);
	if (pack_properties(message, delivery, expiry_s, subject) != 0)
		return -ENOMEM;
	pack_application(message, delivery, via);
	if (pn_data_put_binary(pn_message_body(message), pack_bytes(delivery->payload)) != 0)
		return -ENOMEM;
	n = pn_message_encode2(message, &buffer);
	pack->buffer = buffer.start;
	pack->room = buffer.size;
	if (n < 0)
		return n == PN_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	*ret_bytes = (struct tg_bytes){.data = pack->buffer, .size = (size_t)n};
	return 0;
}
