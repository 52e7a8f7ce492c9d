/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

/* The command line of the load generator. */

#include <netinet/in.h>

#include "fleet.h"
#include "handshakes.h"

struct options {
	struct fleet_options fleet;
	struct client_options client;
	struct handshakes_options handshakes; /* count 0: no such phase */
	struct sockaddr_in server;
	uint32_t source; /* address of the first sensor, host byte order */
	const char *keys;
	const char *certificates;
	const char *prefix;
	uint32_t skip;
	const char *record;
	const char *tickets; /* file; NULL: none are kept */
	double seconds;      /* 0: until all is decided */
	double connect_s;
	double rest_s;
	double linger_s;
	bool progress;
};

/* A wrong command line ends the program with the reason; --help ends it with the list of options. */
void options_read(int count, char **arguments, struct options *ret_options);

#endif
