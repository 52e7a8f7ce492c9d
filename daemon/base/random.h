/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/* Random bytes from the kernel, fetched in blocks. Not for keys: those come from OpenSSL. Main thread only. */

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *ret_bytes, size_t size);
uint32_t random_u32(void);

#endif
