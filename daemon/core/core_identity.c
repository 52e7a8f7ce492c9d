/* SPDX-License-Identifier: Apache-2.0 */

/* Who a peer is: what endpoint processes ask at each handshake. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

static bool is_known(const struct endpoint *endpoint, const struct device *device, uint8_t proof)
{
	return device && !device->revoked && strcmp(device->endpoint, endpoint->name) == 0 &&
	       (proof == TG_PROOF_RESUMED || (device->proof == DEVICE_PSK) == (proof == TG_PROOF_PSK));
}

int core_identity_lookup(struct endpoint *endpoint, struct instance *instance, const struct frame_lookup *lookup)
{
	struct core *core = endpoint->core;
	const struct device *device = devices_find(core->devices, lookup->identity);
	CLEANUP_SECRET struct secret key = {.size = 0}, decoy = {.size = 0};
	struct frame frame = {.type = FRAME_IDENTITY, .identity = {.token = lookup->token}};
	bool known = is_known(endpoint, device, lookup->proof);
	unsigned left_out;
	int r;

	if (lookup->proof < TG_PROOF_PSK || lookup->proof > TG_PROOF_RESUMED)
		return -EBADMSG;
	if (lookup->proof == TG_PROOF_PSK) {
		r = devices_key(core->devices, lookup->identity, &key, &frame.identity.generation);
		if (known && r < 0 && log_limit_pass(&core->registry_log, loop_now_us(core->loop), &left_out))
			log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = endpoint->name},
					 "device \"%s\" was turned away: %s", device->name,
					 r == -ENOKEY ? "the registry is locked" : strerror(-r));
		known = known && r >= 0;
		r = trust_decoy_key(core->trust, lookup->identity, &decoy);
		if (r < 0)
			return r;
		frame.identity.key = secret_bytes(known ? &key : &decoy);
	}
	frame.identity.known = known;
	if (lookup->proof != TG_PROOF_PSK || !known)
		frame.identity.generation = known ? device->generation : 0;
	if (known)
		frame.identity.device = bytes_text(device->name);
	return instance_send(instance, &frame);
}
