/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oip_json_data: the "data" of a tensor in JSON, flat or nested, into typed memory.
 *
 * Memory:  the reader's arena.
 * Threads: one at a time for each reader.
 * Layer:   api.
 */
#ifndef SW_API_OIP_JSON_DATA_H
#define SW_API_OIP_JSON_DATA_H

#include "base/json.h"
#include "model/tensor.h"

/* Reads the array that comes next. The tensor's name, dtype, shape and count are known; sets its
 * data. */
bool sw_oip_json_read_data(sw_json_reader *in, sw_tensor *tensor);

#endif /* SW_API_OIP_JSON_DATA_H */
