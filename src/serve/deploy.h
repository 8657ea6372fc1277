/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deploy: changes what is live, and never for the worse.
 *
 * A deploy appends a revision, loads the version off the loops, replays its check rows, and only
 * then commits the revision as live and switches. Where any of that fails, the revision is
 * marked failed with the reason, and what was live goes on answering.
 *
 * Memory:  results live in the arena passed in.
 * Threads: any but a loop's; one change at a time, others wait.
 * Layer:   serve.
 */
#ifndef SW_SERVE_DEPLOY_H
#define SW_SERVE_DEPLOY_H

#include "registry/registry.h"
#include "serve/load.h"

typedef struct sw_deployer sw_deployer;

/* The parts must outlive it. */
SW_MUST_USE sw_status sw_deployer_make(sw_deployer **out, sw_registry *registry,
                                       const sw_load_parts *parts, sw_error *error);
void sw_deployer_free(sw_deployer *deployer);

/* Makes live again what was live when the server last ran. A version that fails is an event, and
 * down; the others serve. */
SW_MUST_USE sw_status sw_deployer_restore(sw_deployer *deployer, sw_error *error);

typedef struct sw_deployed {
    sw_revision
        revision; /* set as soon as there is one, also where it failed; number 0: none was made */
    double took_ms;
    uint32_t checked_rows;
} sw_deployed;

/* `spec`: a number, an alias, or empty for the newest. `engine`: "" or "auto", "native",
 * "onnxruntime". */
SW_MUST_USE sw_status sw_deployer_deploy(sw_deployed *out, sw_deployer *deployer, sw_str model,
                                         sw_str spec, sw_str engine, sw_str who, sw_arena *arena,
                                         sw_error *error);
/* `to` 0: the last good revision. */
SW_MUST_USE sw_status sw_deployer_rollback(sw_deployed *out, sw_deployer *deployer, sw_str model,
                                           uint32_t to, sw_str who, sw_arena *arena,
                                           sw_error *error);
SW_MUST_USE sw_status sw_deployer_undeploy(sw_deployed *out, sw_deployer *deployer, sw_str model,
                                           sw_str who, sw_arena *arena, sw_error *error);
/* How the model is watched has changed: loads what is live anew, with no new revision. Nothing
 * happens where nothing is live. */
SW_MUST_USE sw_status sw_deployer_reload(sw_deployer *deployer, sw_str model, sw_error *error);
/* The registry's aliases of the model have changed: tell the loops. */
SW_MUST_USE sw_status sw_deployer_refresh_aliases(sw_deployer *deployer, sw_str model,
                                                  sw_error *error);

/* Why a deployment that should be live is not, copied into the arena; empty where it is. */
sw_str sw_deployer_down_reason(sw_deployer *deployer, sw_str model, sw_arena *arena);

#endif /* SW_SERVE_DEPLOY_H */
