/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_json: models, versions and revisions as the API shows them.
 *
 * Threads: any but a loop's.
 * Layer:   api.
 */
#ifndef SW_API_MODEL_JSON_H
#define SW_API_MODEL_JSON_H

#include "api/app.h"
#include "base/json.h"

/* What serves now, by name: one consistent look. */
typedef struct sw_live_row {
    sw_str model;
    uint32_t version, revision;
    sw_str engine, engine_why;
    sw_watch_summary watch;
} sw_live_row;

typedef struct sw_live_rows {
    sw_live_row *rows; /* by name */
    size_t count, cap;
    sw_arena *arena;
} sw_live_rows;

/* Rows that memory has no room for are left out. */
void sw_live_rows_read(sw_live_rows *out, sw_app *app, sw_arena *arena);
const sw_live_row *sw_live_rows_find(const sw_live_rows *rows, sw_str model);

/* MODEL, VERSION and REVISION of docs/api.md. */
void sw_json_model(sw_json *w, sw_app *app, const sw_model_row *model, const sw_live_rows *live,
                   sw_arena *arena);
/* These two leave their object open, for members of the caller's own. `live` where it serves, else
 * NULL. */
void sw_json_begin_version(sw_json *w, const sw_version *version, const sw_model_row *model);
void sw_json_begin_revision(sw_json *w, sw_str model, const sw_revision *revision, bool current,
                            const sw_live_row *live);

/* {"models": [MODEL…], "at_ms": …} of all models. */
SW_MUST_USE sw_status sw_json_fleet(sw_buf *out, sw_app *app, sw_arena *arena, sw_error *error);

/* The version that ?version= asks for; else the one that is live; else the newest. Of the model that
 * the path names first. */
SW_MUST_USE sw_status sw_api_pick_version(uint32_t *number, sw_exchange *exchange, sw_app *app,
                                          sw_error *error);

#endif /* SW_API_MODEL_JSON_H */
