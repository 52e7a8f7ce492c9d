/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONFIG_PRINT_H
#define CORE_CONFIG_PRINT_H

/* The configuration in use as text in the file's own syntax: every setting, with where it was given or that it is the default. */

#include <stdio.h>

struct config;

void config_print(const struct config *config, FILE *out);

#endif
