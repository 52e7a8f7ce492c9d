/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_SECURITY_H
#define DDS_SECURITY_H

/*
 * DDS Security 1.1 with the library's own plugins. In open the files of the settings are read and the plugins loaded, because behind the
 * sandbox neither is possible; the participant gets the files as texts, and finds the plugins loaded by the same path.
 */

#include <dds/dds.h>
#include <tidegate/adapter.h>

enum { SECURITY_FILES = 6, SECURITY_PLUGINS = 3 };

struct security {
	bool used;
	char *texts[SECURITY_FILES]; /* "data:,…"; NULL after security_forget */
	void *plugins[SECURITY_PLUGINS];
};

/* Errors: as of the files and the loader; it has logged why, and has freed everything. */
int security_open(const struct tg_host *host, bool insecure, struct security *ret_security)
	__attribute__((warn_unused_result));
/* Puts it among the properties of a participant to be. */
void security_apply(const struct security *security, dds_qos_t *qos);
/* Wipes the texts. */
void security_forget(struct security *security);

#endif
