/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embedded: files that the build put into the binary.
 *
 * A table of them ends with a row whose name is NULL.
 *
 * Memory:  constant.
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_EMBEDDED_H
#define SW_BASE_EMBEDDED_H

typedef struct sw_embedded_bytes {
    const char *at;
    const char *end;
} sw_embedded_bytes;

typedef struct sw_embedded {
    const char *name;
    const char *content_type;
    sw_embedded_bytes plain;
    sw_embedded_bytes gzip; /* the same, compressed; NULLs where there is none */
} sw_embedded;

#endif /* SW_BASE_EMBEDDED_H */
