/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_FILL_H
#define COMMON_FILL_H

/* Writes `format` with each "{name}" replaced by the value of that name; `names` is name, value, name, value, ..., NULL.
 * Ownership: free it. Errors: NULL: unknown name, an open brace without its end, or out of memory. */
char *fill_names(const char *format, const char *const *names);

#endif
