/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push: makes a version out of uploaded files.
 *
 * Reads the signature from the model and completes it from the CSV's header or a signature file,
 * makes the reference profile, and adds the version to the registry. The CSV itself is not kept by
 * the version: only its profile is.
 *
 * Memory:  the version's strings live in the arena.
 * Threads: any but a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_PUSH_H
#define SW_SERVE_PUSH_H

#include "registry/registry.h"
#include "serve/load.h"

typedef struct sw_push {
    sw_str model;
    bool external;       /* served elsewhere: without artifact */
    sw_blob_id artifact; /* not where it is external */
    const sw_str
        *predictions; /* external: the CSV's columns that are outputs; none: "prediction" */
    size_t prediction_count;
    const sw_blob_id *profile_csv; /* NULL: none */
    const sw_blob_id *check_csv;   /* NULL: none */
    sw_str signature_json;         /* empty: none */
    sw_str note;
    sw_str who;
} sw_push;

/* What loading it for a trial showed. */
typedef struct sw_push_trial {
    double load_ms;
    double row1_us, row1024_us; /* µs a row, alone and in a batch of 1,024; NaN where it has none */
    const char *engine;
    sw_str engine_why;
} sw_push_trial;

/* The new version, durable, and what a trial showed. Nothing is added where any of it fails. */
SW_MUST_USE sw_status sw_push_version(sw_version *out, sw_push_trial *trial, const sw_push *push,
                                      sw_registry *registry, const sw_load_parts *parts,
                                      sw_arena *arena, sw_error *error);

#endif /* SW_SERVE_PUSH_H */
