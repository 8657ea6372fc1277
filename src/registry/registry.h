/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry: models, their versions and aliases, deployments and their revisions, events, tokens.
 *
 * Every change is one write: the row and its event (who, when, what) commit together, and the call
 * returns once they are durable. Versions are immutable; aliases move; a deployment only ever gains
 * revisions.
 *
 * Memory:  what a read returns lives in the arena passed in.
 * Threads: any but a loop's. The event listener is called on the writer thread after the commit.
 * Layer:   registry. SQL is in *_store.c.
 */
#ifndef SW_REGISTRY_REGISTRY_H
#define SW_REGISTRY_REGISTRY_H

#include "base/arena.h"
#include "base/status.h"
#include "store/blobs.h"
#include "store/db.h"

typedef struct sw_registry sw_registry;

SW_MUST_USE sw_status sw_registry_open(sw_registry **out, sw_db *db, sw_error *error);
void sw_registry_close(sw_registry *registry);

/* ---- Models, versions, aliases ---- */

typedef struct sw_version {
    sw_str model;
    uint32_t number;     /* 1, 2, … */
    bool external;       /* served elsewhere: it has no artifact */
    sw_blob_id artifact; /* empty where it is external */
    uint64_t artifact_bytes;
    sw_str signature_json;
    sw_str profile_json;   /* empty where no profile was pushed, and in lists (it is long) */
    sw_str profile_hash;   /* SHA-256 hex of profile_json, or empty */
    uint64_t profile_rows; /* rows that the profile was made of */
    bool has_check;
    sw_blob_id check; /* rows with the predictions that the training code made */
    sw_str note;
    sw_str who;
    int64_t created_ms;
} sw_version;

typedef struct sw_alias {
    sw_str name;
    uint32_t version;
} sw_alias;

typedef enum sw_revision_state {
    SW_REVISION_LOADING,
    SW_REVISION_LIVE,      /* went live; the newest of these answers, unless an undeploy is newer */
    SW_REVISION_FAILED,    /* never answered */
    SW_REVISION_UNDEPLOYED /* a revision that takes the deployment down */
} sw_revision_state;

typedef struct sw_revision {
    uint32_t number; /* 1, 2, … within the deployment */
    uint32_t version;
    sw_revision_state state;
    sw_str kind;                  /* "deploy", "rollback", "undeploy" */
    uint32_t rolled_back_from;    /* the revision that a rollback left, or 0 */
    uint32_t equals;              /* the earlier revision that a rollback restored, or 0 */
    sw_str engine;                /* wanted: "auto", "native", "onnxruntime" */
    sw_str served_by, served_why; /* the engine that it went live with, and why that one */
    sw_str error;                 /* why it failed, or empty */
    sw_str who;
    int64_t created_ms;
    int64_t live_ms; /* 0 = never */
} sw_revision;

typedef struct sw_model_row {
    sw_str name;
    int64_t created_ms;
    uint32_t newest_version;  /* 0 = none */
    uint32_t newest_revision; /* 0 = was never deployed */
    sw_alias *aliases;
    size_t alias_count;
    sw_revision *revisions; /* newest first, at most 100 (what answers is always among them) */
    size_t revision_count;
    const sw_revision *live; /* what answers: into revisions; NULL where nothing is deployed */
} sw_model_row;

/* 1 to 128 letters, digits, '_', '-', '.', beginning with a letter or digit. An alias is no number,
 * besides. */
bool sw_registry_name_ok(sw_str name);

/* What is asked for is in `version` (all but number and created_ms, which are set). Makes the model
 * if it is new. */
SW_MUST_USE sw_status sw_registry_add_version(sw_version *version, sw_registry *registry,
                                              sw_error *error);
SW_MUST_USE sw_status sw_registry_get_version(sw_version *out, sw_registry *registry, sw_str model,
                                              uint32_t number, sw_arena *arena, sw_error *error);
/* Newest first, without profile_json. */
SW_MUST_USE sw_status sw_registry_list_versions(sw_version **out, size_t *count,
                                                sw_registry *registry, sw_str model,
                                                sw_arena *arena, sw_error *error);
SW_MUST_USE sw_status sw_registry_get_model(sw_model_row *out, sw_registry *registry, sw_str model,
                                            sw_arena *arena, sw_error *error);
SW_MUST_USE sw_status sw_registry_list_models(sw_model_row **out, size_t *count,
                                              sw_registry *registry, sw_arena *arena,
                                              sw_error *error);
/*
 * "3" → 3, "champion" or "@champion" → what the alias says, "" → the newest. NOT_FOUND names what
 * there is: "fraud@7 does not exist: the newest version is fraud@2. See: slipway versions fraud".
 */
SW_MUST_USE sw_status sw_registry_resolve(uint32_t *version, sw_registry *registry, sw_str model,
                                          sw_str spec, sw_error *error);
SW_MUST_USE sw_status sw_registry_set_alias(sw_registry *registry, sw_str model, sw_str alias,
                                            uint32_t version, sw_str who, sw_error *error);
SW_MUST_USE sw_status sw_registry_remove_alias(sw_registry *registry, sw_str model, sw_str alias,
                                               sw_str who, sw_error *error);
/* Whether any version refers to this blob (artifact or check). */
SW_MUST_USE sw_status sw_registry_uses_blob(bool *used, sw_registry *registry, const sw_blob_id *id,
                                            sw_error *error);

/* ---- How a model is watched ---- */

/* JSON as watch/settings.h reads it, kept as it came; empty where nobody chose anything. */
SW_MUST_USE sw_status sw_registry_get_monitor(sw_str *settings_json, sw_registry *registry,
                                              sw_str model, sw_arena *arena, sw_error *error);
SW_MUST_USE sw_status sw_registry_set_monitor(sw_registry *registry, sw_str model,
                                              sw_str settings_json, sw_str who, sw_error *error);

/* ---- Deployments ---- */

/*
 * Appends a revision in state LOADING (or UNDEPLOYED) and sets its number and created_ms; an empty
 * kind and engine become "deploy" (or "undeploy") and "auto". Of an undeploy, `version` is set to
 * what answered; of a rollback, `rolled_back_from` is set where it is 0. NOT_FOUND: no such
 * version; nothing is deployed (undeploy).
 */
SW_MUST_USE sw_status sw_registry_begin_revision(sw_revision *revision, sw_registry *registry,
                                                 sw_str model, sw_error *error);
/*
 * LOADING → LIVE (with `served_by` and `served_why`) or, at any other state, FAILED (with `error`):
 * of the revision `number`. The rest of `ended` is not looked at. CONFLICT where it is not loading.
 */
SW_MUST_USE sw_status sw_registry_end_revision(sw_registry *registry, sw_str model,
                                               const sw_revision *ended, sw_error *error);
/* At start: revisions that a crash left LOADING become FAILED. */
SW_MUST_USE sw_status sw_registry_fail_unfinished(sw_registry *registry, sw_error *error);
/*
 * Where a rollback goes: the newest earlier revision that went live and was not itself left by a
 * rollback; or `to`, if not 0. NOT_FOUND where there is none (says which there are); CONFLICT where
 * `to` answers already.
 *
 * Think of a stack: a deploy that goes live is put on top, a rollback takes the top away (or, with
 * `to`, all above that one), and a rollback after an undeploy takes nothing away: what was live
 * comes back. So two rollbacks after three deploys end at the first, never at the third again.
 */
SW_MUST_USE sw_status sw_registry_rollback_target(sw_revision *out, sw_registry *registry,
                                                  sw_str model, uint32_t to, sw_arena *arena,
                                                  sw_error *error);

/* ---- Events ---- */

typedef struct sw_event {
    int64_t id; /* grows; opaque to users */
    int64_t at_ms;
    sw_str kind;  /* "version.pushed", "alias.moved", "deployment.live", "deployment.failed",
                     "deployment.undeployed", "token.created", "token.revoked", "server.started", … */
    sw_str model; /* may be empty */
    sw_str who;
    sw_str text;      /* for people: "fraud@2 live as revision 4, after fraud@1" */
    sw_str data_json; /* for programs: {"version": 2, "revision": 4} */
} sw_event;

SW_MUST_USE sw_status sw_registry_add_event(sw_event *event, sw_registry *registry,
                                            sw_error *error);
/* Newest first; `before_id` 0 = from the newest; `model` empty = of all. */
SW_MUST_USE sw_status sw_registry_list_events(sw_event **out, size_t *count, sw_registry *registry,
                                              sw_str model, int64_t before_id, uint32_t limit,
                                              sw_arena *arena, sw_error *error);
/*
 * Called after each event's commit, on the writer thread, before the change is answered: must be
 * quick, and keep no pointer. One listener; NULL for none: it is not called again once this
 * returns.
 */
void sw_registry_on_event(sw_registry *registry,
                          void (*listener)(const sw_event *event, void *context), void *context);

/* ---- Tokens ---- */

typedef struct sw_token {
    sw_str id; /* "tok_…", public */
    sw_str name;
    uint32_t scopes; /* mask of sw_scope bits: 1 read, 2 predict, 4 track, 8 deploy, 16 admin */
    sw_str hash_hex; /* SHA-256 of the secret */
    sw_str who;
    int64_t created_ms;
    int64_t expires_ms; /* 0 = never */
    char id_text[32];   /* where sw_registry_add_token writes: id and hash_hex then point here */
    char hash_text[SW_SHA256_HEX + 1];
} sw_token;

/*
 * Makes a random secret ("sw_" + 43 characters of base64url, 256 bits) and stores its hash. The
 * secret is shown once. Name, scopes, who and expires_ms are asked for; the rest is set, and points
 * into `token` itself.
 */
SW_MUST_USE sw_status sw_registry_add_token(sw_token *token, char secret[64], sw_registry *registry,
                                            sw_error *error);
SW_MUST_USE sw_status sw_registry_revoke_token(sw_registry *registry, sw_str id, sw_str who,
                                               sw_error *error);
SW_MUST_USE sw_status sw_registry_list_tokens(sw_token **out, size_t *count, sw_registry *registry,
                                              sw_arena *arena, sw_error *error);

#endif /* SW_REGISTRY_REGISTRY_H */
