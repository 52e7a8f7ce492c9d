/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_INSIDE_H
#define CORE_CORE_INSIDE_H

/* What the files that make up the core itself (core.c and core_*.c) share; no stage includes this. */

#include <jansson.h>
#include <stdbool.h>

#include "core/activation.h"
#include "core/config.h"
#include "core/control.h"
#include "core/core.h"
#include "core/devices.h"
#include "core/files.h"
#include "core/intake.h"
#include "core/ledger.h"
#include "core/mailbox.h"
#include "core/outbox.h"
#include "core/renewal.h"
#include "core/router.h"
#include "core/sessions.h"
#include "core/store.h"
#include "core/supervisor.h"
#include "core/tickets.h"
#include "core/transform.h"
#include "core/trust.h"

enum core_state { CORE_STARTING, CORE_RUNNING, CORE_DRAINING, CORE_STOPPING };

/* What an endpoint process tells of itself; goes with the process. */
struct process {
	enum tg_link link;
	char detail[FRAME_TEXT_MAX + 1];
	int64_t *counters; /* as many as the adapter had names for when it joined */
	size_t n_counters;
	struct log_limit log;
	unsigned reloads; /* it was given settings anew, and has not answered yet */
};

/* A configured endpoint, for as long as the configuration names it. */
struct endpoint {
	struct endpoint *next;
	struct core *core;
	char *name;
	struct config *owner;                 /* of `config` */
	const struct config_endpoint *config; /* of the running configuration, or of the last one that named it */
	bool removed;                         /* not configured any more; stays for what its outbox holds */
	struct outbox *outbox;                /* NULL: not a sink, or one with mailboxes */
	struct mailbox *mailbox;              /* NULL: it is not sent commands */
	struct ledger_account *account;       /* of a sink */
	struct tickets tickets;               /* the keys of its session tickets */
	bool tickets_loaded;                  /* those of before the start */
	bool tickets_kept;                    /* on disk they are the same */
	struct renewal *renewal;              /* of its certificate; NULL: there is none */
	struct instance *sink;                /* the process that deliveries go to; NULL: none has its link up */
};

struct core_clock;
struct trace;
struct core_certs;
struct core_readings;
struct notes;

struct core {
	struct loop *loop;
	const struct core_places *places;
	struct config *config;
	uint64_t profile_epoch; /* one more with each configuration */
	bool trial_taken_back;  /* this configuration came back after one on trial */
	struct descriptor_set *adapters;
	struct activation *activation;
	enum core_state state;
	int64_t started_us;
	int state_lock_fd;
	int run_lock_fd;
	struct core_clock *clock;
	struct trace *trace;
	struct core_certs *certs;
	int64_t watchdog_us; /* 0: none */
	int64_t watchdog_at_us;
	bool stuck;           /* it is not told that we live */
	char status[256];     /* told last */
	int64_t status_at_us; /* not told again before */
	struct trust *trust;
	struct devices *devices;
	struct sessions *sessions;
	struct core_readings *readings;
	struct notes *notes;
	struct files *files;
	struct store *store;
	struct ledger *ledger;
	struct router *router;
	struct intake *intake;
	struct supervisor *supervisor;
	struct control *control;
	struct endpoint *endpoints;
	struct loop_timer *tick;
	int64_t renewal_us; /* when the renewals are looked after next */
	unsigned flushes;   /* outboxes that still write at a stop */
	bool stopped;       /* all endpoint processes have, but those that are left */
	bool leaving;       /* for a restart */
	bool ending;        /* the processes were told */
	int64_t stop_wait_until_us;
	struct loop_timer *stop_tick;
	struct loop_timer *deadline;
	struct control_call *drain; /* waits for the outboxes to run empty */
	int64_t drain_until_us;
	uint64_t refused[TG_UNKNOWN_DEVICE + 1]; /* by verdict, since the start, whether an outbox was asked or not */
	char transform_problem[TRANSFORM_PROBLEM_SIZE];
	char source_device[TG_DEVICE_MAX]; /* of the message that is being admitted */
	struct log_limit refused_log;
	struct log_limit dropped_log;
	struct log_limit registry_log;
	struct log_limit notes_log;
	int64_t tickets_at_us;       /* their keys are looked at again */
	int64_t trial_until_us;      /* the configuration is on trial until then; 0: it is not */
	char registry_problem[1200]; /* why the registry is locked, or will be at the next start; "": it is not */
};

/* core_stop.c: every endpoint process has stopped. */
void core_on_stopped(void *arg);

/* core_sockets.c: the sockets that the service manager holds. Sends this process its own. */
int core_sockets_send(struct endpoint *endpoint, struct instance *instance) WARN_UNUSED;
/* Closes those that no endpoint listens at. */
void core_sockets_sort_out(struct core *core);

/* core_notify.c: what the service manager is told. */
void core_notify_ready(struct core *core);
void core_notify_tick(struct core *core);

/* core_endpoint.c: what the endpoints' processes say. */
extern const struct supervisor_events core_supervisor_events;
struct endpoint *core_endpoint(struct core *core, const char *name); /* or NULL */
/* Sends the settings of the running configuration to this process, open files beside them. */
int core_endpoint_configure(struct endpoint *endpoint, struct instance *instance) WARN_UNUSED;
/* What the core keeps of the processes goes before the processes do. */
void core_processes_forget(struct core *core);

/* core_identity.c: answers a look-up. Known or not, the same work is done. Errors: -EBADMSG; those of instance_send. */
int core_identity_lookup(struct endpoint *endpoint, struct instance *instance,
			 const struct frame_lookup *lookup) WARN_UNUSED;

/* core_endpoints.c: the table of endpoints. Makes and starts what the configuration names, ends what it no longer does; those that
 * stay get their new settings. One that fails does not keep the others. Errors: -errno of the first that failed, logged. */
int core_endpoints_apply(struct core *core) WARN_UNUSED;
void core_endpoints_free(struct core *core);

/* Gives the processes of this endpoint the settings of the running configuration, and the files as they are now. */
void core_endpoint_send_settings(struct endpoint *endpoint);

/* core_files.c: the files that settings name are watched, and taken over when they change. core_files_apply follows the running
 * configuration, and comes before the settings are sent, so that no change falls in between. */
int core_files_new(struct core *core) WARN_UNUSED;
void core_files_apply(struct core *core);
typedef void core_files_fn(struct core *core, const char *endpoint, const char *path);

/* core_transform.c: what the routes that take a message make of it, all before any of it goes on. Walks to the end. Returns false where
 * one cannot: *ret_verdict says why, its reason is good until the next call. Ownership: core_made_free, always. */
struct core_made;
bool core_transform(struct core *core, const struct intake_source *source, const struct message *message,
		    struct router_walk *walk, struct core_made **ret_made, struct intake_verdict *ret_verdict);
/* Puts what was made for the route into *messages and *count, and leaves them alone where nothing was. */
void core_made_for(const struct core_made *made, const struct config_route *route,
		   const struct message *const **messages, size_t *count);
void core_made_free(struct core_made *made);
CLEANUP_DEFINE(struct core_made *, core_made_free)

/* core_renewal.c: the certificates of the endpoints are renewed. Makes, changes or ends what the endpoint's settings ask for. */
void core_renewal_apply(struct endpoint *endpoint);
/* The file to use in place of the configured one. Errors: -ENOENT: none. */
int core_renewal_open(struct endpoint *endpoint, const char *setting) WARN_UNUSED;
void core_renewal_tick(struct core *core);
json_t *core_renewal_status(struct core *core, json_t *problems);
bool core_renewal_owns(struct core *core, pid_t pid);
void core_command_certs_renew(void *arg, struct control_call *call, const json_t *request);
void core_command_certs_renewals(void *arg, struct control_call *call, const json_t *request);

/* core_passage.c: the way of a message through the stages. */
extern const struct intake_ops core_intake_ops;

/* core_source.c: whom a message is from where the source authenticates no devices. Puts the name in, or fills *ret_verdict. */
bool core_source_admits(struct core *core, const struct endpoint *endpoint, const struct frame_submit *submit,
			struct tg_bytes *device, struct intake_verdict *ret_verdict);
/* Whether it is a reading of whoever it is from, and no command that goes to a device. */
bool core_source_is_reading(const struct core *core, const struct intake_source *source, const struct message *message);
/* Whether a route has named its device. */
bool core_source_is_named(const struct core *core, const struct intake_source *source, const struct message *message);

/* core_command.c: the way of a command. Makes the endpoint's mailbox, or gives it the settings of the running configuration. */
int core_mailbox_apply(struct endpoint *endpoint) WARN_UNUSED;
/* Makes a command of the message and puts it into the mailbox of its device; one that is refused for good ends with that outcome.
 * `receipt` is held for it. Returns false where it was not taken: *ret_verdict says why. */
bool core_command_push(struct core *core, const struct intake_source *source, const struct router_walk *walk,
		       const struct router_target *target, const struct message *from, struct receipt *receipt,
		       struct intake_verdict *ret_verdict);
/* What a device said. Errors: -EBADMSG. */
int core_command_answered(struct endpoint *endpoint, const struct instance *instance,
			  const struct frame_answered *answered) WARN_UNUSED;
/* It was revoked: what waits for it is refused. */
void core_command_device_gone(struct core *core, const struct device *device);
/* core_outcome.c. Puts the outcome into the outbox of the endpoint that it is for. Returns 1 where nobody wants it. Errors: as outbox_push. */
int core_outcome_publish(struct core *core, const struct mailbox_outcome *outcome, outbox_receipt_fn *receipt,
			 void *receipt_arg) WARN_UNUSED;
/* mailbox_ops.ended; `arg` is a struct endpoint. */
int core_outcome_ended(void *arg, const struct mailbox_outcome *outcome, uint64_t number);
/* core_commands.c: what waits. */
json_t *core_mailbox_describe(const struct endpoint *endpoint, json_t *problems);
void core_command_commands(void *arg, struct control_call *call, const json_t *request);

/* core_readings.c: the last reading of each device and path (readings.h), for other devices whose profile allows it. */
int core_readings_new(struct core *core) WARN_UNUSED;
void core_readings_free(struct core *core);
/* The configuration is another one, or a device's profile is: observations that are not allowed any more end. */
void core_readings_apply(struct core *core);
void core_readings_tick(struct core *core);
/* A message of the device was accepted. */
void core_readings_put(struct core *core, const struct message *message);
/* Errors: -EBADMSG; those of instance_send. */
int core_readings_ask(struct endpoint *endpoint, struct instance *instance, const struct frame_read *read) WARN_UNUSED;
int core_readings_list(struct endpoint *endpoint, struct instance *instance, const struct frame_list *list) WARN_UNUSED;
void core_readings_end(struct core *core, const struct instance *instance, uint64_t number);
void core_readings_process_gone(struct core *core, const struct instance *instance);
/* A revoked device neither reads nor is read. */
void core_readings_revoked(struct core *core, const char *device);
json_t *core_readings_status(const struct core *core);
void core_command_readings(void *arg, struct control_call *call, const json_t *request);

/* core_notes.c: what is kept for endpoints (notes.h). Logs what is wrong. */
int core_notes_new(struct core *core) WARN_UNUSED;
/* Errors: -EBADMSG. */
int core_notes_keep(struct endpoint *endpoint, struct instance *instance, const struct frame_keep *keep) WARN_UNUSED;
/* A process has just begun: all that is kept for its endpoint. */
void core_notes_tell(struct core *core, struct instance *instance);

/* core_profile.c: what the profiles of the devices let through. The device's, or NULL: what it has is not configured. */
const struct profile *core_profile_of(struct core *core, struct device *device);
/* Fills *ret_verdict where the message is refused. */
bool core_profile_admits(struct core *core, struct device *device, const struct frame_submit *submit,
			 struct intake_verdict *ret_verdict);
/* Why this device, which need not be enrolled, may not use the path whatever it sends; NULL: it may. *ret_profile: the name of its profile. */
const char *core_profile_refuses_path(struct core *core, const char *endpoint, const char *device, const char *path,
				      const char **ret_profile);
/* Adds the name of the device's profile and where it comes from. */
void core_profile_describe(struct core *core, struct device *device, json_t *object);
/* Warns of devices whose profile is not configured: nothing is taken of them. Looks at all devices. */
void core_profiles_check(struct core *core);
void core_command_profiles(void *arg, struct control_call *call, const json_t *request);

/* core_todo.c: what is still to be configured, in sentences. Ownership: the caller's. */
json_t *core_todo(struct core *core);

/* core_trial.c: the configuration may be on trial (base/trial.h). Says so, where the running one is new. */
void core_trial_apply(struct core *core);
void core_trial_tick(struct core *core);
json_t *core_trial_describe(struct core *core, json_t *problems);
void core_command_config_trial(void *arg, struct control_call *call, const json_t *request);

/* core_upgrade.c: how the last upgrade went, as tidegate-upgrade has written it down. */
json_t *core_upgrade_describe(const struct core *core, json_t *problems);

/* core_clock.c: what time it is (guard.h). Every use of the time of day goes by core_now_wall_us. */
int core_clock_new(struct core *core) WARN_UNUSED;
void core_clock_free(struct core *core);  /* at a clean stop the time is kept */
void core_clock_apply(struct core *core); /* the configuration is another one */
void core_clock_tick(struct core *core);
int64_t core_now_wall_us(const struct core *core);
struct frame core_clock_frame(const struct core *core);
json_t *core_clock_describe(struct core *core, json_t *problems);
void core_command_clock_accept(void *arg, struct control_call *call, const json_t *request);

/* core_certs.c: the watch over certificates (certs.h). */
int core_certs_new(struct core *core) WARN_UNUSED;
void core_certs_free(struct core *core);
void core_certs_tick(struct core *core);
/* The files may have changed, or the time did: looks at the next tick. */
void core_certs_soon(struct core *core);
void core_certs_file_changed(struct core *core, const char *endpoint, const char *path);
void core_certs_session(struct core *core, const struct session *session);
/* A sink has just begun: it missed what was told before. */
void core_certs_tell(struct core *core, struct instance *instance);
json_t *core_certs_describe(struct core *core, json_t *problems);
void core_command_certs(void *arg, struct control_call *call, const json_t *request);

/* core_status.c, core_manage.c: the commands of the control socket. */
extern const struct control_command core_commands[];
json_t *core_status(struct core *core);
/* core_sessions.c. The live sessions, of all devices (NULL) or of one. */
json_t *core_sessions(const struct core *core, const char *device);
void core_command_sessions(void *arg, struct control_call *call, const json_t *request);
void core_command_audit(void *arg, struct control_call *call, const json_t *request);
void core_command_tail(void *arg, struct control_call *call, const json_t *request);
void core_command_explain(void *arg, struct control_call *call, const json_t *request);
void core_command_status(void *arg, struct control_call *call, const json_t *request);
void core_command_outbox(void *arg, struct control_call *call, const json_t *request);
void core_command_device_add(void *arg, struct control_call *call, const json_t *request);
void core_command_device_list(void *arg, struct control_call *call, const json_t *request);
void core_command_device_show(void *arg, struct control_call *call, const json_t *request);
void core_command_device_revoke(void *arg, struct control_call *call, const json_t *request);
void core_command_device_profile(void *arg, struct control_call *call, const json_t *request);
void core_command_device_certificate(void *arg, struct control_call *call, const json_t *request);
void core_command_device_ca(void *arg, struct control_call *call, const json_t *request);
void core_command_device_import(void *arg, struct control_call *call, const json_t *request);
void core_command_device_rekey(void *arg, struct control_call *call, const json_t *request);
void core_command_device_rotate(void *arg, struct control_call *call, const json_t *request);

/* Tells the process to end the sessions of all devices that were changed since the start: it may have missed that. */
void core_devices_tell(struct core *core, struct instance *instance);
/* Reads the master key of the registry, at the start and at each reload. Logs what is wrong with it. */
void core_devices_unlock(struct core *core);
/* Old keys end when their time has come. */
void core_devices_tick(struct core *core);
/* A session of a device has begun: during a rotation it shows which key the device has. */
void core_device_session(struct endpoint *endpoint, const struct frame_session_begun *begun);
/* core_tickets.c. Gives this process the keys of its endpoint's session tickets. */
int core_tickets_send(struct endpoint *endpoint, struct instance *instance) WARN_UNUSED;
/* Makes new ones in time, and gives them to everybody. */
void core_tickets_tick(struct core *core);
/* Keeps them again, under the registry's new key. */
void core_tickets_save(struct core *core);
/* core_manage.c. Messages in all outboxes; what waits for devices is not counted. */
int64_t core_held(const struct core *core);
/* Answers `drain` when nothing is held any more, or when its time is over. */
void core_check_drain(struct core *core);
/* core_tell.c. The configuration is another one. */
void core_tell_apply(struct core *core);
/* One event for those who watch (tidegatectl tail) and for those who ask later (explain). `what` lives as long as the
 * program, `message` may be NULL. */
void core_tell(struct core *core, const char *what, struct tg_bytes device, struct tg_bytes path,
	       const struct message *message, const char *to, struct tg_bytes address, const char *reason);

/* core_reload.c. Fills *ret_report with {"applied": [...], "waiting": [...]}, or with {"errors": TEXT} on failure. */
int core_reload_now(struct core *core, json_t **ret_report) WARN_UNUSED;

#endif
