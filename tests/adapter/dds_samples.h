/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DDS_SAMPLES_H
#define TESTS_DDS_SAMPLES_H

/* The samples that the peers of the tests write: what a type looks like for a number, and a reading as one line of text. */

#include <dds/dds.h>

struct dds_sample_type {
	const char *name;
	const dds_topic_descriptor_t *descriptor;
	size_t size;
	/* Fills in; what it points to is static or belongs to dds_samples_clear. */
	void (*fill)(void *sample, int n, int instances);
	void (*print)(const void *sample);
};

/* NULL: none of this name. */
const struct dds_sample_type *dds_sample_type(const char *name);

#endif
