/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_OPTIONS_H
#define DDS_OPTIONS_H

/* The settings of an endpoint: the rows (rows.c), and what is read from them, in open and at a reload. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

enum {
	OPTIONS_DOMAIN_MOST = 230, /* the ports of higher ones do not exist (DDSI-RTPS 2.3 section 9.6.1) */
	OPTIONS_INTERFACES_MOST = 8,
	OPTIONS_PEERS_MOST = 64,
	OPTIONS_TOPICS_MOST = 256,
	OPTIONS_PARTITIONS_MOST = 32,
	OPTIONS_TYPES_MOST = 256,
	OPTIONS_READERS_MOST = 256,
	OPTIONS_WINDOW_MOST = 4096,
};

enum options_choice { OPTIONS_OFFERED, OPTIONS_MORE, OPTIONS_LESS };

struct options {
	const struct tg_host *host;
	uint32_t domain;
	bool multicast, cbor, key_path, insecure, keeps;
	enum options_choice reliability; /* more: reliable */
	enum options_choice durability;  /* more: transient-local */
	size_t topics_most, window, write_window;
	int32_t reader_samples, instances, write_depth;
	uint32_t readers;
	int64_t confirm_timeout_us;
	/* Lent by the host. */
	const char *partitions[OPTIONS_PARTITIONS_MOST];
	uint32_t n_partitions;
	/* Others where a reader, or a writer, has to be made anew. */
	uint64_t reader_mark, writer_mark;
};

extern const struct tg_setting options_rows[];

/* Errors: -EINVAL: an interface or peer that cannot be one, no way to find anybody, neither all of DDS Security nor `insecure`;
 * it has logged why. */
int options_read(const struct tg_host *host, struct options *ret_options) __attribute__((warn_unused_result));

/* Whether the source takes this topic. */
bool options_takes(const struct options *options, const char *topic);

/* The library's configuration as XML (the text of CYCLONEDDS_URI). Ownership: free. NULL: no memory. */
char *options_config(const struct options *options);

#endif
