/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_PACKET_H
#define MQTT_PACKET_H

/*
 * What a delivery looks like as a PUBLISH packet (MQTT 5 section 3.3). Its properties: user properties `id` (the
 * message's UUID), `device` and `time` (when the gateway took it in, RFC 3339); Content Type and Payload Format Indicator from
 * the CoAP content format; Message Expiry Interval. A response to a command has the user properties `outcome`, `code`, `path` and
 * `command` besides, and the command's Correlation Data. A gateway that receives too adds `via`. In 3.1.1 there are none.
 * For publish.c.
 */

#include <stdint.h>
#include <tidegate/message.h>

struct gather;

/* Adds them. `via`: NULL: none. Errors: -EBADMSG: the device's name cannot stand in MQTT; -ENOMEM. */
int packet_properties(const struct tg_delivery *delivery, uint32_t expiry_s, const char *via,
		      struct gather *properties);

/* Those of a status message: JSON. Errors: -ENOMEM. */
int packet_status_properties(const char *via, struct gather *properties);

#endif
