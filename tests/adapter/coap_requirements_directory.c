/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"

#define CORE    "bb '.well-known' 04 'core'"
#define LOOK_UP "b9 'rd-lookup' 03 'res'"
#define LINKS   "44 .... .... 81 28"
/* Registers </x>;ct=0 for 60 s under coap://h: the first one, /rd/1. */
#define REGISTER "> 40 02 0001 b2'rd' 11 28 35'lt=60' 0d 00'base=coap://h' ff '</x>;ct=0'; < 60 41 0001 82'rd' 01'1';"

const struct requirement directory_requirements[] = {
	{"9176 4.3", "the directory is found by its resource type",
	 "> 40 01 0001 " CORE " 4a'rt=core.rd'; < 60 45 0001 " LINKS " ff '</rd>;rt=\"core.rd\";ct=40'"},
	{"9176 5", "a registration: 2.01 with the path of its resource",
	 "> 41 02 0001 aa b2'rd' 11 28 ff '</x>'; < 61 41 0001 aa 82'rd' 01'1'"},
	{"9176 5", "who registers again has the same path, and new links",
	 REGISTER "> 40 02 0002 b2'rd' 11 28 3d 00'base=coap://i' ff '</y>'; < 60 41 0002 82'rd' 01'1';"
		  "> 40 01 0003 " LOOK_UP "; < 60 45 0003 " LINKS " ff '<coap://i/y>'"},
	{"9176 5", "another sector is another registration",
	 REGISTER "> 40 02 0002 b2'rd' 11 28 33'd=a' ff '</y>'; < 60 41 0002 82'rd' 01'2'"},
	{"9176 5", "a lifetime out of its range: 4.00",
	 "> 40 02 0001 b2'rd' 11 28 34'lt=0'; < 60 80 0001 *; > 40 02 0002 b2'rd' 11 28 3d 00'lt=4294967296'; < 60 80 "
	 "0002 *"},
	{"9176 5, 7.1", "the endpoint's name is the one that the device has proved; another one: 4.03",
	 "> 40 02 0001 b2'rd' 11 28 3b'ep=device-2' ff '</x>'; < 60 83 0001 *; > 40 02 0002 b2'rd' 11 28 "
	 "3b'ep=device-1' ff '</x>';"
	 "< 60 41 0002 82'rd' 01'1'"},
	{"9176 5.1", "simple registration is not offered: 4.05", "> 40 02 0001 bb'.well-known' 02'rd'; < 60 85 0001"},
	{"9176 5.3.1", "an update: 2.04, and the lifetime begins again",
	 REGISTER "wait 59000; > 40 02 0002 b2'rd' 01'1'; < 60 44 0002; wait 59000; > 40 01 0003 " LOOK_UP
		  "; < 60 45 0003 " LINKS " ff '<coap://h/x>;ct=0'"},
	{"9176 5.3.1", "an update may change the base",
	 REGISTER "> 40 02 0002 b2'rd' 01'1' 4d 00'base=coap://i'; < 60 44 0002; > 40 01 0003 " LOOK_UP
		  "; < 60 45 0003 " LINKS " ff '<coap://i/x>;ct=0'"},
	{"9176 5.3.1", "what has expired is not listed, and an update says so: 4.04",
	 REGISTER "wait 60000; > 40 01 0002 " LOOK_UP "; < 60 45 0002 " LINKS
		  "; > 40 02 0003 b2'rd' 01'1'; < 60 84 0003 *"},
	{"9176 5.3.2", "a removal: 2.02, and then 4.04",
	 REGISTER "> 40 04 0002 b2'rd' 01'1'; < 60 42 0002; > 40 04 0003 b2'rd' 01'1'; < 60 84 0003 *"},
	{"9176 5.3.3", "a registration is not read, nor patched: 4.05",
	 REGISTER "> 40 01 0002 b2'rd' 01'1'; < 60 85 0002; > 40 07 0003 b2'rd' 01'1'; < 60 85 0003"},
	{"9176 7.4", "another device's registration is out of reach: 4.03",
	 REGISTER
	 "peer 2; > 40 02 0002 b2'rd' 01'1'; < 60 83 0002 *; > 40 04 0003 b2'rd' 01'1'; < 60 83 0003 *; peer 1"},
	{"9176 6.2", "page and count cut the list",
	 "> 40 02 0001 b2'rd' 11 28 3d 00'base=coap://h' ff '</a>,</b>,</c>'; < 60 41 0001 82'rd' 01'1';"
	 "> 40 01 0002 " LOOK_UP " 46'page=1' 07'count=2'; < 60 45 0002 " LINKS " ff '<coap://h/c>';"
	 "> 40 01 0003 " LOOK_UP " 46'page=1'; < 60 80 0003 *"},
	{"9176 6.2", "all criteria have to match; where nothing does the list is empty",
	 REGISTER "> 40 01 0002 " LOOK_UP " 45'ct=0*' 0b'ep=device-1'; < 60 45 0002 " LINKS " ff '<coap://h/x>;ct=0';"
		  "> 40 01 0003 " LOOK_UP " 45'ct=0*' 0b'ep=device-2'; < 60 45 0003 " LINKS},
	{"9176 6.4", "endpoints are listed with name and base",
	 REGISTER "> 40 01 0002 b9'rd-lookup' 02'ep'; < 60 45 0002 " LINKS
		  " ff '</rd/1>;ep=device-1;base=\"coap://h\";rt=core.rd-ep'"},
	{"9176 appendix C", "references are URIs, or begin with one '/'; others: 4.00 with the reason",
	 "> 40 02 0001 b2'rd' 11 28 ff '<x>'; < 60 80 0001 *; > 40 02 0002 b2'rd' 11 28 ff '<//h/x>'; < 60 80 0002 *"},
	{"6690 2", "what is no link format: 4.00; another format: 4.15",
	 "> 40 02 0001 b2'rd' 11 28 ff '</x'; < 60 80 0001 *; > 40 02 0002 b2'rd' 11 32 ff '[]'; < 60 8f 0002 *"},
};
const size_t n_directory_requirements = sizeof(directory_requirements) / sizeof(directory_requirements[0]);

/* Datagrams that went to the group of all CoAP nodes. */
const struct requirement group_requirements[] = {
	{"7252 8.2", "who asks all nodes is told, with links to where DTLS is spoken",
	 "group 52 01 0001 abcd " CORE
	 " 45'ct=40'; heard 52 45 7777 abcd c1 28 ff '<coaps://192.0.2.1/.well-known/core>;ct=40'"},
	{"7252 8.1", "a confirmable request to all nodes is not answered", "group 40 01 0001 " CORE "; heard"},
	{"7252 8.2", "no errors: what is not there, another method, another format, an option not understood",
	 "group 50 01 0001 b1'a'; heard; group 50 02 0002 " CORE "; heard; group 50 01 0003 " CORE " 61 32; heard;"
	 "group 50 01 0004 " CORE " e0 06e7; heard"},
	{"7252 8.2", "no list where nothing matches", "group 50 01 0001 " CORE " 44'rt=x'; heard"},
	{"7967 2", "No-Response counts there, too", "group 50 01 0001 " CORE " d1 ea 02; heard"},
	{"8768 3", "a hop limit of 0 is not answered there",
	 "group 50 01 0001 " CORE " 51 00; heard; group 50 01 0002 " CORE " 51 01 35'ct=40'; heard"},
};
const size_t n_group_requirements = sizeof(group_requirements) / sizeof(group_requirements[0]);

/* Without DTLS. */
const struct requirement plain_requirements[] = {
	{"7252 11.3", "an answer to who may have forged his address has 64 bytes at most, in pieces",
	 "> 40 01 0001 " CORE "; < 60 45 0001 " LINKS
	 " b1 0a ff '</>;rt=\"tidegate.readings\";title=\"POST or PUT a reading to any p';"
	 "> 40 01 0002 " CORE " c1 06; < 60 45 0002 " LINKS " b1 0a *; > 40 01 0003 " CORE " c1 12; < 60 45 0003 " LINKS
	 " b1 1a *"},
	{"7641 7", "and cannot have others be sent notifications",
	 "> 41 01 0001 aa 60 58'readings' 08'device-2' 01't'; asked 1 meter-1 device-2/t; told 1 1 0 60 'a';"
	 "< 61 45 0001 aa 41 01 80 21 3c 91 02 ff 'a'; left 0"},
	{"7252 4.5", "a request that comes again is recognised there, too",
	 "> 40 02 0001 b1'a'; ok; < 60 44 0001; > 40 02 0001 b1'a'; < 60 44 0001; in 1"},
	{"7252 5.9.2.2", "where the named device is not enrolled: 4.01", "> 40 02 0001; no 9 0; < 60 81 0001 *"},
};
const size_t n_plain_requirements = sizeof(plain_requirements) / sizeof(plain_requirements[0]);
