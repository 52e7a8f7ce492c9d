/* SPDX-License-Identifier: Apache-2.0 */
#include "core/method.h"

#include <string.h>
#include <strings.h>

static const char *const names[] = {
	[TG_METHOD_NONE] = "",       [TG_METHOD_GET] = "GET",       [TG_METHOD_POST] = "POST",
	[TG_METHOD_PUT] = "PUT",     [TG_METHOD_DELETE] = "DELETE", [TG_METHOD_FETCH] = "FETCH",
	[TG_METHOD_PATCH] = "PATCH", [TG_METHOD_IPATCH] = "IPATCH"};

enum tg_method method_of_name(struct tg_bytes name)
{
	for (unsigned i = TG_METHOD_GET; i <= TG_METHOD_IPATCH; i++)
		if (name.size == strlen(names[i]) && strncasecmp(name.data, names[i], name.size) == 0)
			return (enum tg_method)i;
	return TG_METHOD_NONE;
}

const char *method_name(uint32_t method)
{
	return method <= TG_METHOD_IPATCH ? names[method] : "";
}
