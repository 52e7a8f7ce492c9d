/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_REQUEST_H
#define RENEW_REQUEST_H

/* The request for a certificate (PKCS#10, RFC 2986): subject and subjectAltName are those of the certificate that is to be
 * renewed (RFC 7030 section 4.2.2), or a common name alone where there is none yet. */

#include <tidegate/message.h>

#include "base/cleanup.h"

struct evp_pkey_st;
struct x509_st;
struct X509_req_st;

/* `old` may be NULL, then `common_name` counts. Ownership: request_free. Errors: -EINVAL: the name cannot be used; -EIO. */
int request_make(struct evp_pkey_st *key, const struct x509_st *old, const char *common_name,
		 struct X509_req_st **ret_request) WARN_UNUSED;

/* The request of a PEM text. Errors: -ENOENT: there is none. */
int request_read(struct tg_bytes text, struct X509_req_st **ret_request) WARN_UNUSED;

/* Whether it is the request of this key for this name. */
bool request_fits(struct X509_req_st *request, struct evp_pkey_st *key, const struct x509_st *old,
		  const char *common_name);

/* As it goes to an EST server: DER in base64, in lines. Ownership: free it; NULL: out of memory. */
char *request_to_base64(const struct X509_req_st *request);

void request_free(struct X509_req_st *request); /* accepts NULL */
CLEANUP_DEFINE(struct X509_req_st *, request_free)

#endif
