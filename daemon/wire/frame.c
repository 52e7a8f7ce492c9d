/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <tidegate/adapter.h>

/* Each frame type is a table of its fields; one encoder and one decoder walk the tables. */
enum kind { END, U8, U32, U64, ID, BYTES };

struct field {
	enum kind kind;
	size_t offset;
	size_t most; /* BYTES: the longest */
};

#define F(type, member, kind)                                                                                          \
	{                                                                                                              \
		kind, offsetof(struct frame_##type, member), 0                                                         \
	}
#define B(type, member, most)                                                                                          \
	{                                                                                                              \
		BYTES, offsetof(struct frame_##type, member), most                                                     \
	}

static const struct field empty_fields[] = {{END}};
static const struct field hello_fields[] = {
	F(hello, version, U32), F(hello, worker, U32), B(hello, endpoint, FRAME_NAME_MAX), {END}};
static const struct field text_fields[] = {B(text, text, FRAME_TEXT_MAX), {END}};
static const struct field submit_fields[] = {F(submit, token, U64),
					     F(submit, id, ID),
					     F(submit, time_wall_us, U64),
					     F(submit, kind, U8),
					     F(submit, again, U8),
					     F(submit, method, U8),
					     F(submit, repeated, U8),
					     F(submit, expiry_s, U32),
					     F(submit, content_format, U32),
					     B(submit, device, TG_DEVICE_MAX),
					     B(submit, path, TG_PATH_MAX),
					     B(submit, reply_to, TG_REPLY_MAX),
					     B(submit, correlation, TG_CORRELATION_MAX),
					     B(submit, payload, TG_PAYLOAD_MAX),
					     {END}};
static const struct field delivered_fields[] = {
	F(delivered, ticket, U64), F(delivered, result, U8), B(delivered, reason, FRAME_TEXT_MAX), {END}};
static const struct field link_fields[] = {F(link, state, U8), B(link, detail, FRAME_TEXT_MAX), {END}};
static const struct field lookup_fields[] = {
	F(lookup, token, U64), F(lookup, proof, U8), B(lookup, identity, FRAME_IDENTITY_MAX), {END}};
static const struct field number_fields[] = {F(number, number, U64), {END}};
static const struct field counter_fields[] = {F(counter, counter, U32), F(counter, value, U64), {END}};
static const struct field session_begun_fields[] = {F(session_begun, handle, U64),
						    F(session_begun, generation, U64),
						    F(session_begun, proof, U8),
						    B(session_begun, device, TG_DEVICE_MAX),
						    B(session_begun, peer, FRAME_NAME_MAX),
						    B(session_begun, version, FRAME_NAME_MAX),
						    B(session_begun, cipher, FRAME_NAME_MAX),
						    B(session_begun, group, FRAME_NAME_MAX),
						    B(session_begun, certificate, FRAME_CERTIFICATE_MAX),
						    {END}};
static const struct field session_ended_fields[] = {F(session_ended, handle, U64), {END}};
static const struct field log_fields[] = {
	F(log, level, U8), B(log, device, TG_DEVICE_MAX), B(log, text, FRAME_TEXT_MAX), {END}};
static const struct field setting_fields[] = {B(setting, name, FRAME_NAME_MAX),
					      F(setting, index, U32),
					      F(setting, file, U8),
					      F(setting, file_error, U32),
					      B(setting, value, FRAME_VALUE_MAX),
					      {END}};
static const struct field socket_fields[] = {B(socket, name, FRAME_NAME_MAX), F(socket, index, U32), {END}};
static const struct field configured_fields[] = {
	F(configured, heartbeat_ms, U32),      B(configured, gateway, FRAME_TEXT_MAX),
	B(configured, site, FRAME_TEXT_MAX),   B(configured, adapter, FRAME_NAME_MAX),
	B(configured, crypto, FRAME_NAME_MAX), {END}};
static const struct field verdict_fields[] = {F(verdict, token, U64),
					      F(verdict, verdict, U8),
					      F(verdict, max_age_s, U32),
					      F(verdict, limit_bytes, U32),
					      B(verdict, reason, FRAME_TEXT_MAX),
					      {END}};
static const struct field deliver_fields[] = {F(deliver, ticket, U64),
					      F(deliver, round, U32),
					      F(deliver, id, ID),
					      F(deliver, time_wall_us, U64),
					      F(deliver, kind, U8),
					      F(deliver, qos, U8),
					      F(deliver, retain, U8),
					      F(deliver, expiry_s, U32),
					      F(deliver, content_format, U32),
					      B(deliver, device, TG_DEVICE_MAX),
					      B(deliver, path, TG_PATH_MAX),
					      B(deliver, address, TG_ADDRESS_MAX),
					      B(deliver, payload, TG_PAYLOAD_MAX),
					      F(deliver, method, U8),
					      F(deliver, outcome, U8),
					      F(deliver, code, U32),
					      F(deliver, command, ID),
					      B(deliver, correlation, TG_CORRELATION_MAX),
					      {END}};
static const struct field identity_fields[] = {F(identity, token, U64),         F(identity, known, U8),
					       F(identity, generation, U64),    B(identity, device, TG_DEVICE_MAX),
					       B(identity, key, FRAME_KEY_MAX), {END}};
static const struct field answered_fields[] = {F(answered, ticket, U64),
					       F(answered, code, U32),
					       F(answered, content_format, U32),
					       B(answered, payload, TG_PAYLOAD_MAX),
					       {END}};
static const struct field read_fields[] = {F(read, number, U64),           F(read, observe, U8),
					   B(read, reader, TG_DEVICE_MAX), B(read, device, TG_DEVICE_MAX),
					   B(read, path, TG_PATH_MAX),     {END}};
static const struct field read_end_fields[] = {F(read_end, number, U64), {END}};
static const struct field reading_fields[] = {F(reading, number, U64),
					      F(reading, verdict, U8),
					      F(reading, last, U8),
					      F(reading, content_format, U32),
					      F(reading, etag, U64),
					      F(reading, time_wall_us, U64),
					      F(reading, max_age_s, U32),
					      B(reading, payload, TG_PAYLOAD_MAX),
					      {END}};
static const struct field list_fields[] = {F(list, number, U64),
					   F(list, what, U8),
					   F(list, after, U64),
					   B(list, reader, TG_DEVICE_MAX),
					   B(list, behind, TG_DEVICE_MAX),
					   {END}};
static const struct field listed_fields[] = {F(listed, number, U64),         F(listed, end, U8),
					     F(listed, verdict, U8),         F(listed, more, U8),
					     F(listed, content_format, U32), F(listed, etag, U64),
					     F(listed, time_wall_us, U64),   F(listed, max_age_s, U32),
					     F(listed, generation, U64),     B(listed, device, TG_DEVICE_MAX),
					     B(listed, path, TG_PATH_MAX),   {END}};
static const struct field device_fields[] = {B(device, device, TG_DEVICE_MAX), {END}};

static const struct field clock_fields[] = {F(clock, wall_us, U64), F(clock, at_us, U64), {END}};
static const struct field tickets_fields[] = {B(tickets, keys, FRAME_TICKETS_MAX * sizeof(struct tg_ticket_key)),
					      {END}};

static const struct field keep_fields[] = {
	F(keep, number, U64), B(keep, name, TG_NOTE_NAME_MAX), B(keep, value, TG_NOTE_VALUE_MAX), {END}};
static const struct field kept_fields[] = {F(kept, number, U64), F(kept, result, U32), {END}};
static const struct field note_fields[] = {B(note, name, TG_NOTE_NAME_MAX), B(note, value, TG_NOTE_VALUE_MAX), {END}};
static const struct field noted_fields[] = {F(noted, loss, U64), {END}};

static const struct field *const all_fields[] = {
	[FRAME_HELLO] = hello_fields,
	[FRAME_STARTED] = empty_fields,
	[FRAME_STOPPED] = empty_fields,
	[FRAME_FAILED] = text_fields,
	[FRAME_REFUSED] = text_fields,
	[FRAME_NOTICE] = text_fields,
	[FRAME_ROUTE] = text_fields,
	[FRAME_SUBMIT] = submit_fields,
	[FRAME_DELIVERED] = delivered_fields,
	[FRAME_LINK] = link_fields,
	[FRAME_LOOKUP] = lookup_fields,
	[FRAME_PING] = number_fields,
	[FRAME_PONG] = number_fields,
	[FRAME_STOP] = number_fields,
	[FRAME_RELOADED] = number_fields,
	[FRAME_COUNTER] = counter_fields,
	[FRAME_SESSION_BEGUN] = session_begun_fields,
	[FRAME_SESSION_ENDED] = session_ended_fields,
	[FRAME_LOG] = log_fields,
	[FRAME_SETTING] = setting_fields,
	[FRAME_SOCKET] = socket_fields,
	[FRAME_CONFIGURED] = configured_fields,
	[FRAME_VERDICT] = verdict_fields,
	[FRAME_DELIVER] = deliver_fields,
	[FRAME_IDENTITY] = identity_fields,
	[FRAME_DEVICE] = device_fields,
	[FRAME_AWAKE] = device_fields,
	[FRAME_ANSWERED] = answered_fields,
	[FRAME_READ] = read_fields,
	[FRAME_READ_END] = read_end_fields,
	[FRAME_READING] = reading_fields,
	[FRAME_LIST] = list_fields,
	[FRAME_LISTED] = listed_fields,
	[FRAME_CLOCK] = clock_fields,
	[FRAME_TICKETS] = tickets_fields,
	[FRAME_KEEP] = keep_fields,
	[FRAME_KEPT] = kept_fields,
	[FRAME_NOTE] = note_fields,
	[FRAME_NOTED] = noted_fields,
};

/* NULL: there is no such type. */
static const struct field *fields_of(enum frame_type type)
{
	return (size_t)type < sizeof(all_fields) / sizeof(all_fields[0]) ? all_fields[type] : NULL;
}

static const size_t fixed_sizes[] = {[U8] = 1, [U32] = 4, [U64] = 8, [ID] = TG_ID_SIZE, [BYTES] = 4};

static const void *member_of(const struct frame *frame, const struct field *field)
{
	return (const uint8_t *)&frame->hello + field->offset;
}

size_t frame_size_max(void)
{
	return TG_PAYLOAD_MAX + TG_ADDRESS_MAX + TG_REPLY_MAX + TG_CORRELATION_MAX + TG_PATH_MAX + TG_DEVICE_MAX + 256;
}

/* Length of the fields, or 0 where one is too long. */
static size_t measure(const struct frame *frame, const struct field *fields)
{
	size_t size = 1;

	for (const struct field *f = fields; f->kind != END; f++) {
		size += fixed_sizes[f->kind];
		if (f->kind == BYTES) {
			const struct tg_bytes *bytes = member_of(frame, f);

			if (bytes->size > f->most)
				return 0;
			size += bytes->size;
		}
	}
	return size;
}

static uint8_t *put_field(uint8_t *p, const void *member, enum kind kind)
{
	const struct tg_bytes *bytes = member;
	uint64_t u64;
	uint32_t u32;

	switch (kind) {
	case U64:
		memcpy(&u64, member, 8);
		u64 = htole64(u64);
		memcpy(p, &u64, 8);
		break;
	case U32:
	case BYTES:
		if (kind == BYTES)
			u32 = (uint32_t)bytes->size;
		else
			memcpy(&u32, member, 4);
		u32 = htole32(u32);
		memcpy(p, &u32, 4);
		if (kind == BYTES && bytes->size)
			memcpy(p + 4, bytes->data, bytes->size);
		break;
	default:
		memcpy(p, member, fixed_sizes[kind]);
		break;
	}
	return p + fixed_sizes[kind] + (kind == BYTES ? bytes->size : 0);
}

int frame_encode(const struct frame *frame, struct buffer *out)
{
	const struct field *fields = fields_of(frame->type);
	size_t size = fields ? measure(frame, fields) : 0;
	uint32_t length = htole32((uint32_t)size);
	uint8_t *p;

	if (size == 0)
		return -EMSGSIZE;
	p = buffer_reserve(out, size + 4);
	if (!p)
		return -ENOBUFS;
	memcpy(p, &length, 4);
	p[4] = (uint8_t)frame->type;
	p += 5;
	for (const struct field *f = fields; f->kind != END; f++)
		p = put_field(p, member_of(frame, f), f->kind);
	buffer_commit(out, size + 4);
	return 0;
}

/* Reads one field; returns how far it reached, or NULL where it does not fit. */
static const uint8_t *get_field(const uint8_t *p, const uint8_t *end, uint8_t *member, const struct field *field)
{
	size_t fixed = fixed_sizes[field->kind];
	uint64_t u64;
	uint32_t u32;

	if ((size_t)(end - p) < fixed)
		return NULL;
	switch (field->kind) {
	case U64:
		memcpy(&u64, p, 8);
		u64 = le64toh(u64);
		memcpy(member, &u64, 8);
		return p + 8;
	case U32:
	case BYTES:
		memcpy(&u32, p, 4);
		u32 = le32toh(u32);
		p += 4;
		if (field->kind == U32) {
			memcpy(member, &u32, 4);
			return p;
		}
		if (u32 > field->most || (size_t)(end - p) < u32)
			return NULL;
		memcpy(member, &(struct tg_bytes){.data = p, .size = u32}, sizeof(struct tg_bytes));
		return p + u32;
	default:
		memcpy(member, p, fixed);
		return p + fixed;
	}
}

int frame_decode(struct tg_bytes bytes, struct frame *ret_frame)
{
	const uint8_t *p = bytes.data, *end;
	const struct field *fields;
	struct frame frame;
	uint32_t length;

	if (bytes.size < 4)
		return 0;
	memcpy(&length, p, 4);
	length = le32toh(length);
	if (length < 1 || length > frame_size_max() - 4)
		return -EBADMSG;
	if (bytes.size - 4 < length)
		return 0;
	end = p + 4 + length;
	frame.type = (enum frame_type)p[4];
	fields = fields_of(frame.type);
	if (!fields)
		return -EBADMSG;
	p += 5;
	for (const struct field *f = fields; f->kind != END; f++) {
		p = get_field(p, end, (uint8_t *)&frame.hello + f->offset, f);
		if (!p)
			return -EBADMSG;
	}
	if (p != end)
		return -EBADMSG;
	*ret_frame = frame;
	return (int)length + 4;
}
