/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

/*
 * The control socket: tidegatectl's way in. One JSON object a line each way.
 *
 * A request is {"command": NAME, …}; the answer {"ok": true, "result": …} or {"ok": false, "code": WORD, "error": TEXT}. A
 * connection may send the next request once it has its answer. `tail` turns the connection into a stream of {"event": …} lines.
 * Who may connect is the file's mode (0660); endpoint processes are turned away.
 */

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <tidegate/message.h>

#include "base/loop.h"

struct control;
struct control_call; /* one request that waits for its answer */

/* Answers `call` with control_reply or control_fail, now or later, exactly once. `request` is borrowed. */
typedef void control_fn(void *arg, struct control_call *call, const json_t *request);

struct control_command {
	const char *name;
	control_fn *fn;
};

/* `commands` ends with name NULL. `turn_away` says whether this process may not use the socket. */
int control_new(struct loop *loop, const char *path, const struct control_command *commands,
		bool (*turn_away)(void *arg, pid_t pid), void *arg, struct control **ret_control) WARN_UNUSED;
void control_free(struct control *control);

/* Ownership: takes `result` (NULL where memory ran out). The call is gone afterwards. */
void control_reply(struct control_call *call, json_t *result);
/* `code` is a word for programs: "invalid", "unknown", "exists", "failed". */
void control_fail(struct control_call *call, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As a JSON text. A character that was cut at the end is left out; what is not UTF-8 otherwise is said to be so. */
json_t *control_text(struct tg_bytes bytes);

/* Replies, and from now on the connection hears every control_publish, and can ask for nothing more. */
void control_stream(struct control_call *call, const char *device);
/* Whether anybody listens: else the event need not be made. */
bool control_has_streams(const struct control *control);
/* Ownership: takes `event`. `device` may be NULL; streams of another device do not get it. A reader that is too slow misses
 * events, and is told how many. */
void control_publish(struct control *control, const char *device, json_t *event);

#endif
