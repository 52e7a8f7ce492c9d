/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_RESOLVE_H
#define CONFINE_RESOLVE_H

/* Name resolution behind the sandbox (TG_NEED_RESOLVE): loads what the C library would load at the first look-up, while files can
 * still be opened. Blocks: for a look-up of "localhost". */
void resolve_prepare(void);

#endif
