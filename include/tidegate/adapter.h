/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_ADAPTER_H
#define TIDEGATE_ADAPTER_H

/*
 * The contract between tidegate and an adapter: one shared object that speaks one standard.
 *
 * An adapter exports exactly one symbol, `tidegate_adapter`, a const struct tg_adapter. It links nothing of
 * tidegate's. It runs in a process of its own (tidegate-endpoint), one process for each configured endpoint, and may
 * use any library, start threads, even block for a moment; when it crashes or hangs, that process alone is
 * started again.
 *
 * The life of an endpoint, in the order of the calls, all from one thread ("the main thread"):
 *
 *   open     read the settings, load certificates, bind listening sockets. Nothing from outside is read yet.
 *   ----     the sandbox is shut: no capability, no file, no system call beyond what `needs` names
 *   start    begin: watch the sockets, connect to the broker
 *   ...      callbacks of watched descriptors and timers; deliver, verdict, identity, device_changed, reload
 *   stop     take in nothing new, finish what was begun; report with tg_host.stopped
 *   close    free everything
 *
 * A source calls tg_host.submit for each message that an authenticated device handed in, and must not tell the device
 * that it was taken before tg_adapter.verdict says so. A sink gets tg_adapter.deliver and answers each ticket
 * with tg_host.delivered once its peer has taken over the responsibility (MQTT PUBACK, AMQP accepted, CoAP 2.xx).
 *
 * A sink with TG_MAILBOX sends requests to single devices. The core keeps a mailbox for each, hands over one command of a device at
 * a time, and takes what the device says from tg_host.answered. Where a device cannot be reached, the adapter answers TG_RETRY;
 * the core comes back when the device has a new session or the adapter says that it is awake (tg_host.awake).
 *
 * Unless a member says otherwise: functions return 0 or more on success and a negative errno on failure; a
 * failed call leaves everything as it was; arguments are borrowed for the call. The adapter's functions run in the main
 * thread, and a call that lasts longer than the `heartbeat` of the endpoint counts as a hang. The host's functions may
 * be called from the main thread only, except `post`.
 */

#include <tidegate/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major must match, the minor of the adapter may be older; what is behind a struct's `size` is not read. */
#define TG_ADAPTER_MAJOR 1u
#define TG_ADAPTER_MINOR 0u

enum tg_setting_type {
	TG_BOOL = 1,
	TG_INT = 2, /* 64-bit; `unit` says of what: "ms", "s", "bytes" or "" */
	TG_TEXT = 3,
	TG_LIST = 4,    /* of text */
	TG_CHOICE = 5,  /* text, one of `choices` */
	TG_FILE = 6,    /* a path; the adapter gets it open through tg_host.setting_file, and can open no other */
	TG_KEY_FILE = 7 /* as TG_FILE; the check and the audit complain where group or others may read it */
};

enum tg_setting_flags {
	TG_LIVE = 1,     /* taken over by a reload; without it a change waits for a restart of the endpoint */
	TG_REQUIRED = 2, /* must be given; `fallback` is not read */
	TG_ABSENT = 4    /* a library that this was built with cannot do it: the check warns where it is given */
};

/* One setting of an endpoint: parser, checks, man page and sample come from it. A table ends with name = NULL. */
struct tg_setting {
	const char *name;
	uint32_t type;  /* enum tg_setting_type */
	uint32_t flags; /* enum tg_setting_flags */
	const char *unit;
	const char
		*fallback; /* the default, written as in the file; NULL: none, then the setting reads as "", 0 or no */
	int64_t lowest;    /* TG_INT: both limits belong to the range. TG_TEXT: lengths in bytes. TG_LIST: entries */
	int64_t highest;
	const char *choices; /* TG_CHOICE: "modern compatible" */
	const char *help;    /* one line, no full stop */
};

enum tg_roles { TG_SOURCE = 1, TG_SINK = 2 };

/* What an adapter needs beyond computing, its open descriptors and the host. Everything else stays shut. */
enum tg_needs {
	TG_NEED_LISTEN = 1,  /* receive and send on sockets that were bound in open */
	TG_NEED_CONNECT = 2, /* make IP sockets and connect them after open */
	TG_NEED_RESOLVE = 4, /* look up host names: read /etc/hosts, resolv.conf and their like */
	TG_NEED_THREADS = 8  /* start threads after open */
};

enum tg_flags {
	TG_DEVICES =
		1, /* authenticates devices of the registry through tg_host.lookup; without it every submission comes
			   from one device that bears the endpoint's name, unless a route says whom it is from */
	TG_WORKERS = 2, /* several processes can share one endpoint's listening address (setting `workers`) */
	TG_MAILBOX = 4, /* a sink whose deliveries are requests to single devices; see tg_delivery */
	TG_PUBLISHERS =
		16, /* a source without TG_DEVICES whose server may vouch for who has sent a message: what it submits is from
			   `device`, where that is not empty, and not a name that is enrolled or an endpoint's */
	TG_REACHES =
		8 /* with TG_MAILBOX: opens sessions to its devices itself. Without it a command is handed over only to
			   the process that has reported a live session of the device */
};

/* The level numbers are those of syslog. */
enum tg_log_level { TG_LOG_ERROR = 3, TG_LOG_WARNING = 4, TG_LOG_NOTICE = 5, TG_LOG_INFO = 6, TG_LOG_DEBUG = 7 };

enum tg_link {
	TG_LINK_DOWN = 0, /* no peer; deliveries would wait */
	TG_LINK_CONNECTING = 1,
	TG_LINK_UP = 2 /* deliveries are wanted */
};

/* How a peer proved who it is (tg_host.lookup). */
enum tg_proof {
	TG_PROOF_PSK = 1,         /* `identity` is the PSK identity; the answer carries the key */
	TG_PROOF_CERTIFICATE = 2, /* `identity` is the name in a certificate that the adapter has verified */
	TG_PROOF_RESUMED = 3      /* `identity` is the device that a resumed session was bound to */
};

/* What tg_host.list asks for. */
enum tg_list { TG_LIST_READINGS = 1, TG_LIST_DEVICES = 2 };

enum tg_delivery_result {
	TG_CONFIRMED = 0, /* the peer has it and is responsible now */
	TG_RETRY = 1,     /* not taken, the link failed: the core gives it again, in order, when the link is up */
	TG_REJECTED = 2   /* the peer refused this very message for good: dropped, counted by `reason`, logged */
};

/* The core's answer to a look-up. Lives for the call; `key` must be wiped wherever it was copied to. */
struct tg_identity {
	uint32_t size;
	bool known;             /* enrolled, not revoked, and of this endpoint */
	struct tg_bytes device; /* the device's name; empty where not known */
	struct tg_bytes key;    /* TG_PROOF_PSK: always filled, with a key that nobody has where not known, so that an
				   unknown identity and a wrong key take the same way */
	uint64_t generation;    /* another one each time its key was changed or it was revoked. A ticket carries it, and
				   is good only while it is still the same */
};

/* The gateway's policy for TLS and DTLS (setting `crypto`), in the words of OpenSSL's lists. Whatever library an adapter uses,
 * it allows what stands here and nothing else. Versions are those of the record layer: 0x0303 is TLS 1.2, 0xfefd DTLS 1.2. */
struct tg_crypto {
	uint32_t size;
	const char *policy; /* "modern", "compatible" */
	uint32_t tls_min;
	uint32_t tls_max;
	uint32_t dtls_min;
	uint32_t dtls_max;
	const char *tls13_suites;
	const char *tls12_suites;
	const char *dtls_psk_suites;         /* best first; a server's own order counts */
	const char *dtls_certificate_suites; /* best first */
	const char *groups;
	const char *signatures; /* in handshakes, and in certificates */
	uint32_t level;         /* OpenSSL's security level for keys and certificates */
};

/* One live session with a peer that has proved who it is, for the operator's eyes. Text is terminated. */
struct tg_session {
	uint32_t size;
	uint32_t proof;              /* enum tg_proof */
	struct tg_bytes device;      /* empty where the peer is no device: a broker */
	const char *peer;            /* "[2001:db8::7]:5684" */
	const char *version;         /* "DTLSv1.2" */
	const char *cipher;          /* the suite's standard name: "TLS_PSK_WITH_AES_128_CCM_8" */
	const char *group;           /* of the key exchange: "x25519"; "" where there was none */
	struct tg_bytes certificate; /* the peer's own, DER; empty where it has none */
	uint64_t
		generation; /* tg_identity.generation of the answer that let it in: during a rotation the core learns by it
				which of two keys the device has. 0: no device */
};

/* A key that session tickets are made with (RFC 5077 section 4). Wipe it wherever it was copied to. */
struct tg_ticket_key {
	uint8_t name[16];
	uint8_t encryption[32];     /* AES-256 */
	uint8_t authentication[32]; /* HMAC-SHA-256 */
};

struct tg_host;
struct tg_watch;
struct tg_timer;

typedef void tg_watch_fn(void *arg, int fd, uint32_t ready);
typedef void tg_call_fn(void *arg);

enum tg_ready {
	TG_READABLE = 1,
	TG_WRITABLE = 2,
	TG_BROKEN = 4 /* error or hang-up; reported without being asked for */
};

/* The services of the process that the adapter runs in. Valid from open until close has returned. */
struct tg_host {
	uint32_t major;
	uint32_t minor;
	uint32_t size;

	/* Settings, by the names of the adapter's own rows, already checked against them. Text and lists are lent until the
	 * next reload or close. A name without a row is a bug of the adapter: the process ends. */
	bool (*setting_bool)(const struct tg_host *host, const char *name);
	int64_t (*setting_int)(const struct tg_host *host, const char *name);
	const char *(*setting_text)(const struct tg_host *host, const char *name);
	/* The entry at `index` of a list, or NULL behind its end. */
	const char *(*setting_item)(const struct tg_host *host, const char *name, size_t index);
	/* A new descriptor of the file, at its start; the caller closes it. Errors: -ENOENT where the setting is empty,
	 * otherwise why the core could not open it. */
	int (*setting_file)(const struct tg_host *host, const char *name);

	const char *(*endpoint)(const struct tg_host *host); /* this endpoint's name */
	const char *(*gateway)(const struct tg_host *host);
	const char *(*site)(const struct tg_host *host);
	uint32_t (*worker)(const struct tg_host *host); /* 0 to workers - 1 */

	/* Monotonic time of this turn of the loop. Units: microseconds. */
	int64_t (*now_us)(const struct tg_host *host);

	/* The time of day to judge certificates by: never before the gateway was built or was last seen running, and not
	 * moved by a clock that jumps. Units: microseconds since 1970. */
	int64_t (*now_wall_us)(const struct tg_host *host);

	/* Lent until the next reload or close. */
	const struct tg_crypto *(*crypto)(const struct tg_host *host);

	/* Calls `fn` whenever `fd` is ready for one of `events` (enum tg_ready). The descriptor stays the adapter's.
	 * Ownership: `*ret_watch` ends with unwatch, before the descriptor is closed. */
	int (*watch)(const struct tg_host *host, int fd, uint32_t events, tg_watch_fn *fn, void *arg,
		     struct tg_watch **ret_watch);
	int (*watch_set)(struct tg_watch *watch, uint32_t events);
	void (*unwatch)(struct tg_watch *watch); /* accepts NULL */

	/* A timer, not running yet. timer_set starts it anew for one shot at `at_us` (see now_us); 0 stops it. */
	int (*timer_new)(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer);
	void (*timer_set)(struct tg_timer *timer, int64_t at_us);
	void (*timer_free)(struct tg_timer *timer); /* accepts NULL */

	/* A timer that, once set (any `at_us` but 0), fires behind everything that is ready already: the place to send
	 * what was collected in this turn as one batch. Same functions as above. */
	int (*idle_new)(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer);

	/* Runs `fn` in the main thread soon. The only function that any thread may call. Errors: -ENOMEM. */
	int (*post)(const struct tg_host *host, tg_call_fn *fn, void *arg);

	/* Hands in a message; tg_adapter.verdict answers it exactly once, never from within this call. The bytes are
	 * copied. Errors: -ENOBUFS: too many wait for a verdict already, tell the peer to come again; -EMSGSIZE: a length of
	 * message.h exceeded; -EINVAL: empty device, unknown kind. */
	int (*submit)(const struct tg_host *host, const struct tg_submission *submission);

	/* Answers a ticket of tg_adapter.deliver, once, in any order. `reason`: terminated text, or NULL; it is told with TG_REJECTED alone. */
	void (*delivered)(const struct tg_host *host, uint64_t ticket, enum tg_delivery_result result,
			  const char *reason);

	/* Answers the ticket of a command with what the device said, in place of `delivered`. */
	void (*answered)(const struct tg_host *host, uint64_t ticket, const struct tg_response *response);

	/* A device that a command could not be delivered to (TG_RETRY) has been heard again: what waits for it may come. To be called
	 * for those alone. A new session needs no such call. */
	void (*awake)(const struct tg_host *host, struct tg_bytes device);

	/* What the routes from this endpoint take, one pattern each, so that a source knows what to subscribe to: segments between '/', as in
	 * tg_submission.path, where "*" stands for any one segment and a last "**" for one or more; what the configuration gives ({site},
	 * {gateway}) is put in. NULL behind the end. Lent until the next reload or close. */
	const char *(*route)(const struct tg_host *host, size_t index);

	/* Asks for the last reading that `device` handed in at `path`, on behalf of the authenticated `reader`; the core knows whether its
	 * profile allows that. tg_adapter.reading answers with `token`, never from within this call: once, or with `observe` at once and
	 * again for each new reading until one is the last or read_end is called. A core that goes ends all with TG_UNAVAILABLE.
	 * Errors: -ENOBUFS: too many; -EMSGSIZE; -ENOTCONN: no core at the moment. */
	int (*read)(const struct tg_host *host, struct tg_bytes reader, struct tg_bytes device, struct tg_bytes path,
		    bool observe, uint64_t token, uint64_t *ret_number);
	/* Nothing more is wanted; `number` is what read gave. After it nothing comes for its token. */
	void (*read_end)(const struct tg_host *host, uint64_t number);

	/* Tells how the link to the peer is. A sink is handed deliveries only while TG_LINK_UP; when the link goes down the
	 * core takes back every unanswered ticket by itself, and late answers to them are ignored. `detail`: what
	 * an operator wants to read ("mqtts://broker:8883, TLSv1.3"), or why it is down. */
	void (*link)(const struct tg_host *host, enum tg_link state, const char *detail);

	/* Asks the core who `identity` is; tg_adapter.identity answers once with `token`, never from within this
	 * call. Errors: -ENOBUFS: too many look-ups wait; -EMSGSIZE; -ENOTCONN: no core at the moment. */
	int (*lookup)(const struct tg_host *host, enum tg_proof proof, struct tg_bytes identity, uint64_t token);

	/* A session with an authenticated peer has begun, or has ended; `handle` is the adapter's own, one for each live
	 * session. Told to the operator; without a core nothing happens (see tg_adapter.joined). */
	void (*session_begun)(const struct tg_host *host, uint64_t handle, const struct tg_session *session);
	void (*session_ended)(const struct tg_host *host, uint64_t handle);

	/* Counters and gauges by their place in tg_adapter.counters; cheap, sent on once a second. */
	void (*count)(const struct tg_host *host, unsigned counter, int64_t add);
	void (*gauge)(const struct tg_host *host, unsigned counter, int64_t value);

	/* One line to the operator's log. `device` may be NULL. No keys, no payloads, no line end. The core limits the rate. */
	void (*log)(const struct tg_host *host, enum tg_log_level level, const char *device, const char *format, ...)
#if defined(__GNUC__)
		__attribute__((format(printf, 4, 5)))
#endif
		;

	/* Says that everything begun before tg_adapter.stop is finished. */
	void (*stopped)(const struct tg_host *host);

	/* Asks for one page of what the authenticated `reader` may read (enum tg_list), from where `after` and `behind` say on.
	 * tg_adapter.listed answers with `token`, never from within this call: once for each entry, then once for the page's end, which
	 * says where the next page begins, and whether there is one at the moment. A core that goes ends all with TG_UNAVAILABLE.
	 *
	 * TG_LIST_READINGS: the last readings whose ETags came after the one in `after` (0: all), the oldest first. A reading that takes
	 * the place of another comes last, so who lists from where the last page has ended misses none. What is no longer there
	 * is told by the page's `generation`: where that is another one than before, list from the beginning.
	 * TG_LIST_DEVICES: the devices whose readings the reader may read, whether or not they have handed in any, by name, from
	 * the one behind `behind` (empty: the first) on.
	 * Errors: as of read. */
	int (*list)(const struct tg_host *host, struct tg_bytes reader, enum tg_list what, uint64_t after,
		    struct tg_bytes behind, uint64_t token);

	/* Asks the core to keep a note for this endpoint: a few bytes that must outlive the process and the power, such as numbers that must
	 * not be used twice; the process itself can write nothing down. One of the same name goes away, an empty value ends it, a name that
	 * begins with '!' is one for the whole gateway. tg_adapter.kept answers with `token`, never from within this call. All workers of
	 * an endpoint share its notes. The core writes in batches, after a few quick ones no more than one a second: ask ahead. Errors:
	 * -EMSGSIZE: longer than TG_NOTE_NAME_MAX or TG_NOTE_VALUE_MAX, or the name is empty; -ENOBUFS: too many wait; -ENOTCONN: no core
	 * at the moment. */
	int (*keep)(const struct tg_host *host, struct tg_bytes name, struct tg_bytes value, uint64_t token);

	/* A socket that the service manager has bound to the address at `index` of a list setting, and holds: what comes while no process
	 * reads it waits there. `number` counts those of one address from 0: a group that shares its port (SO_REUSEPORT), in the order in
	 * which they were bound; all of them are to be read, for the kernel spreads what comes over them. Returns a new descriptor, which
	 * the caller closes; whoever is handed one does not bind the address itself. Errors: -ENOENT: there is none (more). */
	int (*listen_socket)(const struct tg_host *host, const char *name, size_t index, size_t number);
};

struct tg_adapter {
	/* Frozen for ever. */
	uint32_t major; /* TG_ADAPTER_MAJOR */
	uint32_t minor; /* TG_ADAPTER_MINOR */
	uint32_t size;  /* sizeof(struct tg_adapter) */

	uint32_t roles;   /* enum tg_roles */
	uint32_t needs;   /* enum tg_needs */
	uint32_t flags;   /* enum tg_flags */
	const char *name; /* as in `adapter = "…"`; also the file's name */
	const char *version;
	const char *summary; /* one line */
	/* Characters that mean something in this standard's addresses; the router percent-encodes them, '%', '/', controls
	 * and broken UTF-8 in every captured piece. NULL: none. */
	const char *reserved;
	const struct tg_setting *settings;
	const char *const *counters; /* names in lower case with '_', ended by NULL; "sessions" is a gauge by its use */

	/* Reads settings and prepares. What it opens here stays usable behind the sandbox. On failure it has logged why,
	 * and has freed everything: close is not called. */
	int (*open)(const struct tg_host *host, void **ret_state);

	/* The sandbox is shut: begin. On failure close is called. */
	int (*start)(void *state);

	/* Takes a message over for its peer. `delivery` is borrowed: copy what is needed later. Answers with tg_host.delivered,
	 * also from within. Errors: -EAGAIN: no room, or no link: the core gives it again later, in order. Sinks only. */
	int (*deliver)(void *state, const struct tg_delivery *delivery);

	/* The answer to one submission. Sources only. */
	void (*verdict)(void *state, uint64_t token, const struct tg_answer *answer);

	/* The answer to one look-up. With TG_DEVICES only. */
	void (*identity)(void *state, uint64_t token, const struct tg_identity *identity);

	/* The answer to tg_host.read. Where that is not called it may be NULL. */
	void (*reading)(void *state, uint64_t token, const struct tg_reading *reading);

	/* This device was revoked, or its key was changed: end its sessions at once. With TG_DEVICES only. */
	void (*device_changed)(void *state, struct tg_bytes device);

	/* The settings have changed (rows with TG_LIVE only, and the contents of files). Live sessions go on. On failure,
	 * logged by the adapter, the old values stay in use. May be NULL. */
	int (*reload)(void *state);

	/* A core is there, for the first time or again: report every live session with session_begun. May be NULL. */
	void (*joined)(void *state);

	/* The keys of session tickets, between open and start and whenever they rotate: the first one is for new tickets, all of them
	 * are good for tickets that come back. The same for all workers of an endpoint and over restarts. Borrowed. May be NULL. */
	void (*tickets)(void *state, const struct tg_ticket_key *keys, size_t count);

	/* Something that the operators in the cloud should know: a JSON object, terminated. For sinks that have a place for the
	 * gateway's own messages, such as a status topic. May be NULL. */
	void (*notice)(void *state, const char *json);

	/* Take in nothing new and let go of the peer in good order; deliveries no longer come. tg_host.stopped ends it;
	 * after the deadline of the gateway the process ends anyway. May be NULL. */
	void (*stop)(void *state);

	/* Frees everything. Never called twice. */
	void (*close)(void *state);

	/* The answer to tg_host.list. Where that is not called it may be NULL. */
	void (*listed)(void *state, uint64_t token, const struct tg_listed *listed);

	/* The answer to tg_host.keep. 0: it is on disk; nothing before that may be built upon it. -ENOSPC: no room on the disk, or
	 * TG_NOTES_MAX of this endpoint are kept; -EEXIST: another endpoint keeps a note with this name that begins with '!'; -ENOTCONN:
	 * the core went before it answered, and it may be on disk or not; other errors of writing. Where `keep` is not called it may
	 * be NULL. */
	void (*kept)(void *state, uint64_t token, int result);

	/* One of the notes that are kept for this endpoint, in no order: each of them behind `joined`, whenever a core is there. May be NULL. */
	void (*note)(void *state, struct tg_bytes name, struct tg_bytes value);

	/* Those were all. `loss`: 0, or a number that stands for the last time that the file of notes was damaged or missing: what was
	 * kept before it is gone, and what has no note is not new for that alone. It stays the same until that happens again. May be NULL. */
	void (*noted)(void *state, uint64_t loss);
};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct tg_adapter tidegate_adapter;

#ifdef __cplusplus
}
#endif

#endif
