/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXTFILE_H
#define BASE_TEXTFILE_H

/* Text files that are read as a whole, those of /proc too, which do not know their size. */

#include "base/cleanup.h"

/* Up to 4 MiB, terminated. Ownership: free it. Errors: NULL. */
char *textfile_read(const char *path) WARN_UNUSED;
char *textfile_read_fd(int fd) WARN_UNUSED;

#endif
