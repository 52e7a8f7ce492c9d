/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_wire.h"

#include <coap3/coap.h>
#include <string.h>

enum { COAP_VERSION = 1, HEADER = 4, OPTION_OSCORE = 9, PARTIAL_IV_MAX = 5, PAYLOAD_MARK = 0xff };

/* False: it is broken, or says nothing of a number. */
static bool look_at_option(const uint8_t *value, size_t size, struct wire *wire)
{
	size_t n = size > 0 ? value[0] & 7 : 0;

	wire->is_protected = true;
	if (n > PARTIAL_IV_MAX || (n > 0 && size < 1 + n))
		return false;
	for (size_t i = 1; i <= n; i++)
		wire->number = wire->number << 8 | value[i];
	wire->has_number = n > 0;
	return true;
}

/* Walks the options; false: they are broken. */
static bool look_at_options(const uint8_t *at, size_t left, struct wire *wire)
{
	unsigned number = 0;

	while (left > 0 && *at != PAYLOAD_MARK) {
		coap_option_t option;
		size_t size = coap_opt_parse(at, left, &option);

		if (size == 0 || size > left)
			return false;
		number += option.delta;
		if (number == OPTION_OSCORE &&
		    (wire->is_protected || !look_at_option(option.value, option.length, wire)))
			return false;
		at += size;
		left -= size;
	}
	return left != 1;
}

static enum wire_kind kind_of(uint8_t code)
{
	switch (code >> 5) {
	case 0:
		return WIRE_REQUEST;
	case 2:
	case 4:
	case 5:
		return WIRE_RESPONSE;
	default:
		return WIRE_BROKEN;
	}
}

struct wire wire_look(struct tg_bytes datagram)
{
	const uint8_t *data = datagram.data;
	const struct wire broken = {.kind = WIRE_BROKEN};
	struct wire wire = {.kind = WIRE_BROKEN};
	size_t token;

	if (datagram.size < HEADER || data[0] >> 6 != COAP_VERSION)
		return broken;
	token = data[0] & 15;
	if (token > sizeof(wire.token) || datagram.size < HEADER + token)
		return broken;
	wire.type = (enum wire_type)(data[0] >> 4 & 3);
	memcpy(wire.id, data + 2, sizeof(wire.id));
	if (token == sizeof(wire.token))
		memcpy(&wire.token, data + HEADER, token);
	if (data[1] == 0) {
		wire.kind = datagram.size == HEADER ? WIRE_EMPTY : WIRE_BROKEN;
		return wire;
	}
	wire.kind = kind_of(data[1]);
	return look_at_options(data + HEADER + token, datagram.size - HEADER - token, &wire) ? wire : broken;
}

void wire_reset(const struct wire *wire, uint8_t ret_datagram[WIRE_RESET_SIZE])
{
	ret_datagram[0] = COAP_VERSION << 6 | WIRE_RST << 4;
	ret_datagram[1] = 0;
	memcpy(ret_datagram + 2, wire->id, sizeof(wire->id));
}
