/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

/* Texts that are filled in and written as JSON. Pure functions. */

/* Writes `format` with each "{name}" replaced by the value of that name; `names` is name, value, name, value, ..., NULL.
 * Ownership: free it. Errors: NULL: unknown name, an open brace without its end, or out of memory. */
char *text_expand(const char *format, const char *const *names);

/* The text as a JSON string, in quotes (RFC 8259 section 7). Ownership: free it. Errors: NULL: out of memory. */
char *text_json(const char *text);

#endif
