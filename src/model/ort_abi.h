/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ort_abi: the part of ONNX Runtime's C interface that Slipway calls.
 *
 * OrtGetApiBase()->GetApi(version) gives a table of function pointers to which later releases only
 * append: no member is ever moved or taken out. So the used members are declared here by their
 * place in the table, for interface version 11 (release 1.11, April 2022; later ones serve it too).
 *
 * Threads: declarations alone.
 * Layer:   model. Source: the documented promise in onnxruntime_c_api.h (MIT licence); places and
 *          parameters as of version 11.
 */
#ifndef SW_MODEL_ORT_ABI_H
#define SW_MODEL_ORT_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { SW_ORT_API = 11 };

typedef struct ort_env ort_env;
typedef struct ort_status ort_status;
typedef struct ort_session ort_session;
typedef struct ort_options ort_options;
typedef struct ort_run_options ort_run_options;
typedef struct ort_threading ort_threading;
typedef struct ort_memory ort_memory;
typedef struct ort_value ort_value;
typedef struct ort_allocator ort_allocator;
typedef struct ort_type ort_type;   /* of an input or output */
typedef struct ort_shape ort_shape; /* element type and shape of a tensor */
typedef struct ort_binding ort_binding;

typedef struct ort_base {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
} ort_base;

enum { ORT_LOG_FATAL = 4, ORT_OPTIMIZE_ALL = 99, ORT_IS_TENSOR = 1, ORT_DEVICE_ALLOCATOR = 0 };

/* ONNXTensorElementDataType */
enum {
    ORT_FLOAT = 1,
    ORT_UINT8,
    ORT_INT8,
    ORT_UINT16,
    ORT_INT16,
    ORT_INT32,
    ORT_INT64,
    ORT_STRING,
    ORT_BOOL,
    ORT_FLOAT16,
    ORT_DOUBLE,
    ORT_UINT32,
    ORT_UINT64
};

/* OrtErrorCode, as far as it is told apart */
enum { ORT_INVALID_ARGUMENT = 2, ORT_NOT_IMPLEMENTED = 9, ORT_INVALID_GRAPH = 10 };

/* X(place, result, name, parameters) */
#define ORT_CALLS(X)                                                                               \
    X(1, int, get_error_code, (const ort_status *))                                                \
    X(2, const char *, get_error_message, (const ort_status *))                                    \
    X(7, ort_status *, create_session,                                                             \
      (const ort_env *, const char *path, const ort_options *, ort_session **))                    \
    X(8, ort_status *, create_session_from_array,                                                  \
      (const ort_env *, const void *model, size_t size, const ort_options *, ort_session **))      \
    X(9, ort_status *, run,                                                                        \
      (ort_session *, const ort_run_options *, const char *const *input_names,                     \
       const ort_value *const *inputs, size_t input_count, const char *const *output_names,        \
       size_t output_count, ort_value **outputs))                                                  \
    X(10, ort_status *, create_options, (ort_options **))                                          \
    X(17, ort_status *, disable_mem_pattern, (ort_options *))                                      \
    X(23, ort_status *, set_optimization, (ort_options *, int level))                              \
    X(30, ort_status *, input_count, (const ort_session *, size_t *))                              \
    X(31, ort_status *, output_count, (const ort_session *, size_t *))                             \
    X(33, ort_status *, input_type, (const ort_session *, size_t index, ort_type **))              \
    X(34, ort_status *, output_type, (const ort_session *, size_t index, ort_type **))             \
    X(36, ort_status *, input_name, (const ort_session *, size_t index, ort_allocator *, char **)) \
    X(37, ort_status *, output_name,                                                               \
      (const ort_session *, size_t index, ort_allocator *, char **))                               \
    X(39, ort_status *, create_run_options, (ort_run_options **))                                  \
    X(46, ort_status *, terminate, (ort_run_options *))                                            \
    X(48, ort_status *, create_tensor,                                                             \
      (ort_allocator *, const int64_t *shape, size_t rank, int type, ort_value **))                \
    X(49, ort_status *, create_tensor_over,                                                        \
      (const ort_memory *, void *data, size_t size, const int64_t *shape, size_t rank, int type,   \
       ort_value **))                                                                              \
    X(51, ort_status *, tensor_data, (ort_value *, void **))                                       \
    X(52, ort_status *, fill_strings, (ort_value *, const char *const *texts, size_t count))       \
    X(53, ort_status *, strings_size, (const ort_value *, size_t *))                               \
    X(54, ort_status *, strings_content,                                                           \
      (const ort_value *, void *to, size_t size, size_t *offsets, size_t count))                   \
    X(55, ort_status *, type_as_tensor, (const ort_type *, const ort_shape **))                    \
    X(56, ort_status *, type_kind, (const ort_type *, int *))                                      \
    X(60, ort_status *, shape_type, (const ort_shape *, int *))                                    \
    X(61, ort_status *, shape_rank, (const ort_shape *, size_t *))                                 \
    X(62, ort_status *, shape_dims, (const ort_shape *, int64_t *, size_t rank))                   \
    X(63, ort_status *, shape_dim_names, (const ort_shape *, const char **, size_t rank))          \
    X(65, ort_status *, value_shape, (const ort_value *, ort_shape **))                            \
    X(67, ort_status *, value_kind, (const ort_value *, int *))                                    \
    X(69, ort_status *, create_cpu_memory, (int allocator, int memory, ort_memory **))             \
    X(76, ort_status *, allocator_free, (ort_allocator *, void *))                                 \
    X(78, ort_status *, default_allocator, (ort_allocator **))                                     \
    X(93, void, release_status, (ort_status *))                                                    \
    X(95, void, release_session, (ort_session *))                                                  \
    X(96, void, release_value, (ort_value *))                                                      \
    X(97, void, release_run_options, (ort_run_options *))                                          \
    X(98, void, release_type, (ort_type *))                                                        \
    X(99, void, release_shape, (ort_shape *))                                                      \
    X(100, void, release_options, (ort_options *))                                                 \
    X(119, ort_status *, create_env_with_pool,                                                     \
      (int log_level, const char *log_name, const ort_threading *, ort_env **))                    \
    X(120, ort_status *, use_env_pool, (ort_options *))                                            \
    X(121, ort_status *, create_threading, (ort_threading **))                                     \
    X(122, void, release_threading, (ort_threading *))                                             \
    X(130, ort_status *, set_option, (ort_options *, const char *key, const char *value))          \
    X(133, ort_status *, run_binding,                                                              \
      (ort_session *, const ort_run_options *, const ort_binding *))                               \
    X(134, ort_status *, create_binding, (ort_session *, ort_binding **))                          \
    X(135, void, release_binding, (ort_binding *))                                                 \
    X(136, ort_status *, bind_input, (ort_binding *, const char *name, const ort_value *))         \
    X(137, ort_status *, bind_output, (ort_binding *, const char *name, const ort_value *))        \
    X(147, ort_status *, set_threads, (ort_threading *, int count))                                \
    X(148, ort_status *, set_graph_threads, (ort_threading *, int count))                          \
    X(149, ort_status *, set_spinning, (ort_threading *, int on))

typedef struct ort_calls {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define X(place, result, name, parameters) result(*name) parameters;
    ORT_CALLS(X)
#undef X
} ort_calls;

#endif /* SW_MODEL_ORT_ABI_H */
