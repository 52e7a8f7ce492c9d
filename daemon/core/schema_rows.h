/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SCHEMA_ROWS_H
#define CORE_SCHEMA_ROWS_H

/* How the files of the module schema write their rows: of a table's columns only those that say something. */

#include <tidegate/adapter.h>

#define KIB INT64_C(1024)
#define MIB (INT64_C(1024) * KIB)
#define GIB (INT64_C(1024) * MIB)

#define BOOL(n, ...) .name = (n), .type = TG_BOOL, .unit = "", __VA_ARGS__
#define INT(n, ...)  .name = (n), .type = TG_INT, __VA_ARGS__
#define TEXT(n, ...) .name = (n), .type = TG_TEXT, .unit = "", __VA_ARGS__
#define LIST(n, ...) .name = (n), .type = TG_LIST, .flags = TG_LIVE, .unit = "", __VA_ARGS__

/* The rows of SCHEMA_PROFILE. */
extern const struct tg_setting schema_profile_rows[];

#endif
