/* SPDX-License-Identifier: Apache-2.0 */
/* What the files extract*.c share. */
#ifndef SW_PROXY_EXTRACT_PRIVATE_H
#define SW_PROXY_EXTRACT_PRIVATE_H

#include "base/json.h"
#include "proxy/extract.h"

/* A line is {"features": {…}, "prediction": …, "id", "at_ms", "latency_ms"}: `begin` opens the
 * features, the caller writes them and the rest up to `end`. */
void sw_extract_begin_line(sw_json *w, sw_buf *lines);
void sw_extract_end_line(sw_json *w, const sw_capture *capture, size_t row, size_t rows);

/* extract_oip.c, extract_json.c */
SW_MUST_USE sw_status sw_extract_oip(sw_buf *lines, size_t *rows, const sw_capture *capture,
                                     const sw_extract_rules *rules, sw_arena *arena,
                                     sw_error *error);
SW_MUST_USE sw_status sw_extract_json(sw_buf *lines, size_t *rows, const sw_capture *capture,
                                      const sw_extract_rules *rules, sw_error *error);

#endif /* SW_PROXY_EXTRACT_PRIVATE_H */
