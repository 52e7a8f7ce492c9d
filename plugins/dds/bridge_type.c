/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"

#include <dds/ddsi/ddsi_xqos.h>
/* what these need stands above: they do not include it */
#include <dds/ddsi/ddsi_typelib.h>
#include <dds/ddsi/ddsi_typewrap.h>
#include <dds/ddsi/ddsi_xt_impl.h>
#include <dds/ddsi/ddsi_xt_typeinfo.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef DDS_XTypes_EquivalenceHash bridge_hash;

/* A named type that was met already, perhaps not finished. */
struct met {
	bridge_hash hash;
	struct type *type; /* NULL: an alias, or being made */
	const struct type *resolved;
};

struct builder {
	dds_entity_t participant;
	struct type_set *set;
	struct met *met;
	size_t n_met;
	unsigned depth;
};

static int convert(struct builder *b, const struct DDS_XTypes_TypeIdentifier *id, const struct type **ret_type);

static const struct type primitives[] = {
	[DDS_XTypes_TK_BOOLEAN] = {.kind = TYPE_BOOL},    [DDS_XTypes_TK_BYTE] = {.kind = TYPE_BYTE},
	[DDS_XTypes_TK_INT16] = {.kind = TYPE_INT16},     [DDS_XTypes_TK_INT32] = {.kind = TYPE_INT32},
	[DDS_XTypes_TK_INT64] = {.kind = TYPE_INT64},     [DDS_XTypes_TK_UINT16] = {.kind = TYPE_UINT16},
	[DDS_XTypes_TK_UINT32] = {.kind = TYPE_UINT32},   [DDS_XTypes_TK_UINT64] = {.kind = TYPE_UINT64},
	[DDS_XTypes_TK_FLOAT32] = {.kind = TYPE_FLOAT32}, [DDS_XTypes_TK_FLOAT64] = {.kind = TYPE_FLOAT64},
	[DDS_XTypes_TK_CHAR8] = {.kind = TYPE_CHAR},
};

static bool is_primitive(uint8_t kind)
{
	return (kind >= DDS_XTypes_TK_BOOLEAN && kind <= DDS_XTypes_TK_FLOAT64) || kind == DDS_XTypes_TK_CHAR8;
}

/* The name is filled in with what is terminated for certain. */
static int make(struct builder *b, enum type_kind kind, const char *name, size_t n_members, struct type **ret_type)
{
	char text[sizeof(DDS_XTypes_QualifiedTypeName)] = "";

	strncat(text, name, sizeof(text) - 1);
	return type_new(b->set, kind, text, n_members, ret_type);
}

static int convert_string(struct builder *b, uint32_t bound, const struct type **ret_type)
{
	struct type *type;
	int r = make(b, TYPE_STRING, "string", 0, &type);

	if (r < 0)
		return r;
	type->bound = bound;
	*ret_type = type;
	return 0;
}

static int convert_sequence(struct builder *b, uint32_t bound, const struct DDS_XTypes_TypeIdentifier *element,
			    const struct type **ret_type)
{
	struct type *type;
	int r = make(b, TYPE_SEQUENCE, "sequence", 0, &type);

	if (r >= 0)
		r = convert(b, element, &type->inner);
	if (r < 0)
		return r;
	type->bound = bound;
	*ret_type = type;
	return 0;
}

/* `narrow`: bounds of one byte each; else of four. */
static int convert_array(struct builder *b, const DDS_XTypes_SBoundSeq *narrow, const DDS_XTypes_LBoundSeq *wide,
			 const struct DDS_XTypes_TypeIdentifier *element, const struct type **ret_type)
{
	uint32_t n = narrow ? narrow->_length : wide->_length;
	struct type *type;
	int r;

	if (n == 0 || n > TYPE_DIMENSIONS_MOST)
		return n ? -ENOTSUP : -EINVAL;
	r = make(b, TYPE_ARRAY, "array", 0, &type);
	if (r >= 0)
		r = convert(b, element, &type->inner);
	if (r < 0)
		return r;
	type->n_dimensions = n;
	for (uint32_t i = 0; i < n; i++) {
		type->dimensions[i] = narrow ? narrow->_buffer[i] : wide->_buffer[i];
		if (type->dimensions[i] == 0)
			return -EINVAL;
	}
	*ret_type = type;
	return 0;
}

static enum type_extent extent_of(uint16_t flags)
{
	return flags & DDS_XTypes_IS_MUTABLE      ? TYPE_MUTABLE
	       : flags & DDS_XTypes_IS_APPENDABLE ? TYPE_APPENDABLE
						  : TYPE_FINAL;
}

/* The base's members, which stand first. */
static int copy_members(struct type *type, const struct type *base)
{
	int r = 0;

	for (size_t i = 0; i < base->n_members && r >= 0; i++) {
		struct type_member copy = base->members[i];

		copy.name = NULL;
		copy.labels = NULL;
		type->members[i] = copy;
		r = type_set_name(&type->members[i], base->members[i].name);
	}
	return r;
}

static int convert_struct(struct builder *b, struct met *met, const DDS_XTypes_CompleteStructType *from)
{
	const struct type *base = NULL;
	size_t place = (size_t)(met - b->met);
	struct type *type;
	int r = 0;

	if (from->header.base_type._d != DDS_XTypes_TK_NONE)
		r = convert(b, &from->header.base_type, &base);
	if (r >= 0 && base && (base->kind != TYPE_STRUCT || !base->by_id))
		r = -EINVAL; /* not finished: its own base */
	if (r >= 0)
		r = make(b, TYPE_STRUCT, from->header.detail.type_name,
			 from->member_seq._length + (base ? base->n_members : 0), &type);
	if (r < 0)
		return r;
	b->met[place].resolved = type;
	type->extent = extent_of(from->struct_flags);
	if (base)
		r = copy_members(type, base);
	for (uint32_t i = 0; i < from->member_seq._length && r >= 0; i++) {
		const DDS_XTypes_CompleteStructMember *f = &from->member_seq._buffer[i];
		struct type_member *member = &type->members[i + (base ? base->n_members : 0)];

		member->id = f->common.member_id & 0x0fffffff;
		member->key = f->common.member_flags & DDS_XTypes_IS_KEY;
		member->optional = f->common.member_flags & DDS_XTypes_IS_OPTIONAL;
		r = type_set_name(member, f->detail.name);
		if (r >= 0)
			r = convert(b, &f->common.member_type_id, &member->type);
	}
	return r < 0 ? r : type_finish(type);
}

static int convert_union(struct builder *b, struct met *met, const DDS_XTypes_CompleteUnionType *from)
{
	size_t place = (size_t)(met - b->met);
	struct type *type;
	int r;

	if (extent_of(from->union_flags) == TYPE_MUTABLE)
		return -ENOTSUP;
	r = make(b, TYPE_UNION, from->header.detail.type_name, from->member_seq._length, &type);
	if (r < 0)
		return r;
	b->met[place].resolved = type;
	type->extent = extent_of(from->union_flags);
	r = convert(b, &from->discriminator.common.type_id, &type->inner);
	for (uint32_t i = 0; i < from->member_seq._length && r >= 0; i++) {
		const DDS_XTypes_CompleteUnionMember *f = &from->member_seq._buffer[i];
		struct type_member *member = &type->members[i];

		member->id = f->common.member_id & 0x0fffffff;
		member->fallback = f->common.member_flags & DDS_XTypes_IS_DEFAULT;
		r = type_set_name(member, f->detail.name);
		if (r >= 0)
			r = type_set_labels(member, f->common.label_seq._buffer, f->common.label_seq._length);
		if (r >= 0)
			r = convert(b, &f->common.type_id, &member->type);
	}
	return r < 0 ? r : type_finish(type);
}

static int convert_enum(struct builder *b, struct met *met, const DDS_XTypes_CompleteEnumeratedType *from)
{
	struct type *type;
	int r = make(b, TYPE_ENUM, from->header.detail.type_name, from->literal_seq._length, &type);

	if (r < 0)
		return r;
	met->resolved = type;
	type->bound = from->header.common.bit_bound;
	for (uint32_t i = 0; i < from->literal_seq._length && r >= 0; i++) {
		type->members[i].value = from->literal_seq._buffer[i].common.value;
		r = type_set_name(&type->members[i], from->literal_seq._buffer[i].detail.name);
	}
	return r >= 0 && (type->bound < 1 || type->bound > 32) ? -EINVAL : r;
}

static int convert_bitmask(struct builder *b, struct met *met, const DDS_XTypes_CompleteBitmaskType *from)
{
	struct type *type;
	int r = make(b, TYPE_BITMASK, from->header.detail.type_name, from->flag_seq._length, &type);

	if (r < 0)
		return r;
	met->resolved = type;
	type->bound = from->header.common.bit_bound;
	for (uint32_t i = 0; i < from->flag_seq._length && r >= 0; i++) {
		type->members[i].value = from->flag_seq._buffer[i].common.position;
		r = type_set_name(&type->members[i], from->flag_seq._buffer[i].detail.name);
		if (type->members[i].value >= (int32_t)type->bound)
			r = -EINVAL;
	}
	return r >= 0 && (type->bound < 1 || type->bound > 64) ? -EINVAL : r;
}

static int convert_object(struct builder *b, struct met *met, const DDS_XTypes_CompleteTypeObject *object)
{
	size_t place = (size_t)(met - b->met);
	const struct type *resolved = NULL;
	int r;

	switch (object->_d) {
	case DDS_XTypes_TK_STRUCTURE:
		return convert_struct(b, met, &object->_u.struct_type);
	case DDS_XTypes_TK_UNION:
		return convert_union(b, met, &object->_u.union_type);
	case DDS_XTypes_TK_ENUM:
		return convert_enum(b, met, &object->_u.enumerated_type);
	case DDS_XTypes_TK_BITMASK:
		return convert_bitmask(b, met, &object->_u.bitmask_type);
	case DDS_XTypes_TK_ALIAS:
		r = convert(b, &object->_u.alias_type.body.common.related_type, &resolved);
		break;
	case DDS_XTypes_TK_SEQUENCE:
		r = convert_sequence(b, object->_u.sequence_type.header.common.bound,
				     &object->_u.sequence_type.element.common.type, &resolved);
		break;
	case DDS_XTypes_TK_ARRAY:
		r = convert_array(b, NULL, &object->_u.array_type.header.common.bound_seq,
				  &object->_u.array_type.element.common.type, &resolved);
		break;
	default:
		return -ENOTSUP;
	}
	b->met[place].resolved = resolved;
	return r;
}

static int convert_named(struct builder *b, const struct DDS_XTypes_TypeIdentifier *id, const struct type **ret_type)
{
	dds_typeobj_t *object = NULL;
	size_t place;
	int r;

	for (size_t i = 0; i < b->n_met; i++)
		if (memcmp(b->met[i].hash, id->_u.equivalence_hash, sizeof(bridge_hash)) == 0) {
			*ret_type = b->met[i].resolved;
			return *ret_type ? 0 : -EINVAL; /* an alias of itself */
		}
	if (b->n_met >= TYPE_MOST)
		return -E2BIG;
	r = dds_get_typeobj(b->participant, (const dds_typeid_t *)id, 1, &object);
	if (r != DDS_RETCODE_OK)
		return r == DDS_RETCODE_OUT_OF_RESOURCES ? -ENOMEM : -EAGAIN;
	place = b->n_met++;
	b->met[place] = (struct met){.resolved = NULL};
	memcpy(b->met[place].hash, id->_u.equivalence_hash, sizeof(bridge_hash));
	r = object->x._d == DDS_XTypes_EK_COMPLETE ? convert_object(b, &b->met[place], &object->x._u.complete)
						   : -EINVAL;
	dds_free_typeobj(object);
	*ret_type = b->met[place].resolved;
	return r;
}

static int convert_plain(struct builder *b, const struct DDS_XTypes_TypeIdentifier *id, const struct type **ret_type)
{
	if (is_primitive(id->_d)) {
		*ret_type = &primitives[id->_d];
		return 0;
	}
	switch (id->_d) {
	case DDS_XTypes_TI_STRING8_SMALL:
		return convert_string(b, id->_u.string_sdefn.bound, ret_type);
	case DDS_XTypes_TI_STRING8_LARGE:
		return convert_string(b, id->_u.string_ldefn.bound, ret_type);
	case DDS_XTypes_TI_PLAIN_SEQUENCE_SMALL:
		return convert_sequence(b, id->_u.seq_sdefn.bound, id->_u.seq_sdefn.element_identifier, ret_type);
	case DDS_XTypes_TI_PLAIN_SEQUENCE_LARGE:
		return convert_sequence(b, id->_u.seq_ldefn.bound, id->_u.seq_ldefn.element_identifier, ret_type);
	case DDS_XTypes_TI_PLAIN_ARRAY_SMALL:
		return convert_array(b, &id->_u.array_sdefn.array_bound_seq, NULL,
				     id->_u.array_sdefn.element_identifier, ret_type);
	case DDS_XTypes_TI_PLAIN_ARRAY_LARGE:
		return convert_array(b, NULL, &id->_u.array_ldefn.array_bound_seq,
				     id->_u.array_ldefn.element_identifier, ret_type);
	case DDS_XTypes_EK_COMPLETE:
		return convert_named(b, id, ret_type);
	default:
		return -ENOTSUP;
	}
}

static int convert(struct builder *b, const struct DDS_XTypes_TypeIdentifier *id, const struct type **ret_type)
{
	int r;

	if (!id || b->depth >= TYPE_DEPTH_MOST)
		return id ? -E2BIG : -EINVAL;
	b->depth++;
	r = convert_plain(b, id, ret_type);
	b->depth--;
	return r;
}

int bridge_type(dds_entity_t participant, const dds_typeinfo_t *info, struct type_set *set,
		const struct type **ret_type)
{
	struct builder b = {.participant = participant, .set = set};
	const ddsi_typeid_t *id = ddsi_typeinfo_complete_typeid(info);
	const struct type *type = NULL;
	int r;

	if (!id)
		return -ENOTSUP;
	b.met = calloc(TYPE_MOST, sizeof(*b.met));
	if (!b.met)
		return -ENOMEM;
	r = convert(&b, &id->x, &type);
	free(b.met);
	if (r >= 0 && type->kind != TYPE_STRUCT)
		r = -ENOTSUP;
	if (r >= 0)
		*ret_type = type;
	return r;
}

bool bridge_same_type(const dds_typeinfo_t *a, const dds_typeinfo_t *b)
{
	const ddsi_typeid_t *x = ddsi_typeinfo_complete_typeid(a), *y = ddsi_typeinfo_complete_typeid(b);

	return x && y ? ddsi_typeid_compare(x, y) == 0 : x == y;
}

dds_typeinfo_t *bridge_copy_info(const dds_typeinfo_t *info)
{
	return ddsi_typeinfo_dup(info);
}
