/* SPDX-License-Identifier: Apache-2.0 */
/* What the files observation*.c share; reference.c reads predictions in the same way. */
#ifndef SW_SERVE_OBSERVATIONS_PRIVATE_H
#define SW_SERVE_OBSERVATIONS_PRIVATE_H

#include "serve/observations.h"

/* One observation's parts, as they stand in its bytes. */
typedef struct sw_observation {
    sw_str features;   /* JSON */
    sw_str prediction; /* JSON; empty where it is absent */
    sw_str id;         /* text; empty: none */
    int64_t at_ms;     /* 0: now */
    double latency_ms; /* NaN: unknown */
} sw_observation;

/* `place`: of `json`, for messages; NULL is fine, here and below. */
SW_MUST_USE sw_status sw_observation_read(sw_observation *out, sw_str json,
                                          const sw_json_place *place, sw_arena *texts,
                                          sw_error *error);

/* The outputs of the rows that are gathered. */
typedef struct sw_observed_outputs {
    const sw_signature *signature;
    sw_tensor *tensors; /* one for each output, data with room for all rows */
    size_t *widths;     /* values of a row; 0: an open shape, which is not observed */
} sw_observed_outputs;

/* Values in a row of all outputs together. */
size_t sw_observed_outputs_width(const sw_signature *signature);
SW_MUST_USE sw_status sw_observed_outputs_make(sw_observed_outputs *out,
                                               const sw_signature *signature, size_t rows_max,
                                               sw_arena *arena, sw_error *error);
/* Reads a prediction into row `row`. */
SW_MUST_USE sw_status sw_observed_outputs_put(sw_observed_outputs *outputs, size_t row,
                                              sw_str prediction, const sw_json_place *place,
                                              sw_arena *texts, sw_error *error);

#endif /* SW_SERVE_OBSERVATIONS_PRIVATE_H */
