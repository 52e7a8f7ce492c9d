/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"

/* /.well-known/core as options, behind nothing; what follows counts from option 11, Uri-Path. */
#define CORE      "bb '.well-known' 04 'core'"
#define ROOT_LINK "'</>;rt=\"tidegate.readings\";title=\"POST or PUT a reading to any path\"'"
#define CORE_LINK "'</.well-known/core>;ct=40'"
#define LAST_LINK "'</readings>;rt=\"tidegate.catalogue\";ct=40;title=\"links to the last readings\"'"
/* ETag of any value and Content-Format 40, the payload behind it. */
#define LINKS "44 ........ 81 28"

const struct requirement requirements[] = {
	/* the format of messages */
	{"7252 3", "a message of another version is ignored in silence",
	 "> 00 02 0001; > 80 02 0001; > c0 02 0001; .; in 0"},
	{"7252 3", "what is too short for a header is ignored", "> 40 02 00; > 40; .; in 0"},
	{"7252 3, 5.3.1", "a token of 0 to 8 bytes comes back as it was",
	 "> 40 02 0001; ok; < 60 44 0001; > 41 02 0002 aa; ok; < 61 44 0002 aa;"
	 "> 44 02 0003 00000000; ok; < 64 44 0003 00000000; > 48 02 0004 0102030405060708; ok;"
	 "< 68 44 0004 0102030405060708"},
	{"7252 3, 8974 2.2", "token lengths 9 to 15 are a format error",
	 "> 49 02 0001 010203040506070809; < 70 00 0001; > 4d 02 0002 00 01020304050607080910111213; < 70 00 0002;"
	 "> 4e 02 0003; < 70 00 0003; > 4f 02 0004 010203040506070809101112131415; < 70 00 0004"},
	{"7252 3", "a token longer than the datagram is a format error", "> 44 02 0001 010203; < 70 00 0001"},
	{"7252 3", "a payload marker with nothing behind it is a format error", "> 40 02 0001 ff; < 70 00 0001"},
	{"7252 3.1", "option delta or length 15 is a format error",
	 "> 40 02 0001 f1 61; < 70 00 0001; > 40 02 0002 bf 61; < 70 00 0002"},
	{"7252 3.1", "an option longer than the datagram is a format error",
	 "> 40 02 0001 b2 61; < 70 00 0001; > 40 02 0002 bd; < 70 00 0002; > 40 02 0003 a8 00; < 70 00 0003"},
	{"7252 3.1", "an option number over 65535 is a format error",
	 "> 40 02 0001 e0 fef2 10; < 70 00 0001; > 40 02 0002 e0 ffff; < 70 00 0002"},
	{"7252 3.1", "deltas and lengths of one and two bytes more are understood",
	 "> 40 02 0001 bd 02 x15; ok; < 60 44 0001; path xxxxxxxxxxxxxxx; > 40 02 0002 e0 fcdb; ok; < 60 44 0002"},
	{"7252 3.2", "numbers may have leading zeros", "> 40 02 0001 b1'a' 12 0032 ff 'x'; ok; < 60 44 0001"},

	/* the message layer */
	{"7252 4.1", "an empty message with more than its header is a format error",
	 "> 40 00 0001 ff 31; < 70 00 0001; > 41 00 0002 aa; < 70 00 0002; > 40 00 0003 b1'a'; < 70 00 0003"},
	{"7252 4.2", "an empty confirmable message, a ping, is reset", "> 40 00 1234; < 70 00 1234"},
	{"7252 4.2", "a confirmable response to nothing is reset", "> 40 45 0001; < 70 00 0001"},
	{"7252 4.2", "a confirmable message of a reserved code class is reset",
	 "> 40 20 0001; < 70 00 0001; > 40 60 0002; < 70 00 0002; > 40 c0 0003; < 70 00 0003; > 40 e1 0004; < 70 00 "
	 "0004"},
	{"7252 4.2", "an acknowledgement or a reset is never answered, whatever it is",
	 "> 60 00 0001; > 70 00 0001; > 60 02 0001 b1'a'; > 70 02 0001 b1'a'; > 60 45 0001; > 60 20 0001; > 6f 00 0001;"
	 "> 70 00 0001 ff; .; in 0"},
	{"7252 4.2", "a confirmable response is sent again at most 4 times, always the same",
	 "> 42 02 0001 abcd b1'a'; in 1; wait 1000; < 60 00 0001; ok; < 42 44 ID abcd; .; wait 1999; .; wait 1001;"
	 "< 42 44 id abcd; wait 90000; < 42 44 id abcd; < 42 44 id abcd; < 42 44 id abcd; wait 300000; ."},
	{"7252 4.2", "its acknowledgement ends that",
	 "> 40 02 0001; in 1; wait 1000; < 60 00 0001; ok; < 40 44 ID; > 60 00 id; wait 100000; ."},
	{"7252 4.2", "a reset ends that",
	 "> 40 02 0001; in 1; wait 1000; < 60 00 0001; ok; < 40 44 ID; > 70 00 id; wait 100000; ."},
	{"7252 4.2", "an acknowledgement of another id, or with something in it, does not",
	 "> 40 02 0001; in 1; wait 1000; < 60 00 0001; ok; < 40 44 ID; > 60 00 0001; > 60 45 id; wait 3000; < 40 44 id;"
	 "> 60 00 id; ."},
	{"7252 4.3", "a non-confirmable message that is no request is ignored",
	 "> 50 00 0001; > 50 45 0002; > 50 20 0003; > 50 e0 0004; > 50 02 0005 ff; > 59 02 0006; > 50 02 0007 f0; .; "
	 "in 0"},
	{"7252 4.5", "a confirmable request that comes again is one message, and answered again",
	 "> 42 02 0001 abcd b1'a'; ok; < 62 44 0001 abcd; > 42 02 0001 abcd b1'a'; < 62 44 0001 abcd; in 1"},
	{"7252 4.5", "one that comes again before its answer is acknowledged, and answered once",
	 "> 40 02 0001; > 40 02 0001; < 60 00 0001; in 1; ok; < 40 44 ID; > 60 00 id; > 40 02 0001; < 60 00 0001; in "
	 "1"},
	{"7252 4.5", "a refused request that comes again is refused again, and handed in once",
	 "> 40 02 0001; no 1 0; < 60 84 0001 ff 'why'; > 40 02 0001; < 60 84 0001; in 1"},
	{"7252 4.5", "what was read is read again with the same answer",
	 "> 41 01 0001 aa " CORE " 45 'ct=40'; < 61 45 0001 aa 44 TAG 81 28 ff " CORE_LINK "','" LAST_LINK
	 "; > 41 01 0001 aa " CORE " 45 'ct=40'; < 61 45 0001 aa 44 tag 81 28 ff " CORE_LINK "','" LAST_LINK},
	{"7252 4.5", "a non-confirmable request that comes again is ignored",
	 "> 51 02 0001 aa; ok; < 51 44 .... aa; > 51 02 0001 aa; .; in 1"},
	{"7252 4.5, 4.8.2", "after EXCHANGE_LIFETIME the id belongs to a new message",
	 "> 40 02 0001; ok; < 60 44 0001; wait 249000; > 40 02 0001; in 2; ok; < 60 44 0001"},
	{"7252 4.5, 9.1", "the same id in another session is another message",
	 "> 40 02 0001; ok; < 60 44 0001; peer 2; > 40 02 0001; in 2; ok; < 60 44 0001"},
	{"7252 9.1", "an acknowledgement counts in its own session alone",
	 "> 40 02 0001; in 1; wait 1000; < 60 00 0001; ok; < 40 44 ID; peer 2; > 60 00 id; > 70 00 id; .; peer 1;"
	 "wait 3000; < 40 44 id; > 60 00 id; ."},

	/* requests and responses */
	{"7252 5.2.1", "what is known in time is answered on the acknowledgement",
	 "> 42 02 0001 abcd b1'a' ff '21.5'; wait 999; .; ok; < 62 44 0001 abcd"},
	{"7252 5.2.2", "what is known later follows an empty acknowledgement, confirmable, with the token",
	 "> 42 03 0001 abcd b1'a'; in 1; wait 1000; < 60 00 0001; wait 5000; no 4 0; < 42 8f ID abcd ff 'why'; > 60 00 "
	 "id"},
	{"7252 5.2.3", "a non-confirmable request has a non-confirmable response",
	 "> 52 02 0001 abcd b1'a'; wait 5000; .; ok; < 52 44 .... abcd"},
	{"7252 5.4.1", "a critical option that is not understood: 4.02, and which one it is",
	 "> 42 02 0001 abcd 90; < 62 82 0001 abcd ff 'option 9 not understood';"
	 "> 40 01 0002 e0 06e6; < 60 82 0002 ff 'option 2035 not understood'; in 0"},
	{"7252 5.4.1", "in a non-confirmable request the message is rejected", "> 52 02 0001 abcd 90; .; in 0"},
	{"7252 5.4.1", "an elective option that is not understood is ignored",
	 "> 40 02 0001 20 91'a' e1 06e8 'b'; ok; < 60 44 0001"},
	{"7252 5.4.3", "a critical option of a wrong length counts as not understood",
	 "> 40 02 0001 30; < 60 82 0001 *; > 40 02 0002 73 000001; < 60 82 0002 *; > 40 02 0003 d3 04 000000; < 60 82 "
	 "0003 *;"
	 "> 40 02 0004 d4 0e 00000000; < 60 82 0004 *; > 40 02 0005 51 00; < 60 82 0005 *; > 40 02 0006 bd f3 x256; < "
	 "60 82 0006 *"},
	{"7252 5.4.3", "an elective option of a wrong length is ignored",
	 "> 40 02 0001 c3 000032; ok; < 60 44 0001; > 40 02 0002 40; ok; < 60 44 0002"},
	{"7252 5.4.5", "a critical option that is there once too often counts as not understood",
	 "> 40 02 0001 31'a' 01'b'; < 60 82 0001 *; > 40 02 0002 71 01 01 01; < 60 82 0002 *; > 40 02 0003 d0 04 00;"
	 "< 60 82 0003 *; > 40 02 0004 50 00; < 60 82 0004 *"},
	{"7252 5.4.5", "an elective option that is there once too often is ignored",
	 "> 40 02 0001 c0 01 32; ok; < 60 44 0001"},
	{"7252 5.8", "a method that is not known: 4.05",
	 "> 40 08 0001 b1'a'; < 60 85 0001; > 50 1f 0002; < 50 85 ....; in 0"},
	{"7252 5.8", "GET and DELETE of what readings are sent to: 4.05",
	 "> 40 01 0001 b1'a'; < 60 85 0001; > 40 04 0002 b1'a'; < 60 85 0002; in 0"},
	{"7252 5.8.2, 5.8.3", "POST and PUT are handed in, and 2.04 when they are taken",
	 "> 40 02 0001 b1'a'; in 1; method 2; ok; < 60 44 0001; > 40 03 0002 b1'a'; in 2; method 3; ok; < 60 44 0002"},
	{"7252 5.9.2", "refusals have their codes: 4.01, 4.03, 4.04, 4.15, and 4.00 with the reason",
	 "> 40 02 0001; no 9 0; < 60 81 0001 *; > 40 02 0002; no 2 0; < 60 83 0002 *; > 40 02 0003; no 1 0;"
	 "< 60 84 0003 *; > 40 02 0004; no 4 0; < 60 8f 0004 *; > 40 02 0005; no 5 0; < 60 80 0005 ff 'why'"},
	{"7252 5.9.2.9", "4.13 tells in Size1 what would be taken",
	 "> 40 02 0001; no 3 300; < 60 8d 0001 d2 2f 012c ff 'why'; > 40 02 0002 ff x1000; ok; < 60 44 0002"},
	{"7252 5.9.3.4", "5.03 tells in Max-Age when to come again",
	 "> 40 02 0001; no 7 300; < 60 a3 0001 d2 01 012c ff 'why'; > 40 02 0002; no 8 5; < 60 a3 0002 d1 01 05 *"},
	{"7252 5.10.1", "Uri-Host and Uri-Port may be there, and do not change the path",
	 "> 40 02 0001 37'gateway' 42 1634 41'a' 01'b'; ok; < 60 44 0001; path a/b"},
	{"7252 5.10.1", "an empty path, and segments that are empty or have '/' in them, are told apart",
	 "> 40 02 0001; in 1; path ; ok; < 60 44 0001; > 40 02 0002 b1'a' 00 03'b/c'; ok; < 60 44 0002; path a//b%2Fc"},
	{"7252 5.10.1", "segments '.' and '..' are refused: 4.00",
	 "> 40 02 0001 b1'a' 01'.'; < 60 80 0001 *; > 40 02 0002 b2'..'; < 60 80 0002 *; in 0"},
	{"7252 5.10.2, 5.7.2", "Proxy-Uri and Proxy-Scheme: 5.05",
	 "> 40 01 0001 dd 16 02 'coap://[::1]/a/'; < 60 a5 0001; > 40 02 0002 b1'a' d5 0f 'coaps'; < 60 a5 0002;"
	 "> 51 01 0003 aa dd 16 02 'coap://[::1]/a/'; < 51 a5 .... aa; in 0"},
	{"7252 5.10.4", "Accept that cannot be met: 4.06",
	 "> 40 01 0001 " CORE " 61 32; < 60 86 0001; > 40 01 0002 " CORE " 61 28; < 60 45 0002 " LINKS " *"},
	{"7252 5.10.6", "a response that is known by its ETag: 2.03, without it again",
	 "> 40 01 0001 " CORE "; < 60 45 0001 44 TAG *; > 40 01 0002 44 tag 7b '.well-known' 04 'core';"
	 "< 60 43 0002 44 tag; > 40 01 0003 41 00 04 tag 7b '.well-known' 04 'core'; < 60 43 0003 44 tag;"
	 "> 40 01 0004 44 00000000 7b '.well-known' 04 'core'; < 60 45 0004 44 tag *"},
	{"7252 5.10.8.1", "If-Match holds for nothing where readings are sent to: 4.12",
	 "> 40 03 0001 10 a1'a'; < 60 8c 0001; > 40 03 0002 12 abcd 01 00 a1'a'; < 60 8c 0002; in 0"},
	{"7252 5.10.8.2", "If-None-Match holds there, and does not for what exists",
	 "> 40 03 0001 50 61'a'; ok; < 60 44 0001; > 40 01 0002 50 6b '.well-known' 04 'core'; < 60 8c 0002; in 1"},
	{"7252 7.2, 6690 4", "/.well-known/core lists what there is, as link format",
	 "> 40 01 0001 " CORE "; < 60 45 0001 " LINKS " ff " ROOT_LINK "','" CORE_LINK "','" LAST_LINK},
	{"7252 7.2", "/.well-known/core is only read",
	 "> 40 02 0001 " CORE "; < 60 85 0001; > 40 03 0002 " CORE "; < 60 85 0002; > 40 04 0003 " CORE
	 "; < 60 85 0003; in 0"},

	/* link format: filters */
	{"6690 4.1", "?rt= gives the links of this type",
	 "> 40 01 0001 " CORE " 4d 07 'rt=tidegate.readings'; < 60 45 0001 " LINKS " ff " ROOT_LINK},
	{"6690 4.1", "?rt= with a star at the end gives those that begin so",
	 "> 40 01 0001 " CORE " 48 'rt=tide*'; < 60 45 0001 " LINKS " ff " ROOT_LINK "','" LAST_LINK},
	{"6690 4.1", "?href= looks at the target",
	 "> 40 01 0001 " CORE " 46 'href=/'; < 60 45 0001 " LINKS " ff " ROOT_LINK "; > 40 01 0002 " CORE
	 " 48 'href=/.*'; < 60 45 0002 " LINKS " ff " CORE_LINK},
	{"6690 4.1", "?title= and other attributes likewise",
	 "> 40 01 0001 " CORE " 4b 'title=POST*'; < 60 45 0001 " LINKS " ff " ROOT_LINK "; > 40 01 0002 " CORE
	 " 45 'ct=40'; < 60 45 0002 " LINKS " ff " CORE_LINK "','" LAST_LINK},
	{"6690 4.1", "where nothing matches the list is empty",
	 "> 40 01 0001 " CORE " 44 'if=a'; < 60 45 0001 " LINKS "; > 40 01 0002 " CORE
	 " 47 'rt=tide'; < 60 45 0002 " LINKS},

	/* block-wise transfer: requests */
	{"7959 2.5", "pieces are acknowledged with 2.31, and handed in as one body when they are whole",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 18 ff x16;"
	 "< 60 5f 0002 d1 0e 18; in 0; > 40 03 0003 b1'a' d1 03 20 ff x5; in 1; body 37; ok; < 60 44 0003 d1 0e 20"},
	{"7959 2.2", "size exponent 7 is reserved: 4.00",
	 "> 40 03 0001 b1'a' d1 03 0f ff x16; < 60 80 0001 *; > 40 01 0002 " CORE " c1 07; < 60 80 0002 *; in 0"},
	{"7959 2.2, 2.3", "a piece that is not as long as it says: 4.00",
	 "> 40 03 0001 b1'a' d1 03 09 ff x31; < 60 80 0001; > 40 03 0002 b1'a' d1 03 09 ff x33; < 60 80 0002;"
	 "> 40 03 0003 b1'a' d1 03 01 ff x33; < 60 80 0003; in 0"},
	{"7959 2.3", "the pieces may become smaller on the way",
	 "> 40 03 0001 b1'a' d1 03 0a ff x64; < 60 5f 0001 d1 0e 0a; > 40 03 0002 b1'a' d1 03 48 ff x16;"
	 "< 60 5f 0002 d1 0e 48; > 40 03 0003 b1'a' d1 03 50 ff x1; in 1; body 81; ok; < 60 44 0003 d1 0e 50"},
	{"7959 2.9.2", "a piece out of order: 4.08, and what came before is still good",
	 "> 40 03 0001 b1'a' d1 03 18 ff x16; < 60 88 0001 *; > 40 03 0002 b1'a' d1 03 08 ff x16; < 60 5f 0002 d1 0e "
	 "08;"
	 "> 40 03 0003 b1'a' d1 03 28 ff x16; < 60 88 0003 *; > 40 03 0004 b1'a' d1 03 10 ff x2; in 1; body 18; ok;"
	 "< 60 44 0004 d1 0e 10"},
	{"7959 2.9.3, 4", "a body announced too large in Size1 is refused at its first piece: 4.13 with Size1",
	 "> 40 03 0001 b1'a' d1 03 08 d2 14 1001 ff x16; < 60 8d 0001 d2 2f 1000; > 40 03 0002 b1'a' d1 03 18 ff x16;"
	 "< 60 88 0002 *; > 40 03 0003 b1'a' d1 03 08 d2 14 1000 ff x16; < 60 5f 0003 d1 0e 08; in 0"},
	{"7959 2.9.3", "a body that turns out too large is refused with the piece that shows it",
	 "> 40 03 0001 b1'a' d2 03 fffe ff x1024; < 60 8d 0001 d2 2f 1000; > 40 03 0002 b1'a' d1 03 0e ff x1024; < 60 "
	 "5f 0002 d1 "
	 "0e 0e;"
	 "> 40 03 0003 b1'a' d1 03 1e ff x1024; < 60 5f 0003 d1 0e 1e; > 40 03 0004 b1'a' d1 03 2e ff x1024;"
	 "< 60 5f 0004 d1 0e 2e; > 40 03 0005 b1'a' d1 03 3e ff x1024; < 60 8d 0005 d2 2f 1000; in 0"},
	{"7959 2.5", "a first piece begins anew",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 09 ff x32;"
	 "< 60 5f 0002 d1 0e 09; > 40 03 0003 b1'a' d1 03 11 ff x1; in 1; body 33; ok; < 60 44 0003 d1 0e 11"},
	{"7959 2.5", "bodies for different paths may come by turns in one session",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'b' d1 03 08 ff x16;"
	 "< 60 5f 0002 d1 0e 08; > 40 03 0003 b1'a' d1 03 10 ff x1; in 1; path a; body 17; ok; < 60 44 0003 d1 0e 10;"
	 "> 40 03 0004 b1'b' d1 03 10 ff x2; in 2; path b; body 18; ok; < 60 44 0004 d1 0e 10"},
	{"9175 3", "Request-Tag tells bodies for one path apart",
	 "> 40 03 0001 b1'a' d1 03 08 d1 fc 01 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 08 d1 fc 02 ff "
	 "x16;"
	 "< 60 5f 0002 d1 0e 08; > 40 03 0003 b1'a' d1 03 10 d1 fc 01 ff x1; in 1; body 17; ok; < 60 44 0003 d1 0e 10;"
	 "> 40 03 0004 b1'a' d1 03 10 d1 fc 02 ff x2; in 2; body 18; ok; < 60 44 0004 d1 0e 10"},
	{"7959 2.5", "bodies of different sessions never mix",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; peer 2; > 40 03 0002 b1'a' d1 03 10 ff x1;"
	 "< 60 88 0002 *; peer 1; > 40 03 0002 b1'a' d1 03 10 ff x1; in 1; body 17; ok; < 60 44 0002 d1 0e 10"},
	{"7959 2.5", "a piece sent again under a new id is taken once",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 18 ff x16;"
	 "< 60 5f 0002 d1 0e 18; > 40 03 0003 b1'a' d1 03 18 ff x16; < 60 5f 0003 d1 0e 18;"
	 "> 40 03 0004 b1'a' d1 03 20 ff x1; in 1; body 33; ok; < 60 44 0004 d1 0e 20"},
	{"7959 2.5", "half a body is forgotten after EXCHANGE_LIFETIME",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; wait 247000; > 40 03 0002 b1'a' d1 03 10 ff x1;"
	 "< 60 88 0002 *; in 0"},
	{"7959 2.5", "a refusal of the whole body stands in the answer to its last piece",
	 "> 40 03 0001 b1'a' d1 03 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 10 ff x1; no 2 0;"
	 "< 60 83 0002 ff 'why'"},

	/* block-wise transfer: responses */
	{"7959 2.4", "Block2 asks for smaller pieces, and for any of them",
	 "> 40 01 0001 " CORE " c1 00; < 60 45 0001 " LINKS " b1 08 ff '</>;rt=\"tidegate'; > 40 01 0002 " CORE
	 " c1 10; < 60 45 0002 " LINKS " b1 18 ff '.readings\";title'; > 40 01 0003 " CORE " c1 11;"
	 "< 60 45 0003 " LINKS " b1 19 ff '=\"POST or PUT a reading to any p'"},
	{"7959 2.4", "what fits into one piece has M clear",
	 "> 40 01 0001 " CORE " c1 06; < 60 45 0001 " LINKS " b1 06 ff *"},
	{"7959 2.4", "a piece behind the end: 4.00", "> 40 01 0001 " CORE " c2 07f0; < 60 80 0001 *"},
	{"7959 4", "Size2 tells how large the whole is, where asked for",
	 "> 40 01 0001 " CORE " c1 00 50; < 60 45 0001 " LINKS " b1 08 51 ab ff '</>;rt=\"tidegate'; > 40 01 0002 " CORE
	 " d0 04; < 60 45 0002 " LINKS " d1 03 ab ff *"},
	{"7959 3.3", "Block1 and Block2 in one request",
	 "> 40 03 0001 b1'a' c1 06 41 08 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' c1 06 41 10 ff x1; in 1; "
	 "body 17;"
	 "ok; < 60 44 0002 d1 0e 10"},

	/* methods, options and codes of later RFCs */
	{"8132 2", "FETCH of what readings are sent to, and of the links: 4.05",
	 "> 40 05 0001 b1'a'; < 60 85 0001; > 40 05 0002 " CORE "; < 60 85 0002; in 0"},
	{"8132 3", "PATCH and iPATCH are handed in where the device may: 2.04",
	 "> 40 06 0001 b1'a' ff 'x'; in 1; method 6; ok; < 60 44 0001; > 40 07 0002 b1'a' ff 'x'; in 2; method 7; ok;"
	 "< 60 44 0002"},
	{"8132 3", "PATCH and iPATCH where it may not: 4.05",
	 "> 40 06 0001 b1'a' ff 'x'; no 2 0; < 60 85 0001 *; > 40 07 0002 b1'a' ff 'x'; no 2 0; < 60 85 0002 *;"
	 "> 40 06 0003 " CORE "; < 60 85 0003; in 2"},
	{"8768 3", "a hop limit of 0, or over 255: 4.00",
	 "> 40 02 0001 d1 03 00; < 60 80 0001 *; > 40 02 0002 d0 03; < 60 80 0002 *; > 40 02 0003 d2 03 0100; < 60 80 "
	 "0003 *;"
	 "in 0"},
	{"8768 3", "a hop limit of 1 is enough to get here",
	 "> 40 02 0001 d1 03 01; ok; < 60 44 0001; > 40 02 0002 d1 03 ff; ok; < 60 44 0002"},
	{"8768 3", "a second hop limit is ignored", "> 40 02 0001 d1 03 10 01 00; ok; < 60 44 0001"},
	{"7967 2", "No-Response: a class that is not wanted is not sent",
	 "> 50 02 0001 d1 f5 02; ok; .; > 50 02 0002 d1 f5 08; no 2 0; .; > 50 02 0003 d1 f5 10; no 7 5; .;"
	 "> 50 08 0004 d1 f5 08; .; in 3"},
	{"7967 2", "No-Response: other classes are sent, and all of them where it is 0 or empty",
	 "> 50 02 0001 d1 f5 02; no 2 0; < 50 83 *; > 50 02 0002 d1 f5 18; ok; < 50 44 ....; > 50 02 0003 d1 f5 00; ok;"
	 "< 50 44 ....; > 50 02 0004 d0 f5; no 7 5; < 50 a3 *"},
	{"7967 2", "No-Response: a confirmable request has its empty acknowledgement, and no more",
	 "> 42 02 0001 abcd d1 f5 1a; ok; < 60 00 0001; > 42 02 0001 abcd d1 f5 1a; < 60 00 0001; in 1; wait 100000; .;"
	 "> 40 08 0002 d1 f5 08; < 60 00 0002; > 40 02 0003 d1 f5 02; in 2; wait 1000; < 60 00 0003; ok; wait 100000; "
	 "."},
	{"7967 2", "No-Response: the pieces of a body are answered, its end is not",
	 "> 40 03 0001 b1'a' d1 03 08 d1 da 02 ff x16; < 60 5f 0001 d1 0e 08; > 40 03 0002 b1'a' d1 03 10 d1 da 02 ff "
	 "x1;"
	 "in 1; body 17; ok; < 60 00 0002"},
	{"8516 3", "4.29 tells in Max-Age when to come again",
	 "> 40 02 0001; no 6 77; < 60 9d 0001 d1 01 4d ff 'why'; > 40 02 0001; < 60 9d 0001 d1 01 4d; in 1"},
	{"7641 2", "Observe where it is not served is ignored",
	 "> 40 01 0001 60 5b '.well-known' 04 'core'; < 60 45 0001 " LINKS " *"},
	{"9175 2", "Echo that nobody asked for is ignored", "> 40 02 0001 d2 ef abcd; ok; < 60 44 0001"},
	{"8613 8", "OSCORE without support for it: 4.02", "> 40 02 0001 90 ff x20; < 60 82 0001 *; in 0"},
};

const size_t n_requirements = sizeof(requirements) / sizeof(requirements[0]);
