/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_CDR_H
#define DDS_CDR_H

/*
 * Bytes of the Common Data Representation (DDS XTypes 1.3 section 7.4): reading and writing with alignment, byte order and an
 * end that nothing goes beyond. Pure; knows no types.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CDR_HEADER = 4 };

/* Reads one serialized payload; alignment counts from behind its header. */
struct cdr_reader {
	const uint8_t *data; /* behind the header */
	size_t size;
	size_t pos;
	bool big;
	bool mutable;     /* the header says so: PL_CDR */
	unsigned version; /* 1 or 2: XCDR */
};

/* Errors: -EBADMSG: no header, or one of a representation that is not known here (XML, parameter lists of XCDR1). */
int cdr_reader_init(struct cdr_reader *reader, const void *payload, size_t size) __attribute__((warn_unused_result));

/* Takes an unsigned number of `width` bytes (1, 2, 4, 8), aligned. Errors: -EBADMSG: behind the end. */
int cdr_read(struct cdr_reader *reader, unsigned width, uint64_t *ret_value) __attribute__((warn_unused_result));
/* Lends so many bytes. Errors: -EBADMSG. */
int cdr_read_bytes(struct cdr_reader *reader, size_t n, const uint8_t **ret_bytes) __attribute__((warn_unused_result));
/* A length that counts from here on; `ret_end` is a place within the reader. Errors: -EBADMSG. */
int cdr_read_length(struct cdr_reader *reader, size_t *ret_end) __attribute__((warn_unused_result));

/* Writes in the byte order of this machine, up to `limit` bytes. */
struct cdr_writer {
	uint8_t *data; /* from the header on */
	size_t size;   /* with the header */
	size_t capacity;
	size_t limit;
	unsigned version;
};

/* Ownership: cdr_writer_done. */
void cdr_writer_init(struct cdr_writer *writer, unsigned version, size_t limit);
void cdr_writer_done(struct cdr_writer *writer);
/* Errors of the three: -ENOMEM; -E2BIG: behind the limit. */
int cdr_write(struct cdr_writer *writer, unsigned width, uint64_t value) __attribute__((warn_unused_result));
int cdr_write_bytes(struct cdr_writer *writer, const void *bytes, size_t n) __attribute__((warn_unused_result));
/* Room for a length that cdr_write_end fills in with what was written since. */
int cdr_write_begin(struct cdr_writer *writer, size_t *ret_place) __attribute__((warn_unused_result));
void cdr_write_end(struct cdr_writer *writer, size_t place);
void cdr_write_at(struct cdr_writer *writer, size_t place, uint32_t value);

enum cdr_layout { CDR_PLAIN, CDR_DELIMITED, CDR_LIST };

/* Fills in the header (section 7.6.2.1.2) and pads to a multiple of four. */
int cdr_write_header(struct cdr_writer *writer, enum cdr_layout layout) __attribute__((warn_unused_result));

#endif
