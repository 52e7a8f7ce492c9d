/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

/* Locals that clean themselves up when they leave their scope. A destructor named here accepts NULL. */

#include <stdlib.h>
#include <unistd.h>

#define WARN_UNUSED __attribute__((warn_unused_result))
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Makes `NAMEp(struct NAME **)` out of `fn(struct NAME *)`, for CLEANUP. */
#define CLEANUP_DEFINE(type, fn)                                                                                       \
	static inline void fn##p(type *p)                                                                              \
	{                                                                                                              \
		fn(*p);                                                                                                \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define CLEANUP_FREE  CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)

#endif
