/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_POLICY_H
#define CORE_TRUST_POLICY_H

/* What is below a crypto policy, for the audit. Decides nothing about who is let in: that is the adapters' affair. */

#include <stdbool.h>
#include <tidegate/adapter.h>

#include "core/trust_x509.h"

/* Why the certificate is below the policy (static text), or NULL. A revocation list never is. */
const char *trust_below(const struct trust_x509 *facts, const struct tg_crypto *policy);

/* Why a session of this version ("DTLSv1.2"), cipher suite (its standard name) and group is below the policy, or NULL. What is not known
 * is below. Source: RFC 9325 for what a policy may hold at all. */
const char *trust_session_below(const struct tg_crypto *policy, bool psk, const char *version, const char *cipher,
				const char *group);

#endif
