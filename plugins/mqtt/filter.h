/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_FILTER_H
#define MQTT_FILTER_H

/* Topic filters (MQTT 5 section 4.7) for what routes take: the patterns of tg_host.route, translated. Pure; for subscribe.c. */

#include <stdbool.h>
#include <stddef.h>

enum { FILTER_SIZE = 4097 };

/* The filter of one pattern: "*" becomes "+", a last "**" becomes "#", and %XX in a segment the byte it stands for.
 * Errors: -EINVAL: no topic can match it: empty, a wildcard, a '/' inside a segment, a zero byte or broken UTF-8 in its
 * literal text, or it begins with "$share/", which a broker would read as something else; -ENAMETOOLONG. */
int filter_from_pattern(const char *pattern, char ret_filter[FILTER_SIZE]);

/* Whether every topic that matches `narrow` matches `wide` too. */
bool filter_covers(const char *wide, const char *narrow);

/* Whether there can be a topic that matches both. */
bool filter_overlaps(const char *a, const char *b);

#endif
