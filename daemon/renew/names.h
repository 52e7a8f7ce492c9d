/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_NAMES_H
#define RENEW_NAMES_H

/* Whom a certificate names: its subject and its subjectAltName, the latter as a set (RFC 5280 sections 4.1.2.6 and 4.2.1.6). */

#include <stdbool.h>
#include <stddef.h>

struct x509_st;

/* Whether both name the same, and nothing else; where not, `ret_detail` says the difference. */
bool names_same(const struct x509_st *new, const struct x509_st *old, char *ret_detail, size_t size);

/* Whether the common name is this one. */
bool names_is(const struct x509_st *certificate, const char *common_name, char *ret_detail, size_t size);

#endif
