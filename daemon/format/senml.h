/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_SENML_H
#define FORMAT_SENML_H

/*
 * SenML packs (RFC 8428): read from JSON or CBOR, checked, resolved, cut into records, written as JSON or CBOR.
 *
 * A pack is a list of records, a record a list of fields in the order in which they came. What was read from one representation and
 * is written in the other is the same pack: labels, also those that are not known here, units, the kind of each number
 * (whole or not) and its value as an IEEE double are kept. Whole numbers are exact where they fit into 64 bits with a
 * sign. What can only be said in CBOR has no JSON to be the same as: infinities and NaN are refused, bytes behind a
 * label that is not known become text.
 *
 * Nothing here knows of gateways, and nothing is trusted: records, fields and bytes of a pack are bounded before memory
 * is taken for them, and nothing nests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* RFC 8428 section 4.3. Anything else is SENML_OTHER, and goes by its name. */
enum senml_label {
	SENML_BVER,
	SENML_BN,
	SENML_BT,
	SENML_BU,
	SENML_BV,
	SENML_BS,
	SENML_N,
	SENML_U,
	SENML_V,
	SENML_VS,
	SENML_VB,
	SENML_VD,
	SENML_S,
	SENML_T,
	SENML_UT,
	SENML_OTHER,
	SENML_LABELS = SENML_OTHER
};

/* The numbers of the CoAP registry "Content-Formats". */
enum { SENML_FORMAT_JSON = 110, SENML_FORMAT_CBOR = 112 };

/* A concatenated name is no longer than a path. Units: bytes. */
enum { SENML_NAME_MAX = 1024, SENML_FIELDS_MAX = 64, SENML_VERSION = 10 };

enum senml_type { SENML_WHOLE, SENML_REAL, SENML_TEXT, SENML_DATA, SENML_BOOL };

struct senml_value {
	enum senml_type type;
	union {
		int64_t whole;
		double real; /* finite */
		bool yes;
		struct tg_bytes bytes; /* SENML_TEXT: UTF-8, NUL may be in it */
	};
};

struct senml_field {
	enum senml_label label;
	struct tg_bytes name; /* of SENML_OTHER; else empty */
	struct senml_value value;
};

struct senml_record {
	size_t first; /* place in senml_pack.fields */
	size_t count;
};

enum { SENML_PROBLEM_SIZE = 160 };

/* The bytes that fields point to lie in the pack's own memory. */
struct senml_pack {
	struct senml_field *fields;
	size_t fields_count;
	size_t fields_room;
	struct senml_record *records;
	size_t records_count;
	size_t records_room;
	size_t records_max;
	size_t number; /* of the record that a problem is one of, from 1 */
	uint8_t *bytes;
	size_t bytes_used;
	size_t bytes_room;
	char problem[SENML_PROBLEM_SIZE]; /* behind -EBADMSG: one line that names record and label */
};

/* Every pack is made empty, filled by one function once, and ended, whatever that function returned. */
void senml_init(struct senml_pack *pack, size_t records_max);
void senml_done(struct senml_pack *pack);

/* Reads and checks (senml_check). Errors: -EBADMSG: see `problem`; -ENOMEM. Source: RFC 8428 sections 5 and 6. */
int senml_read_json(struct senml_pack *pack, struct tg_bytes payload) WARN_UNUSED;
int senml_read_cbor(struct senml_pack *pack, struct tg_bytes payload) WARN_UNUSED;

/* Appends `count` records from `first` on, as a pack. CBOR comes with definite lengths and the shortest numbers that keep the value.
 * Errors: -ENOBUFS: the buffer's limit; -ENOMEM. */
int senml_write_json(const struct senml_pack *pack, size_t first, size_t count, struct buffer *buffer) WARN_UNUSED;
int senml_write_cbor(const struct senml_pack *pack, size_t first, size_t count, struct buffer *buffer) WARN_UNUSED;

/* Every record by itself: base values are applied, times are absolute, the order is that of time. `now_wall_us` is what relative
 * times are relative to. Base fields that are not known here stay, in every record that they apply to, and then the order stays too;
 * records that have nothing but base fields go. `ret_pack` borrows from `pack`. Errors: -EBADMSG: see `ret_pack->problem`: a sum is
 * out of range, or nothing is left; -EMSGSIZE: more than `bytes_max` of names; -ENOMEM. Source: RFC 8428 section 4.6. */
int senml_resolve(const struct senml_pack *pack, int64_t now_wall_us, size_t bytes_max,
		  struct senml_pack *ret_pack) WARN_UNUSED;

/* Every record by itself, and otherwise as it is: the base fields that apply to it stand in each one. Records that have nothing but
 * base fields go. As senml_resolve otherwise. */
int senml_spread(const struct senml_pack *pack, struct senml_pack *ret_pack) WARN_UNUSED;

/* For the files of this module. */

/* A label's text and its number in CBOR, what its value is, and by which label it is replaced when it is resolved. */
struct senml_row {
	const char *text;
	int8_t number;
	uint8_t kinds; /* bits of 1 << enum senml_type */
};
extern const struct senml_row senml_rows[SENML_LABELS];

/* The label of that text, or SENML_OTHER. */
enum senml_label senml_label(struct tg_bytes text);
static inline bool senml_is_base(const struct senml_field *field)
{
	return field->label <= SENML_BS ||
	       (field->label == SENML_OTHER && field->name.size > 0 && *(const char *)field->name.data == 'b');
}

/* Room for so many bytes in all, taken once. Errors: -ENOMEM. */
int senml_room(struct senml_pack *pack, size_t bytes) WARN_UNUSED;
/* A copy in the pack's memory, for which there must be room. */
struct tg_bytes senml_copy(struct senml_pack *pack, struct tg_bytes bytes);
/* The next record begins. Errors: -EBADMSG: too many; -ENOMEM. */
int senml_begin(struct senml_pack *pack) WARN_UNUSED;
/* A field of the last record. Errors: -EBADMSG: too many; -ENOMEM. */
int senml_add(struct senml_pack *pack, const struct senml_field *field) WARN_UNUSED;
/* Notes what is wrong with this field (NULL: with all of it) of the record that was begun last, or of the pack where none was. `what`
 * goes on behind it: "is cut off". Returns -EBADMSG. */
int senml_complain(struct senml_pack *pack, const struct senml_field *field, const char *what);
/* The same of the record with this number, from 1 (0: the pack), and this label, which may be empty. */
int senml_complain_at(struct senml_pack *pack, size_t record, struct tg_bytes label, const char *what);
/* More records than records_max. */
int senml_complain_many(struct senml_pack *pack);

/* What every pack has to obey: types, one value a record, names, version. Errors: -EBADMSG; -ENOMEM. Source: RFC 8428 section 4. */
int senml_check(struct senml_pack *pack) WARN_UNUSED;

#endif
