/* SPDX-License-Identifier: Apache-2.0 */

/* The rows of a profile. */

#include "core/schema_rows.h"
#include "wire/frame.h"

const struct tg_setting schema_profile_rows[] = {
	{TEXT("name", .flags = TG_REQUIRED | TG_LIVE, .lowest = 1, .highest = FRAME_NAME_MAX,
	      .help = "what the registry, the log and status call it: letters, digits, '-', '_' and '.'; \"default\" "
		      "is for the devices that have no other")},
	{LIST("devices", .highest = 256,
	      .help = "names of the devices that have it where the registry names none for them, '*' stands for any "
		      "characters; the first profile that matches counts")},
	{LIST("paths", .highest = 64,
	      .help = "patterns of the paths that may be used, as in routes, without {format}; empty means all")},
	{LIST("methods", .highest = 4,
	      .help = "methods that may be used, of POST, PUT, PATCH and iPATCH; empty means POST and PUT")},
	{LIST("formats", .highest = 32, .help = "content formats that are taken, as in routes; empty means all")},
	{INT("payload_max_bytes", .flags = TG_LIVE, .unit = "bytes", .fallback = "0", .lowest = 0,
	     .highest = TG_PAYLOAD_MAX, .help = "largest payload of one message; 0 means as the gateway's limit")},
	{INT("rate", .flags = TG_LIVE, .unit = "", .fallback = "0", .lowest = 0, .highest = 100000,
	     .help = "messages a second that one device may send on average; 0 means as the gateway's limit")},
	{INT("burst", .flags = TG_LIVE, .unit = "", .fallback = "0", .lowest = 0, .highest = 1000000,
	     .help = "messages that one device may send at once before the rate counts; 0 means as the gateway's "
		     "limit")},
	{INT("outbox_share", .flags = TG_LIVE, .unit = "percent", .fallback = "100", .lowest = 1, .highest = 100,
	     .help = "how much of an outbox, of its memory_bytes and of disk_bytes each, the held messages of one "
		     "device may take; one message is always taken")},
	{BOOL("commands", .flags = TG_LIVE, .fallback = "true", .help = "whether its devices may be sent commands")},
	{LIST("command_paths", .highest = 64,
	      .help = "patterns of the paths on the device that commands may ask for, without their query, as in "
		      "paths; "
		      "empty means all")},
	{LIST("command_methods", .highest = 7,
	      .help = "methods that commands may have, of GET, POST, PUT, DELETE, FETCH, PATCH and iPATCH; empty means "
		      "the first four")},
	{LIST("reads", .highest = 64,
	      .help = "what its devices may read of others: DEVICE/PATH, the name with '*' as in devices, then a "
		      "pattern "
		      "as in paths without given names; empty means nothing")},
	{.name = NULL},
};
