/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_WILDCARD_H
#define HYPERCAT_CLIENT_WILDCARD_H

/* Patterns of the settings and of the routes. Pure. */

#include <stdbool.h>

/* '*' stands for any number of any characters; everything else for itself, letters in either case. */
bool wildcard_match(const char *pattern, const char *text);

/* As tg_host.route: segments between '/', "*" is any one of them, a last "**" one or more. */
bool wildcard_match_path(const char *pattern, const char *path);

#endif
