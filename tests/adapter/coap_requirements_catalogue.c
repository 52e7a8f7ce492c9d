/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"

#define FOLDER "b8'readings'"
#define NEXT   "78'readings'" /* behind an ETag */
#define CORE   "bb'.well-known' 04'core'"
#define ANY    "48 ........ ........"
/* ETag, format 40 and Max-Age 0, the payload behind them. */
#define LINKS ANY " 81 28 20"
#define TEMP  "</readings/device-2/t>;rt=\"tidegate.last\";ct=110;title=\"device-2/t\";obs"
#define DOOR  "</readings/device-3/a%2Fb/door>;rt=\"tidegate.last\";title=\"device-3/a%2Fb/door\";obs"
/* Both, listed in the other order. */
#define LIST "entry 1 -1 device-3 a%2Fb/door; entry 1 110 device-2 t; page 1 5 1 0;"

const struct requirement catalogue_requirements[] = {
	{"6690 2, 9176 6", "GET of the path below which readings are: all that the device may read, as links",
	 "> 42 01 0001 abcd " FOLDER "; listed 1 device-1 0;" LIST "< 62 45 0001 abcd " LINKS " ff '" TEMP "," DOOR
	 "'"},
	{"6690 2", "links lead to where the readings are",
	 "> 40 01 0001 b8'readings' 08'device-3' 03'a/b' 04'door'; asked 1 device-1 device-3/a%2Fb/door; over 1 1;"
	 "< 60 84 0001"},
	{"6690 2", "a device that may read nothing gets no links",
	 "> 40 01 0001 " FOLDER "; page 1 5 1 0; < 60 45 0001 48 cbf29ce4 84222325 81 28 20"},
	{"6690 4", "the catalogue is found by its resource type",
	 "> 40 01 0001 " CORE " 4d 08'rt=tidegate.catalogue'; < 60 45 0001 44 ........ 81 28 ff"
	 "'</readings>;rt=\"tidegate.catalogue\";ct=40;title=\"links to the last readings\"'"},
	{"9176 6.1", "page by page the core is asked, and what it renews meanwhile is there once",
	 "> 40 01 0001 " FOLDER
	 "; entry 1 0 device-2 t; page 1 5 1 1; listed 2 device-1 5; entry 2 -1 device-3 a%2Fb/door;"
	 "entry 2 110 device-2 t; page 2 7 1 0; < 60 45 0001 " LINKS " ff '" TEMP "," DOOR "'; listed 2"},
	{"7252 5.2.2", "what takes longer follows an empty acknowledgement",
	 "> 41 01 0001 aa " FOLDER "; listed 1; wait 1000; < 60 00 0001; " LIST "< 41 45 ID aa " LINKS
	 " ff *; > 60 00 id"},
	{"7252 5.10.4", "Accept of another format: 4.06",
	 "> 40 01 0001 " FOLDER " 60; < 60 86 0001; > 40 01 0002 " FOLDER " 61 32; < 60 86 0002; listed 0;"
	 "> 40 01 0003 " FOLDER " 61 28; " LIST "< 60 45 0003 " LINKS " ff *"},
	{"7252 5.10.6.2", "the ETag of what is still so: 2.03; the same readings have the same one",
	 "> 40 01 0001 " FOLDER "; page 1 5 1 0; < 60 45 0001 48 cbf29ce4 84222325 *;"
	 "> 40 01 0002 48 cbf29ce4 84222325 " NEXT "; page 2 9 3 0; < 60 43 0002 48 cbf29ce4 84222325 a0;"
	 "> 40 01 0003 48 cbf29ce4 84222325 " NEXT "; entry 3 110 device-2 t; page 3 9 3 0;"
	 "< 60 45 0003 " LINKS " ff '" TEMP "'"},
	{"7252 5.10.8", "If-Match of another ETag, and If-None-Match: 4.12",
	 "> 40 01 0001 11 07 a8'readings'; page 1 5 1 0; < 60 8c 0001;"
	 "> 40 01 0002 50 68'readings'; page 2 5 1 0; < 60 8c 0002"},
	{"6690 4.1", "?rt=, ?ct=, ?title= and ?href= choose, a star at the end stands for any rest",
	 "> 40 01 0001 " FOLDER " 46'ct=110'; " LIST "< 60 45 0001 " LINKS " ff '" TEMP "';"
	 "> 40 01 0002 " FOLDER " 4d 03'title=device-3/*'; entry 2 -1 device-3 a%2Fb/door; entry 2 110 device-2 t;"
	 "page 2 5 1 0; < 60 45 0002 " LINKS " ff '" DOOR "';"
	 "> 40 01 0003 " FOLDER
	 " 4d 0c'href=/readings/device-2/t'; entry 3 -1 device-3 a%2Fb/door; entry 3 110 device-2 t;"
	 "page 3 5 1 0; < 60 45 0003 " LINKS " ff '" TEMP "';"
	 "> 40 01 0004 " FOLDER
	 " 49'rt=tide.*'; entry 4 110 device-2 t; page 4 5 1 0; < 60 45 0004 48 cbf29ce4 84222325 81"
	 "28 20"},
	{"9176 6.2", "several criteria are all to be met; ep is the device",
	 "> 40 01 0001 " FOLDER " 4b'ep=device-2' 03'obs'; " LIST "< 60 45 0001 " LINKS " ff '" TEMP "';"
	 "> 40 01 0002 " FOLDER " 4b'ep=device-2' 05'ct=50'; entry 2 110 device-2 t; page 2 5 1 0;"
	 "< 60 45 0002 48 cbf29ce4 84222325 81 28 20"},
	{"9176 6.2", "count and page choose some of them, in the order of their addresses",
	 "> 40 01 0001 " FOLDER " 47'count=1'; " LIST "< 60 45 0001 " LINKS " ff '" TEMP "';"
	 "> 40 01 0002 " FOLDER " 47'count=1' 06'page=1'; entry 2 -1 device-3 a%2Fb/door; entry 2 110 device-2 t;"
	 "page 2 5 1 0; < 60 45 0002 " LINKS " ff '" DOOR "'"},
	{"9176 6.2", "page without count, and what is no number: 4.00",
	 "> 40 01 0001 " FOLDER " 46'page=1'; < 60 80 0001 *; > 40 01 0002 " FOLDER
	 " 47'count=x'; < 60 80 0002 *; listed 0"},
	{"7959 2.4", "a large one comes in pieces, all of one catalogue, whatever comes meanwhile",
	 "> 40 01 0001 " FOLDER " c1 02; entry 1 110 device-2 t; page 1 5 1 0;"
	 "< 60 45 0001 " LINKS " 91 0a 51 47 ff '</readings/device-2/t>;rt=\"tidegate.last\";ct=110;title=\"device-2';"
	 "> 40 01 0002 " FOLDER " c1 12; < 60 45 0002 " LINKS " 91 12 51 47 ff '/t\";obs'; listed 1;"
	 "> 40 01 0003 " FOLDER " c1 22; < 60 80 0003; listed 1"},
	{"7959 2.4", "those of another query are another catalogue",
	 "> 40 01 0001 " FOLDER " c1 02; entry 1 110 device-2 t; page 1 5 1 0; < 60 45 0001 *;"
	 "> 40 01 0002 " FOLDER " 43'obs' 81 12; listed 2; entry 2 110 device-2 t; page 2 5 1 0; < 60 45 0002 *"},
	{"7252 4.5", "a GET that comes again behind its answer gets the same piece",
	 "> 40 01 0001 " FOLDER " c1 02; entry 1 110 device-2 t; page 1 5 1 0; < 60 45 0001 *; > 40 01 0001 " FOLDER
	 " c1 02; < 60 45 0001 *; listed 1"},
	{"7252 4.5", "one whose answer was not kept is looked at again",
	 "> 40 01 0001 " FOLDER "; page 1 5 1 0; < 60 45 0001 *; > 40 01 0001 " FOLDER "; listed 2; page 2 5 1 0;"
	 "< 60 45 0001 *"},
	{"7252 5.9.3.4", "where the core cannot say: 5.03 with Max-Age; a device that is not let in: 4.03",
	 "> 40 01 0001 " FOLDER "; entry 1 110 device-2 t; refused 1 8; < 60 a3 0001 d1 01 05; > 40 01 0002 " FOLDER
	 "; refused 2 2; < 60 83 0002"},
	{"7641 3.1", "the catalogue cannot be observed: the response has no Observe",
	 "> 41 01 0001 aa 60 5"
	 "8'readings'; page 1 5 1 0; < 61 45 0001 aa 48 cbf29ce4 84222325 81 28 20"},
	{"7252 5.8", "POST hands in a reading there as elsewhere, DELETE and FETCH: 4.05",
	 "> 40 02 0001 " FOLDER " ff '1'; in 1; path readings; ok; < 60 44 0001; > 40 04 0002 " FOLDER "; < 60 85 0002;"
	 "> 40 05 0003 " FOLDER "; < 60 85 0003; listed 0"},
	{"7252 5.4.1", "a critical option that is not understood: 4.02",
	 "> 40 01 0001 90 28'readings'; < 60 82 0001 *; listed 0"},
};

const size_t n_catalogue_requirements = sizeof(catalogue_requirements) / sizeof(catalogue_requirements[0]);
