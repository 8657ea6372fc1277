/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: from a version's row and artifact to something that can answer.
 *
 * Opens the model, warms it up on its check rows (on made-up values where it has none), measures what a call and a row cost, proves (or disproves) that its
 * rows are independent, and builds the plans for records and for watching.
 *
 * Memory:  the sw_served is the caller's until it is published.
 * Threads: any but a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_LOAD_H
#define SW_SERVE_LOAD_H

#include "registry/registry.h"
#include "serve/live.h"
#include "store/blobs.h"

typedef struct sw_load_parts {
    sw_registry *registry; /* for how the model is watched; NULL: as nobody chose */
    sw_live *live;
    sw_blobs *blobs;
    sw_watch *watch;       /* NULL, with stats: for a trial, not to be published */
    sw_monitors *monitors; /* NULL: nothing says what drifted */
    sw_stats *stats;
    sw_plog *log; /* of predictions; NULL: none are logged */
} sw_load_parts;

/*
 * `engine` as for sw_model_open. REFUSED where the warm-up fails, besides what sw_model_open says.
 */
SW_MUST_USE sw_status sw_load(sw_served **out, const sw_load_parts *parts,
                              const sw_version *version, const char *engine, uint32_t revision,
                              sw_error *error);

/* The cost of a row in a run of `rows` rows, ns; of check rows or made-up values. NaN where the model takes
 * no batch. */
SW_MUST_USE sw_status sw_load_time_rows(double *row_ns, sw_served *served, size_t rows,
                                        const sw_load_parts *parts, const sw_version *version,
                                        sw_error *error);

#endif /* SW_SERVE_LOAD_H */
