/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/joint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/random.h"
#include "endpoint/host.h"
#include "wire/link.h"

/* Submissions leave room for everything else; all that can wait for a verdict fits below their limit. */
enum { SUBMIT_LIMIT_BYTES = HOST_PENDING_BYTES + 1024 * 1024, LIMIT_BYTES = SUBMIT_LIMIT_BYTES + 4 * 1024 * 1024 };

struct joint {
	struct loop *loop;
	struct sockaddr_un address;
	struct joint_calls calls;
	int64_t patience_us;
	int64_t away_since_us; /* INT64_MAX: it is not */
	struct backoff backoff;
	struct loop_timer *timer;
	struct link *link;
	int broken; /* why the link is to end */
};

/* Whoever stops the gateway takes its run folder away, or its core did so with the socket. */
static void retry_later(struct joint *joint, bool gone)
{
	int64_t now_us = loop_now_us(joint->loop);

	if (gone || now_us - joint->away_since_us >= joint->patience_us)
		joint->calls.given_up(joint->calls.arg, gone);
	else
		loop_timer_set(joint->timer, now_us + backoff_next(&joint->backoff, random_u32()));
}

static void lose(struct joint *joint, int reason)
{
	link_free(joint->link);
	joint->link = NULL;
	joint->broken = 0;
	if (joint->away_since_us == INT64_MAX)
		joint->away_since_us = loop_now_us(joint->loop);
	joint->calls.down(joint->calls.arg, reason);
	retry_later(joint, false);
}

static void on_closed(void *arg, int reason)
{
	lose(arg, reason);
}

static int on_frame(void *arg, const struct frame *frame, int fd)
{
	struct joint *joint = arg;

	return joint->calls.frame(joint->calls.arg, frame, fd);
}

static int connect_core(struct joint *joint)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&joint->address, sizeof(joint->address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return link_new(joint->loop, fd, LIMIT_BYTES, on_frame, on_closed, joint, &joint->link);
}

static void on_timer(void *arg)
{
	struct joint *joint = arg;
	int r;

	if (joint->broken) {
		lose(joint, joint->broken);
		return;
	}
	r = connect_core(joint);
	if (r < 0)
		retry_later(joint, r == -ENOENT);
	else
		joint->calls.up(joint->calls.arg);
}

int joint_new(struct loop *loop, const char *path, int64_t patience_us, const struct joint_calls *calls,
	      struct joint **ret_joint)
{
	struct joint *joint;
	int r;

	if (strlen(path) >= sizeof(joint->address.sun_path))
		return -ENAMETOOLONG;
	joint = calloc(1, sizeof(*joint));
	if (!joint)
		return -ENOMEM;
	joint->loop = loop;
	joint->address.sun_family = AF_UNIX;
	snprintf(joint->address.sun_path, sizeof(joint->address.sun_path), "%s", path);
	joint->calls = *calls;
	joint->patience_us = patience_us;
	joint->away_since_us = loop_now_us(loop);
	joint->backoff = (struct backoff){.min_us = 20 * CLOCK_MS_US, .max_us = 500 * CLOCK_MS_US};
	r = loop_timer_new(loop, on_timer, joint, &joint->timer);
	if (r < 0) {
		joint_free(joint);
		return r;
	}
	loop_timer_set(joint->timer, joint->away_since_us);
	*ret_joint = joint;
	return 0;
}

void joint_free(struct joint *joint)
{
	if (!joint)
		return;
	loop_timer_free(joint->timer);
	link_free(joint->link);
	free(joint);
}

void joint_settled(struct joint *joint)
{
	backoff_reset(&joint->backoff);
	joint->away_since_us = INT64_MAX;
}

bool joint_is_up(const struct joint *joint)
{
	return joint->link && !joint->broken;
}

int joint_send(struct joint *joint, const struct frame *frame)
{
	int r;

	if (!joint_is_up(joint))
		return -ENOTCONN;
	if (frame->type == FRAME_SUBMIT && link_pending(joint->link) > SUBMIT_LIMIT_BYTES)
		return -ENOBUFS;
	r = link_send(joint->link, frame);
	if (r == -ENOBUFS && frame->type != FRAME_SUBMIT && frame->type != FRAME_LOG && frame->type != FRAME_COUNTER) {
		joint->broken = r;
		loop_timer_set(joint->timer, 1);
	}
	return r;
}

void joint_flush(struct joint *joint, int timeout_ms)
{
	if (joint_is_up(joint))
		link_flush(joint->link, timeout_ms);
}
