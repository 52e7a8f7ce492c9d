/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DEVICE_CERTIFICATE_H
#define CTL_DEVICE_CERTIFICATE_H

/* How a certificate of the gateway's own authority is asked for; device add does, too. */

#include "ctl/command.h"

struct certificate_wish {
	const char *device;
	bool again;           /* it is enrolled already */
	const char *endpoint; /* these may be NULL: */
	const char *profile;
	const char *request; /* the file of a certificate request; without it a key is made */
	const char *out;     /* where it goes, NULL: standard output */
};

/* Returns an exit code. */
int ctl_certificate_ask(struct ctl *ctl, const struct certificate_wish *wish);

#endif
