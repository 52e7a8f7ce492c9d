/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"

/* /readings/device-2/t behind nothing, behind ETag and behind Observe. */
#define SEGMENTS "'readings' 08'device-2' 01't'"
#define LAST     "b8 " SEGMENTS
#define TAGGED   "78 " SEGMENTS
#define WATCHED  "58 " SEGMENTS
/* Registers, and gets the first response: the reading 'a' of ETag 1 and format 0, fresh for 60 s. */
#define WATCH                                                                                                          \
	"> 41 01 0001 aa 60 " WATCHED "; asked 1 on device-1 device-2/t; told 1 1 0 60 'a';"                           \
	"< 61 45 0001 aa 41 01 23 NEW 60 21 3c ff 'a'; left 1;"
/* The same, and the first notification, 'b', which is acknowledged. */
#define WATCH_WELL                                                                                                     \
	WATCH "wait 100; told 1 2 0 60 'b'; < 41 45 ID aa 41 02 23 NEW 60 21 3c ff 'b'; > 60 00 id; wait 5000;"

const struct requirement reader_requirements[] = {
	/* last readings */
	{"7252 5.8.1", "GET of a last reading: 2.05 with its format, its ETag and its Max-Age",
	 "> 42 01 0001 abcd " LAST "; asked 1 device-1 device-2/t; told 1 abcd 110 60 '21';"
	 "< 62 45 0001 abcd 42 abcd 81 6e 21 3c ff '21'; left 0"},
	{"7252 5.2.2", "what the core says later follows an empty acknowledgement, confirmable",
	 "> 41 01 0001 aa " LAST "; asked 1; wait 1000; < 60 00 0001; wait 5000; told 1 1 -1 0 '21';"
	 "< 41 45 ID aa 41 01 a0 ff '21'; > 60 00 id"},
	{"7252 5.2.3", "a non-confirmable GET has a non-confirmable response",
	 "> 51 01 0001 aa " LAST "; wait 5000; told 1 1 -1 60 '21'; < 51 45 .... aa 41 01 a1 3c ff '21'"},
	{"7252 5.10.1", "device and path are taken from the segments as they are",
	 "> 40 01 0001 b8'readings' 03'a/b' 03'c/d' 00; asked 1 device-1 a/b/c%2Fd/; over 1 1; < 60 84 0001;"
	 "> 40 01 0002 b8'readings' 08'device-2'; asked 2 device-1 device-2/; over 2 1; < 60 84 0002"},
	{"7252 5.9.2.5", "where no device is named: 4.04",
	 "> 40 01 0001 b8'readings' 00; < 60 84 0001; > 40 01 0002 b8'readings' 00 01't'; < 60 84 0002; asked 0"},
	{"7252 5.10.1", "segments '.' and '..' are refused: 4.00",
	 "> 40 01 0001 b8'readings' 08'device-2' 02'..'; < 60 80 0001 *; asked 0"},
	{"7252 5.9.2", "who may not read: 4.03; where there is no reading: 4.04",
	 "> 40 01 0001 " LAST "; over 1 2; < 60 83 0001; > 40 01 0002 " LAST "; over 2 1; < 60 84 0002"},
	{"7252 5.9.3.4", "where the core cannot say: 5.03 with Max-Age",
	 "> 40 01 0001 " LAST "; over 1 8; < 60 a3 0001 d1 01 07"},
	{"7252 5.4.1", "a critical option that is not understood: 4.02, and nothing is read",
	 "> 40 01 0001 90 28 " SEGMENTS "; < 60 82 0001 *; asked 0"},
	{"7252 5.10.4", "Accept of another format than that of the reading: 4.06",
	 "> 40 01 0001 " LAST " 61 32; told 1 1 110 60 'a'; < 60 86 0001; > 40 01 0002 " LAST " 60;"
	 "told 2 1 -1 60 'a'; < 60 86 0002; > 40 01 0003 " LAST " 61 6e; told 3 1 110 60 'a';"
	 "< 60 45 0003 41 01 81 6e 21 3c ff 'a'"},
	{"7252 5.10.6.2", "a reading that the request names by its ETag: 2.03 with Max-Age and no payload",
	 "> 40 01 0001 42 abcd " TAGGED "; told 1 abcd 0 60 'a'; < 60 43 0001 42 abcd a1 3c;"
	 "> 40 01 0002 41 07 02 abcd " TAGGED "; told 2 abcd 0 30 'a'; < 60 43 0002 42 abcd a1 1e"},
	{"7252 5.10.6.2", "an ETag of another reading, or one that is none of ours, changes nothing",
	 "> 40 01 0001 42 abce 03 00abcd 01 cd " TAGGED "; told 1 abcd 0 60 'a'; < 60 45 0001 42 abcd 80 21 3c ff 'a'"},
	{"7252 5.10.6", "an ETag has up to 8 bytes",
	 "> 40 01 0001 48 fedcba9876543210 " TAGGED "; told 1 fedcba9876543210 0 60 'a';"
	 "< 60 43 0001 48 fedcba9876543210 a1 3c"},
	{"7252 5.10.8.1", "If-Match of another ETag: 4.12",
	 "> 40 01 0001 12 abce a8 " SEGMENTS "; told 1 abcd 0 60 'a'; < 60 8c 0001; > 40 01 0002 12 abcd a8 " SEGMENTS
	 "; told 2 abcd 0 60 'a'; < 60 45 0002 *; > 40 01 0003 10 a8 " SEGMENTS "; told 3 1 0 60 'a'; < 60 45 0003 *"},
	{"7252 5.10.8.2", "If-None-Match of a reading that there is: 4.12",
	 "> 40 01 0001 50 68 " SEGMENTS "; told 1 abcd 0 60 'a'; < 60 8c 0001"},
	{"7252 4.5", "a GET that comes again before its answer is acknowledged, and read once",
	 "> 40 01 0001 " LAST "; > 40 01 0001 " LAST "; < 60 00 0001; asked 1; told 1 1 0 60 'a'; < 40 45 ID *;"
	 "> 60 00 id"},
	{"7252 4.5", "one that comes again behind its answer is read again",
	 "> 40 01 0001 " LAST "; told 1 1 0 60 'a'; < 60 45 0001 41 01 80 21 3c ff 'a'; > 40 01 0001 " LAST
	 "; asked 2; told 2 2 0 60 'b'; < 60 45 0001 41 02 80 21 3c ff 'b'"},
	{"7252 4.5", "what was refused is refused again, without asking anew",
	 "> 40 01 0001 " LAST "; over 1 2; < 60 83 0001; > 40 01 0001 " LAST "; < 60 83 0001; asked 1"},
	{"7252 5.8", "POST and PUT hand in a reading there as elsewhere, DELETE: 4.05",
	 "> 40 02 0001 " LAST "; in 1; path readings/device-2/t; ok; < 60 44 0001; > 40 04 0002 " LAST "; < 60 85 0002;"
	 "asked 0"},
	{"8132 2", "FETCH of a last reading, which has no parts to choose from: 4.05",
	 "> 40 05 0001 " LAST "; < 60 85 0001; > 40 05 0002 " LAST " 12 0140 ff 'x'; < 60 85 0002; asked 0; in 0"},
	{"7967 2", "No-Response: a reading that is not wanted is not sent, a refusal is",
	 "> 50 01 0001 " LAST " d1 ea 02; told 1 1 0 60 'a'; .; > 50 01 0002 " LAST " d1 ea 02; over 2 2; < 50 83 ....;"
	 "> 40 01 0003 " LAST " d1 ea 02; told 3 1 0 60 'a'; < 60 00 0003"},
	{"7959 2.4", "a large reading comes in pieces, all of one reading, though a newer one comes meanwhile",
	 "> 40 01 0001 " LAST " c1 00; told 1 a 42 60 x40; < 60 45 0001 41 0a 81 2a 21 3c 91 08 51 28 ff x16;"
	 "> 40 01 0002 " LAST " c1 10; < 60 45 0002 41 0a 81 2a 21 3c 91 18 51 28 ff x16; asked 1;"
	 "> 40 01 0003 " LAST " c1 20; < 60 45 0003 41 0a 81 2a 21 3c 91 20 51 28 ff x8; asked 1;"
	 "> 40 01 0004 " LAST " c1 00; asked 2; told 2 b 42 60 x20; < 60 45 0004 41 0b 81 2a 21 3c 91 08 51 14 ff x16;"
	 "> 40 01 0005 " LAST " c1 10; < 60 45 0005 41 0b 81 2a 21 3c 91 10 51 14 ff x4; asked 2"},
	{"7959 2.4", "without Block2 a large reading begins with 1,024 bytes",
	 "> 40 01 0001 " LAST "; told 1 a 42 60 x1024; < 60 45 0001 41 0a 81 2a 21 3c ff x1024;"
	 "> 40 01 0002 " LAST "; told 2 a 42 60 x1025; < 60 45 0002 41 0a 81 2a 21 3c 91 0e 52 0401 ff x1024;"
	 "> 40 01 0003 " LAST " c1 16; < 60 45 0003 41 0a 81 2a 21 3c 91 16 52 0401 ff 'x'"},
	{"7959 2.4", "a piece of what was not begun is read, and says by its ETag what it belongs to",
	 "> 40 01 0001 " LAST " c1 10; told 1 a 42 60 x40; < 60 45 0001 41 0a 81 2a 21 3c 91 18 51 28 ff x16"},
	{"7959 2.4", "a piece is sent though the request names its ETag: it has to be fetched whole",
	 "> 40 01 0001 41 0a " TAGGED " c1 10; told 1 a 42 60 x20; < 60 45 0001 41 0a 81 2a 21 3c 91 10 51 14 ff x4"},
	{"7959 2.4", "a piece behind the end: 4.00",
	 "> 40 01 0001 " LAST " c1 30; told 1 a 42 60 x40; < 60 80 0001; > 40 01 0002 " LAST " c1 00;"
	 "told 2 a 42 60 x40; < 60 45 0002 *; > 40 01 0003 " LAST " c1 30; < 60 80 0003"},
	{"7959 2.4, 5.10.5", "a later piece is as fresh as it still is",
	 "> 40 01 0001 " LAST " c1 00; told 1 a 42 60 x40; < 60 45 0001 *; wait 20000; > 40 01 0002 " LAST
	 " c1 10; < 60 45 0002 41 0a 81 2a 21 28 91 18 51 28 ff x16; wait 300000; > 40 01 0003 " LAST
	 " c1 10; asked 2; over 2 1; < 60 84 0003"},
	{"7959 2.4", "what another session fetches is another transfer",
	 "> 40 01 0001 " LAST " c1 00; told 1 a 42 60 x40; < 60 45 0001 *; peer 3; > 40 01 0001 " LAST
	 " c1 10; asked 2 device-3 device-2/t; over 2 2; < 60 83 0001"},

	/* observing them */
	{"7641 2, 3.1, 4.1", "Observe 0 registers: the response has Observe, and the token of the request", WATCH},
	{"7641 4.2", "each new reading is a notification: token, Observe, ETag, Max-Age",
	 WATCH "wait 100; told 1 2 0 30 'b'; < 41 45 ID aa 41 02 23 NEW 60 21 1e ff 'b'; > 60 00 id; left 1"},
	{"7641 4.5", "the first notification is confirmable, those behind an acknowledgement are not",
	 WATCH_WELL "told 1 3 0 60 'c'; < 51 45 .... aa 41 03 23 NEW 60 21 3c ff 'c'; wait 5000; told 1 4 0 60 'd';"
		    "< 51 45 .... aa 41 04 *"},
	{"7641 4.5", "a notification is confirmable again 60 s behind the last acknowledgement",
	 WATCH_WELL "wait 54000; told 1 3 0 60 'c'; < 51 45 .... aa 41 03 *; wait 1000; told 1 4 0 60 'd';"
		    "< 41 45 ID aa 41 04 *; > 60 00 id"},
	{"7641 1.3", "the last of them is sent again, confirmable, where it need not have arrived",
	 WATCH_WELL "told 1 3 0 90 'c'; < 51 45 .... aa 41 03 *; wait 60000;"
		    "< 41 45 ID aa 41 03 23 NEW 60 21 1e ff 'c'; > 60 00 id; wait 300000; ."},
	{"7641 4.5.1", "while one is unacknowledged none is sent, and the newest state is what follows it",
	 WATCH "told 1 2 0 60 'b'; < 41 45 ID aa 41 02 *; told 1 3 0 60 'c'; told 1 4 0 60 'd'; told 1 5 0 60 'e'; .;"
	       "> 60 00 id; wait 1; < 51 45 .... aa 41 05 23 NEW 60 21 3c ff 'e'; ."},
	{"7641 4.5.1", "and none to another observer of the same session that would be confirmable",
	 WATCH "> 41 01 0002 bb 60 " WATCHED "; told 2 1 0 60 'a'; < 61 45 0002 bb *; told 1 2 0 60 'b';"
	       "< 41 45 ID aa 41 02 *; told 2 2 0 60 'b'; told 2 3 0 60 'c'; .; > 60 00 id; < 41 45 ID bb 41 03 *;"
	       "> 60 00 id; ."},
	{"7641 4.5.2", "a newer state takes the place of a retransmission, under an id of its own",
	 WATCH "told 1 2 0 60 'b'; < 41 45 ID aa 41 02 *; told 1 3 0 60 'c'; wait 3000; < 41 45 ID aa 41 03 *;"
	       "> 60 00 id; wait 5000; ."},
	{"7641 4.5", "who does not acknowledge through all retransmissions is no observer any more",
	 WATCH
	 "told 1 2 0 60 'b'; < 41 45 ID aa 41 02 *; wait 50000; < 41 45 id aa *; < 41 45 id aa *; < 41 45 id aa *;"
	 "< 41 45 id aa *; left 1; wait 50000; left 0; ."},
	{"7641 3.6", "Observe 1 cancels, and is answered with the reading",
	 WATCH "> 41 01 0002 aa 61 01 " WATCHED "; asked 2 device-1 device-2/t; left 1; told 2 1 0 60 'a';"
	       "< 61 45 0002 aa 41 01 80 21 3c ff 'a'; left 0"},
	{"7641 3.6", "a GET of the same token without Observe cancels",
	 WATCH "> 41 01 0002 aa " LAST "; asked 2 device-1 device-2/t; told 2 1 0 60 'a'; < 61 45 0002 aa *; left 0"},
	{"7641 3.6", "Observe 1 of another token does not",
	 WATCH "> 41 01 0002 bb 61 01 " WATCHED
	       "; told 2 1 0 60 'a'; < 61 45 0002 bb 41 01 80 *; left 1; told 1 2 0 60 "
	       "'b';"
	       "< 41 45 ID aa *; > 60 00 id"},
	{"7641 3.6", "the reset of a confirmable notification cancels",
	 WATCH "told 1 2 0 60 'b'; < 41 45 ID aa *; > 70 00 id; left 0; wait 100000; ."},
	{"7641 3.6", "the reset of one that is not confirmable cancels",
	 WATCH_WELL "told 1 3 0 60 'c'; < 51 45 ID aa *; > 70 00 id; left 0; wait 100000; ."},
	{"7641 3.6", "the reset of something else, or in another session, does not",
	 WATCH "told 1 2 0 60 'b'; < 41 45 ID aa *; > 70 00 0001; peer 2; > 70 00 id; > 60 00 id; peer 1; left 1;"
	       "wait 3000; < 41 45 id aa *; > 60 00 id"},
	{"7641 4.1", "a registration with the same token takes the place of the old one",
	 WATCH "> 41 01 0002 aa 60 " WATCHED "; asked 2 on device-1 device-2/t; left 1; told 2 2 0 60 'b';"
	       "< 61 45 0002 aa 41 02 23 NEW *; left 1; told 2 3 0 60 'c'; < 41 45 ID aa 41 03 *; > 60 00 id; ."},
	{"7641 4.1", "two registrations of one session with different tokens are two",
	 WATCH "> 41 01 0002 bb 60 " WATCHED "; told 2 1 0 60 'a'; < 61 45 0002 bb *; left 2; told 2 2 0 60 'b';"
	       "< 41 45 ID bb 41 02 *; > 60 00 id; told 1 2 0 60 'b'; < 41 45 ID aa 41 02 *; > 60 00 id"},
	{"7641 4.1", "one over the limit is answered without Observe, and is none",
	 WATCH "> 41 01 0002 bb 60 " WATCHED "; told 2 1 0 60 'a'; < 61 45 0002 bb *; > 41 01 0003 cc 60 " WATCHED
	       "; asked 3 device-1 device-2/t; told 3 1 0 60 'a'; < 61 45 0003 cc 41 01 80 21 3c ff 'a'; left 2;"
	       "peer 2; > 41 01 0001 aa 60 " WATCHED "; asked 4 on device-2 device-2/t; told 4 1 0 60 'a';"
	       "< 61 45 0001 aa 41 01 23 NEW *; left 3"},
	{"7641 4.1", "a refusal registers nobody",
	 "> 41 01 0001 aa 60 " WATCHED "; over 1 2; < 61 83 0001 aa; > 41 01 0002 aa 60 " WATCHED
	 "; over 2 1; < 61 84 0002 aa; > 41 01 0003 aa 60 " WATCHED " 61 32; told 3 1 0 60 'a'; < 61 86 0003 aa; left "
	 "0"},
	{"7641 2", "any other value of Observe is ignored",
	 "> 41 01 0001 aa 61 02 " WATCHED "; asked 1 device-1 device-2/t; told 1 1 0 60 'a';"
	 "< 61 45 0001 aa 41 01 80 21 3c ff 'a'"},
	{"7641 4.2", "when the reader may not any more: a notification that says so, without Observe, and the end",
	 WATCH_WELL "over 1 2; < 41 83 ID aa; > 60 00 id; left 0; wait 300000; ."},
	{"7641 4.2", "when there is no such reading any more: likewise, and confirmable until it has arrived",
	 WATCH_WELL "over 1 1; < 41 84 ID aa; wait 3000; < 41 84 id aa; > 60 00 id; left 0; wait 300000; ."},
	{"7641 4.2", "when the format changes: 4.06, and the end",
	 WATCH_WELL "told 1 3 50 60 'c'; < 41 86 ID aa; > 60 00 id; left 0; wait 300000; ."},
	{"7641 4.3.1", "a core that goes is no matter for observers: it is asked again, and what is known is not told",
	 WATCH_WELL
	 "over 1 8; .; left 0; joined; asked 2 on device-1 device-2/t; told 2 2 0 60 'b'; .; told 2 3 0 60 'c';"
	 "< 51 45 .... aa 41 03 *; left 1"},
	{"7641 4.3.1", "one that comes back without the reading is asked until the device has spoken",
	 WATCH_WELL "over 1 8; joined; asked 2 on device-1 device-2/t; over 2 1; .; wait 5000; asked 3; over 3 1;"
		    "wait 5000; asked 4 on device-1 device-2/t; told 4 9 0 60 'c'; < 51 45 .... aa 41 09 *; left 1"},
	{"7641 4.3.2", "a reading that has waited for its turn is as fresh as it still is",
	 WATCH "told 1 2 0 60 'b'; < 41 45 ID aa *; told 1 3 0 60 'c'; wait 1000; > 60 00 id; wait 1;"
	       "< 51 45 .... aa 41 03 23 NEW 60 21 3b ff 'c'"},
	{"7641 4.3.2", "a registration that names the reading by its ETag: 2.03 with Observe, then 2.05",
	 "> 41 01 0001 aa 41 01 20 " WATCHED "; asked 1 on device-1 device-2/t; told 1 1 0 60 'a';"
	 "< 61 43 0001 aa 41 01 23 NEW 81 3c; told 1 2 0 60 'b'; < 41 45 ID aa 41 02 23 NEW 60 21 3c ff 'b';"
	 "> 60 00 id"},
	{"7959 3.4", "a large notification has the first piece, the others are fetched without Observe",
	 "> 41 01 0001 aa 60 " WATCHED " c1 00; told 1 1 42 60 x8; < 61 45 0001 aa 41 01 23 NEW 61 2a 21 3c 90 ff x8;"
	 "told 1 2 42 60 x20; < 41 45 ID aa 41 02 23 NEW 61 2a 21 3c 91 08 51 14 ff x16; > 60 00 id;"
	 "> 41 01 0002 bb " LAST " c1 10; < 61 45 0002 bb 41 02 81 2a 21 3c 91 10 51 14 ff x4; asked 1; left 1;"
	 "> 41 01 0003 aa " LAST " c1 10; < 61 45 0003 aa 41 02 *; left 1"},
	{"7641 3.3.1", "a registration that comes again behind its answer is still one",
	 WATCH "> 41 01 0001 aa 60 " WATCHED "; asked 2 on device-1 device-2/t; told 2 1 0 60 'a';"
	       "< 61 45 0001 aa 41 01 23 NEW 60 21 3c ff 'a'; left 1"},
	{"7967 2", "Observe with No-Response for good news registers nobody",
	 "> 51 01 0001 aa 60 " WATCHED " d1 ea 02; asked 1 device-1 device-2/t; told 1 1 0 60 'a'; .; left 0"},
};

const size_t n_reader_requirements = sizeof(reader_requirements) / sizeof(reader_requirements[0]);
