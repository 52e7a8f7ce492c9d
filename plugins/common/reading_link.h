/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_READING_LINK_H
#define COMMON_READING_LINK_H

/*
 * Last readings as links (RFC 6690), for the catalogue by HTTPS and the one by CoAP:
 *
 *	</readings/pump-1/temp>;rt="tidegate.last";ct=110;title="pump-1/temp";lat="52.1";long="4.3";
 *	lastUpdated="2026-03-01T10:00:00.000000Z";obs
 *
 * What RFC 6690 has an attribute for stands there (`ct`, and the description in `title`); place and last update have the local names of the
 * relations that HyperCat uses for them. Pure.
 */

#include "labels.h"
#include "text.h"

/* Borrowed. A path as in tg_submission.path. */
struct reading_link {
	struct tg_bytes device;
	struct tg_bytes path;
	int32_t content_format;
	int64_t time_wall_us; /* 0: not known */
	bool observable;
};

/* DEVICE/PATH, percent-encoded. Behind where the readings are it is the target of the link. */
void reading_link_address(const struct reading_link *link, struct text *text);
/* DEVICE/PATH for people, and for what the operator says of it; terminated. */
void reading_link_name(const struct reading_link *link, struct text *text);

/* `base`: what stands in front of the address, such as "/readings/". */
void reading_link_write(const struct reading_link *link, const char *base, const struct labels *labels,
			struct text *text);

#endif
