/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_CONFORMANCE_H
#define TESTS_COAP_CONFORMANCE_H

/*
 * What the RFCs ask of a CoAP server, one row for each requirement: where it stands, what it says in our own words, and a script
 * of datagrams that shows it, sent and compared byte by byte over DTLS, without the adapter's own codec. The steps of a script,
 * with ';' between them:
 *
 *	> BYTES     send this datagram
 *	< BYTES     the next datagram from the server is this one
 *	.           nothing comes
 *	in N        the adapter has handed in N messages by now, and no more
 *	body N      the last of them has N bytes
 *	method N    the last of them was handed in by this method
 *	path TEXT   the last of them has this path
 *	ok          accept the oldest message that has no verdict yet
 *	no V N      refuse it with verdict V (enum tg_verdict), Max-Age or limit N, and the reason "why"
 *	wait MS     let so much time pass
 *	asked N R D/P   N last readings have been asked for by now, the newest by device R, of device D and its path P; with "on"
 *	            behind N it is to go on
 *	told N E F A BYTES  what the core answers to the N-th of them: ETag (hexadecimal), content format, Max-Age, payload
 *	over N V    it answers with verdict V, and that nothing more comes
 *	left N      the core has N of them still to answer, or to go on with
 *	listed N R A  N pages of what device R may read have been asked for by now, the newest from behind ETag A on
 *	entry N F D P  an entry of the N-th of them: content format, device, path
 *	page N E G M  its end: the ETag and the generation that go with it, and whether there is another one
 *	refused N V it ends with verdict V
 *	joined      there is a core again
 *	group BYTES this datagram went to all CoAP nodes
 *	heard BYTES what is answered to it in time; nothing: silence
 *	peer N      from here on it is device N, in a session of its own
 *
 * BYTES are hexadecimal digits, 'text' and x100, which is a hundred bytes of 'x'; in what is compared also .. (any byte), * (any
 * rest), ID, NEW and TAG (two, three and four bytes, noted down); id, new and tag are the bytes that were noted down, also in what is sent.
 */

#include <stddef.h>

struct requirement {
	const char *source; /* "7252 4.2": RFC and section */
	const char *text;
	const char *script;
};

extern const struct requirement requirements[];
extern const size_t n_requirements;
/* Those of last readings, and of observing them. */
extern const struct requirement reader_requirements[];
extern const size_t n_reader_requirements;
/* Of their catalogue. */
extern const struct requirement catalogue_requirements[];
extern const size_t n_catalogue_requirements;
/* Of a resource directory, of requests to all nodes, and of a listener without DTLS. */
extern const struct requirement directory_requirements[];
extern const size_t n_directory_requirements;
extern const struct requirement group_requirements[];
extern const size_t n_group_requirements;
extern const struct requirement plain_requirements[];
extern const size_t n_plain_requirements;

#endif
