/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oip_raw: tensors as raw little-endian bytes, shared by REST's binary extension and gRPC.
 *
 * A BYTES element is a little-endian 32-bit length and that many bytes; a BOOL is one byte, 0 or 1.
 *
 * Memory:  what is read lies in the arena, or in the bytes it was read from.
 * Threads: any; no state.
 * Layer:   api.
 */
#ifndef SW_API_OIP_RAW_H
#define SW_API_OIP_RAW_H

#include "base/arena.h"
#include "base/status.h"
#include "model/tensor.h"

/*
 * Sets tensor->data; its name, dtype and count are known. Points into `raw` where that is aligned,
 * else copies. INVALID, naming the tensor, where the bytes do not fit datatype and shape.
 */
SW_MUST_USE sw_status sw_oip_raw_read(sw_tensor *tensor, sw_str raw, sw_arena *arena,
                                      sw_error *error);

/* The bytes that writing takes. False where that overflows or a string is longer than 32 bits hold.
 */
bool sw_oip_raw_size(size_t *bytes, const sw_tensor *tensor);
void sw_oip_raw_write(sw_buf *out, const sw_tensor *tensor);

/* Element lists that grow in an arena: room for one more, or NULL. */
void *sw_oip_grow(void *list, size_t count, size_t *cap, size_t size_bytes, sw_arena *arena);

/* An INVALID that names the datatypes there are. */
sw_status sw_oip_bad_datatype(sw_error *error, sw_str tensor, sw_str datatype);

#endif /* SW_API_OIP_RAW_H */
