/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records: rows with named fields, as application developers send them, to tensors and back.
 *
 * A body is one object, {"amount": 12.5, "country": "DE"}, or a list of them, or a list inside
 * {"instances": […]} or {"records": […]}. Fields come in any order. A plan made once from the
 * signature says where each goes. An "id" beside the fields of a single object, or beside the
 * list, comes back in the answer (unless a feature has that name); one beside the fields of a
 * record of a list names that row's prediction.
 *
 * What fits where: numbers into number columns, whole ones into integers; true and false into
 * any of these, as 1 and 0; strings into BYTES. null and absence are the same: NaN or the empty
 * string where the feature is optional, else an error. The tokens NaN, Infinity and -Infinity are
 * taken for floats.
 *
 * Memory:  plan: in its arena. Tensors: in the request's arena; strings may be slices of the body.
 * Threads: a plan is immutable; any.
 * Layer:   serve.
 */
#ifndef SW_SERVE_RECORDS_H
#define SW_SERVE_RECORDS_H

#include "base/json.h"
#include "base/status.h"
#include "model/signature.h"
#include "serve/infer_request.h"

/* Values (rows times features) that one body may hold. */
enum { SW_RECORDS_VALUES_MAX = 16 << 20 };

typedef struct sw_records_plan sw_records_plan;

typedef struct sw_records {
    sw_tensor *inputs; /* in the signature's order, with names, each [rows] or [rows, columns] */
    size_t input_count;
    size_t rows;
    bool single; /* one object came, not a list */
    sw_str id;   /* as text, or empty */
    /* Where the type of a feature's value is why it failed: 1 + that feature, else 0. */
    uint32_t mismatched;
    sw_str *row_ids; /* of a list's records, empty where one has none; NULL: none has */
} sw_records;

/*
 * The signature must outlive the plan. UNSUPPORTED, naming the input, where one has no named
 * columns (an image, say) or a shape that is no row.
 */
SW_MUST_USE sw_status sw_records_plan_make(sw_records_plan **out, const sw_signature *signature,
                                           sw_arena *arena, sw_error *error);

/* INVALID names the row (from 0) and the field, and says what was expected. */
SW_MUST_USE sw_status sw_records_parse(sw_records *out, const sw_records_plan *plan, sw_str body,
                                       sw_arena *arena, sw_error *error);

/* Records that come one by one, up to `rows_max` at a time. */
typedef struct sw_records_rows sw_records_rows;
SW_MUST_USE sw_status sw_records_rows_make(sw_records_rows **out, const sw_records_plan *plan,
                                           size_t rows_max, sw_arena *arena, sw_error *error);
/* `object` becomes the next row; where it fails, none does. Texts are slices of it or in `texts`:
 * both must stay until the rows are cleared. Messages do not say which one it is, but where in
 * `place` (NULL: in `object`). */
SW_MUST_USE sw_status sw_records_rows_add(sw_records_rows *rows, sw_str object,
                                          const sw_json_place *place, sw_arena *texts,
                                          sw_error *error);
/* As sw_records.mismatched, of what was added last. */
uint32_t sw_records_rows_mismatched(const sw_records_rows *rows);
/* What was added since they were last cleared. */
const sw_records *sw_records_rows_see(sw_records_rows *rows);
void sw_records_rows_clear(sw_records_rows *rows);

/*
 * {"model", "version", "id"?, "predictions": [{output: value, …}, …]}, or "prediction": {…} for a
 * single record. An output [rows] or [rows, 1] gives a plain value, a wider one a list. NaN and
 * infinities become null. INVALID where an output has no row for each record, or bytes that are no
 * UTF-8.
 */
SW_MUST_USE sw_status sw_records_write(sw_buf *out, const sw_infer_response *response, size_t rows,
                                       bool single, sw_error *error);

#endif /* SW_SERVE_RECORDS_H */
