/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

/* The stable ids of lines that programs wait for: MESSAGE_ID in the journal. Once released they never change; tidegated(8) lists
 * them. */

#define EVENT_CLOCK_DOUBTED "2b6f1f0e3c8d4f0b9a57c1e2d4a6b801"
#define EVENT_CLOCK_MOVED   "2b6f1f0e3c8d4f0b9a57c1e2d4a6b802"
#define EVENT_CLOCK_RIGHT   "2b6f1f0e3c8d4f0b9a57c1e2d4a6b803"

#define EVENT_CERTIFICATE_FINE     "2b6f1f0e3c8d4f0b9a57c1e2d4a6b811"
#define EVENT_CERTIFICATE_RENEW    "2b6f1f0e3c8d4f0b9a57c1e2d4a6b812"
#define EVENT_CERTIFICATE_URGENT   "2b6f1f0e3c8d4f0b9a57c1e2d4a6b813"
#define EVENT_CERTIFICATE_EARLY    "2b6f1f0e3c8d4f0b9a57c1e2d4a6b814"
#define EVENT_CERTIFICATE_EXPIRED  "2b6f1f0e3c8d4f0b9a57c1e2d4a6b815"
#define EVENT_CERTIFICATE_UNUSABLE "2b6f1f0e3c8d4f0b9a57c1e2d4a6b816"

#define EVENT_CONFIG_TRIAL "2b6f1f0e3c8d4f0b9a57c1e2d4a6b821"
#define EVENT_CONFIG_BACK  "2b6f1f0e3c8d4f0b9a57c1e2d4a6b822"

#define EVENT_SOCKET_UNUSED "2b6f1f0e3c8d4f0b9a57c1e2d4a6b841"
#define EVENT_STUCK         "2b6f1f0e3c8d4f0b9a57c1e2d4a6b842"
#define EVENT_STUCK_OVER    "2b6f1f0e3c8d4f0b9a57c1e2d4a6b843"

/* Of tidegate-upgrade. */
#define EVENT_UPGRADE_TRIAL    "2b6f1f0e3c8d4f0b9a57c1e2d4a6b831"
#define EVENT_UPGRADE_PROVED   "2b6f1f0e3c8d4f0b9a57c1e2d4a6b832"
#define EVENT_UPGRADE_RETURNED "2b6f1f0e3c8d4f0b9a57c1e2d4a6b833"
#define EVENT_UPGRADE_LOST     "2b6f1f0e3c8d4f0b9a57c1e2d4a6b834"

#endif
