/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo: the parts of `slipway demo`.
 *
 * Memory:  each open has its close; embedded files are constant.
 * Threads: the main thread, but for the callers of a load, which touch their own row of it alone.
 * Layer:   cli.
 */
#ifndef SW_CLI_DEMO_PRIVATE_H
#define SW_CLI_DEMO_PRIVATE_H

#include "base/embedded.h"
#include "cli/cli_private.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#define SW_DEMO_MODEL "breast-cancer"
/* How much too large the drifted lengths are. */
#define SW_DEMO_STRETCH 1.3
enum { SW_DEMO_COLUMNS = 30, SW_DEMO_CALLERS = 2 };

/* ---- The example's files, in the binary ---- */

extern const sw_embedded sw_examples[];

/* By its name in examples/breast_cancer; {NULL, 0} where the binary has no such file. */
sw_str sw_demo_file(const char *name);

/* Rows of a CSV of the example: features, the label, and what the training code answered. */
typedef struct sw_demo_rows {
    size_t count;
    double (*x)[SW_DEMO_COLUMNS];
    double *label;    /* of malignant, or =label */
    double *expected; /* =probabilities[1]; 0 where the file has none */
    char (*names)[48];
} sw_demo_rows;

SW_MUST_USE sw_status sw_demo_rows_read(sw_demo_rows *out, const char *file, sw_error *error);
void sw_demo_rows_free(sw_demo_rows *rows);
/* Lengths a factor too large, areas by its square: as a wrongly calibrated microscope would. */
void sw_demo_rows_stretch(sw_demo_rows *rows, double factor);

/* ---- Requests: the same rows three ways ---- */

/* Rows first … first+count, wrapping round at the end. */
void sw_demo_write_infer(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count);
void sw_demo_write_records(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count);
/* One gRPC message with its frame of five bytes. */
void sw_demo_write_grpc(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count);

/* The probability of malignancy of each row. INVALID says what the answer lacks. */
SW_MUST_USE sw_status sw_demo_read_infer(double *to, size_t count, sw_str body, sw_error *error);
SW_MUST_USE sw_status sw_demo_read_records(double *to, size_t count, sw_str body, sw_error *error);
SW_MUST_USE sw_status sw_demo_read_grpc(double *to, size_t count, sw_str body, sw_str trailers,
                                        sw_error *error);

/* ---- A server of our own ---- */

typedef struct sw_demo_server {
    pid_t pid; /* 0: none */
    int log;   /* what it prints; -1: none */
    char listen[128];
    char url[160];
    char data[256];
    bool data_is_ours; /* removed at the end */
} sw_demo_server;

/* Starts this program's `serve` and waits until it is ready. `listen` and `data` may be NULL. */
SW_MUST_USE sw_status sw_demo_server_start(sw_demo_server *server, const char *listen,
                                           const char *data, sw_error *error);
bool sw_demo_server_runs(sw_demo_server *server);
/* Asks it to stop, waits, and removes its data where they were the demo's own. */
void sw_demo_server_stop(sw_demo_server *server);

/* ---- Callers in the background ---- */

typedef struct sw_demo_caller {
    pthread_t thread;
    sw_client *client;
    const sw_demo_rows *rows;
    atomic_bool *stop;
    atomic_ullong requests, failures;
    atomic_ullong by_version[3];
    double slowest_s;
    char first_failure[256];
} sw_demo_caller;

typedef struct sw_demo_load {
    sw_demo_caller callers[SW_DEMO_CALLERS];
    size_t count;
    atomic_bool stop;
} sw_demo_load;

SW_MUST_USE sw_status sw_demo_load_start(sw_demo_load *load, const char *url,
                                         const sw_demo_rows *rows, sw_error *error);
/* Answers of `version` so far. */
unsigned long long sw_demo_load_answers(sw_demo_load *load, unsigned version);
void sw_demo_load_stop(sw_demo_load *load);

/* ---- The tour ---- */

enum { SW_DEMO_STEP_TEXT_BYTES = 400 };

typedef struct sw_demo_tour {
    sw_cli *cli;
    sw_demo_server server;
    bool boosted; /* ONNX Runtime is at hand */
    sw_demo_rows test, check, drifted;
    uint64_t rows_sent;
    sw_demo_load load;
    json_t *steps;
    volatile sig_atomic_t *interrupted; /* set by Ctrl-C */
    char text[SW_DEMO_STEP_TEXT_BYTES]; /* what the running step says of itself */
} sw_demo_tour;

typedef struct sw_demo_step {
    const char *name;
    sw_status (*run)(sw_demo_tour *demo);
} sw_demo_step;

/* In their order; the last row has no name. */
extern const sw_demo_step sw_demo_steps[];

/* POST to the tour's server; an answer of 400 and above is a failure. */
SW_MUST_USE sw_status sw_demo_post(sw_reply *reply, sw_demo_tour *demo, const char *path,
                                   const char *type, sw_str body);

#endif /* SW_CLI_DEMO_PRIVATE_H */
