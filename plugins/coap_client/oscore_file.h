/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_OSCORE_FILE_H
#define COAP_CLIENT_OSCORE_FILE_H

/*
 * The file of OSCORE security contexts (RFC 8613 section 3), one section a device:
 *
 *	[meter-3]
 *	master_secret = 0102030405060708090a0b0c0d0e0f10
 *	master_salt = 9e7ca92223786340
 *	sender_id = 01
 *	recipient_id = 02
 *	id_context = 37cbf3210017a2d3
 *	aead = AES-CCM-16-64-128
 *	hkdf = direct+HKDF-SHA-256
 *
 * Bytes are in hexadecimal digits, empty ones as "". The secret and both identifiers are wanted; salt and context are empty unless
 * given, the algorithms (by their names in the COSE registry) the defaults of the standard. The sender is the gateway. Lines that begin
 * with '#' and empty ones are left out.
 *
 * What is read here are secrets; oscore_file_free wipes them. Pure; what comes in may be anything.
 */

#include <stdbool.h>
#include <tidegate/message.h>

enum {
	OSCORE_SECTIONS_MAX = 4000,
	OSCORE_SECRET_MIN = 16,
	OSCORE_SECRET_MAX = 64,
	OSCORE_SALT_MAX = 64,
	OSCORE_ID_MAX = 7,
	OSCORE_CONTEXT_MAX = 16,
	OSCORE_PROBLEM = 160,
	OSCORE_CONF_MAX = 640
};

struct oscore_value {
	uint8_t bytes[OSCORE_SECRET_MAX];
	uint8_t size;
	bool given;
};

struct oscore_section {
	char name[TG_DEVICE_MAX + 1];
	unsigned line; /* of its name */
	struct oscore_value secret, salt, sender, recipient, context;
	bool aead, hkdf; /* given */
};

struct oscore_file {
	struct oscore_section *sections;
	size_t count;
};

/* Errors: -EINVAL: `ret_problem` (OSCORE_PROBLEM bytes) says what is wrong, and in which line; -ENOMEM. */
int oscore_file_read(struct tg_bytes text, struct oscore_file *ret_file, char *ret_problem);
void oscore_file_free(struct oscore_file *file);

/* NULL: the device has none. */
const struct oscore_section *oscore_file_find(const struct oscore_file *file, const char *name);

/* The section in libcoap's format (coap-oscore-conf(5)). `ret_text` has OSCORE_CONF_MAX bytes, and is a secret. Returns the size. */
size_t oscore_file_conf(const struct oscore_section *section, char *ret_text);

#endif
