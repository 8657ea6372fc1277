/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action: what is done about alerts: someone is told, or something is set in motion.
 *
 * A notifier and a rule's `action` are the same thing, an sw_action of some kind. A kind is a row in
 * sw_action_kinds: which fields its YAML has, and a function that carries one message out. So a new
 * kind (a rollback, say) is a row and a function; queueing, retries, deduplication and the record
 * of deliveries come with it.
 *
 * A message is carried out at least once: after a crash between doing and recording it is done once
 * more, with the same key, by which a receiver can tell.
 *
 * Memory:  an sw_action lives in the arena of its rules.
 * Threads: run is called on the action's own thread; it may block until its timeout.
 * Layer:   alert.
 */
#ifndef SW_ALERT_ACTION_H
#define SW_ALERT_ACTION_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct sw_action_kind sw_action_kind;

typedef struct sw_action {
    sw_str name; /* "ops", or "rule slow" of a rule's own action */
    const sw_action_kind *kind;
    sw_str url;    /* may be a secret */
    sw_str secret; /* what webhooks are signed with */
    sw_str user, password;
    sw_str from, *to; /* e-mail */
    size_t to_count;
    sw_str tls;     /* "none", "starttls", "required" (e-mail) */
    sw_str ca_file; /* instead of the system's */
    char **argv;    /* a command, NULL at its end */
    int64_t timeout_ms;
    bool send_resolved;
} sw_action;

/* One message on its way. */
typedef struct sw_message {
    sw_str key;              /* the same on every attempt */
    sw_str json;             /* {"notification": …}: docs/alerts.md says the fields */
    int64_t wall_ms;         /* now, for signatures */
    const atomic_bool *stop; /* the server ends: give up soon; may be NULL */
} sw_message;

typedef struct sw_action_result {
    int status; /* HTTP or SMTP status, exit status of a command; 0: none came */
    bool final; /* of a failure: trying again is of no use */
} sw_action_result;

struct sw_action_kind {
    const char *name;   /* the key in YAML: "webhook" */
    const char *fields; /* further keys it takes, parted by blanks */
    bool refreshes;     /* wants to hear of what still fires every minute (Alertmanager) */
    bool runs_program;  /* only where the server was started with --allow-commands */
    /* The reason of a failure holds no secret. */
    sw_status (*run)(sw_action_result *result, const sw_action *action, const sw_message *message,
                     sw_error *error);
};

extern const sw_action_kind sw_action_kinds[];
extern const size_t sw_action_kind_count;

/* HMAC-SHA256 of "timestamp.body", in hex: what X-Slipway-Signature carries behind "v1=". */
void sw_action_sign(char hex[65], sw_str secret, int64_t timestamp_s, sw_str body);

/* Milliseconds until attempt `attempt` (2, 3, …): 1 s doubled up to 5 min, of which a random part
 * (`chance` in [0, 1)) of one half is taken off. */
int64_t sw_action_backoff_ms(uint32_t attempt, double chance);

#endif /* SW_ALERT_ACTION_H */
