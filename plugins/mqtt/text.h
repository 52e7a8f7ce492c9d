/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_TEXT_H
#define MQTT_TEXT_H

/* A text as JSON. Pure; for status.c. */

/* The text as a JSON string, in quotes (RFC 8259 section 7). Ownership: free it. Errors: NULL: out of memory. */
char *text_json(const char *text);

#endif
