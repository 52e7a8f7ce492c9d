/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_TEXT_H
#define CORE_CONFIG_TEXT_H

/*
 * A look at a configuration file's text before libconfig reads it, for what libconfig gets wrong or does differently from
 * release to release: whole numbers beyond 32 bits are cut off silently by 1.5, a leading zero means decimal to 1.5 and octal to
 * 1.7, a "\x00" ends a text, and an @include would go around the limits that are kept here.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "core/config_problem.h"

/* Adds every problem found, and gives the text in a form in which every release of libconfig understands the same: numbers
 * beyond 32 bits are marked as such. Ownership: free `*ret_text`, terminated. Errors: -EINVAL: a text or
 * comment has no end, so nothing else can be said of the file; -ENOMEM. */
int config_text_prepare(const char *text, size_t size, const struct config_source *source,
			struct config_problems *problems, char **ret_text) WARN_UNUSED;

#endif
