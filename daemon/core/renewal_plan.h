/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_PLAN_H
#define CORE_RENEWAL_PLAN_H

/* When a certificate is to be renewed, and how long to wait after a try that failed. Pure arithmetic. */

#include <stdint.h>

/* How pressing it is. */
enum renewal_need { RENEWAL_FINE, RENEWAL_DUE, RENEWAL_URGENT, RENEWAL_EXPIRED };

/* A certificate's life. Units: seconds of wall time. */
struct renewal_life {
	int64_t begin_s;
	int64_t end_s;
	unsigned percent; /* of it, after which it is due */
	uint32_t
		seed; /* of the certificate: spreads gateways whose certificates are of the same day, by up to 5 percent */
};

/* Units: seconds of wall time. Never behind the last tenth's beginning, unless `percent` says so. */
int64_t renewal_due_s(const struct renewal_life *life);

/* RENEWAL_URGENT: the last tenth of its life. */
enum renewal_need renewal_need(const struct renewal_life *life, int64_t now_s);
const char *renewal_need_name(enum renewal_need need);

/* The wait after the `failures`th try in a row that failed: from a ten-thousandth of the life (1 s to 1 min), doubling, to a
 * hundredth (10 s to 6 h), and never more than an eighth of what is left; drawn by `random`. Units: microseconds. */
int64_t renewal_wait_us(const struct renewal_life *life, int64_t now_s, unsigned failures, uint32_t random);

/* The wait that a server asked for, made bearable: 1 s to 1 day, and an eighth of what is left. Units: seconds, microseconds. */
int64_t renewal_asked_wait_us(const struct renewal_life *life, int64_t now_s, int64_t asked_s);

#endif
