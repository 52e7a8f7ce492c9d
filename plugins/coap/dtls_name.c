/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_context.h"

static int name_copy(const unsigned char *text, int size, char **ret_name)
{
	if (size <= 0 || (size_t)size > TG_DEVICE_MAX || memchr(text, '\0', (size_t)size))
		return -EINVAL;
	char *name = strndup((const char *)text, (size_t)size);
	if (!name)
		return -ENOMEM;
	*ret_name = name;
	return 0;
}

static int name_alternative(const GENERAL_NAMES *names, int type, char **ret_name)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == type) /* URI and DNS are one ASN.1 type, IA5String */
			return name_copy(ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5), ret_name);
	}
	return -ENOENT;
}

static int name_common(const X509_NAME *subject, char **ret_name)
{
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;

	if (at < 0)
		return -ENOENT;
	int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	int r = size < 0 ? -EINVAL : name_copy(text, size, ret_name);
	OPENSSL_free(text);
	return r;
}

int dtls_context_name(X509 *certificate, char **ret_name)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int r = name_alternative(names, GEN_URI, ret_name);

	if (r == -ENOENT)
		r = name_alternative(names, GEN_DNS, ret_name);
	if (r == -ENOENT)
		r = name_common(X509_get_subject_name(certificate), ret_name);
	GENERAL_NAMES_free(names);
	return r;
}
