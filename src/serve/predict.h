/* SPDX-License-Identifier: Apache-2.0 */
/*
 * predict: the way of one prediction, whatever protocol it came by.
 *
 * One table of steps (predict.c) is walked for each request: resolve, fill, validate, admit, infer,
 * reply, observe. A step says NEXT, WAIT (somebody will call sw_predict_go on) or DONE. A protocol
 * adds only how its bytes become tensors and back.
 *
 * Requests that arrive in one turn of a loop wait until its end and run as one batch a version,
 * where the model's rows are independent. Runs that are estimated to take longer than
 * SW_PREDICT_ON_LOOP_NS go to the pool instead, so that a dear model never delays a cheap one.
 *
 * Memory:  an sw_predict lives in its request's arena, which must live until `refuse` has returned,
 *          or until sw_predictor_observe has run in the turn of `reply`.
 * Threads: the request's loop; a dear run borrows a pool thread and comes back.
 * Layer:   serve. Knows no HTTP.
 */
#ifndef SW_SERVE_PREDICT_H
#define SW_SERVE_PREDICT_H

#include "decay/prediction_id.h"
#include "io/pool.h"
#include "model/stop.h"
#include "serve/infer_request.h"
#include "serve/live.h"

typedef struct sw_predictor sw_predictor;

/* What a protocol adds to the way of a prediction. */
typedef struct sw_protocol {
    const char *name; /* "oip_rest", "records", "oip_grpc" */
    /* Sets request.model and request.version. */
    sw_status (*address)(sw_predict *predict);
    /* Fills request.inputs (any order) and the rest of the request; `served` is known by now. */
    sw_status (*fill)(sw_predict *predict);
    /* Answers with `outputs`. A failure here is a failure of the prediction. */
    sw_status (*reply)(sw_predict *predict);
    /* Answers with `status` and `error`. */
    void (*refuse)(sw_predict *predict);
} sw_protocol;

struct sw_predict {
    const sw_protocol *protocol;
    sw_predictor *predictor;
    void *owner; /* the protocol's: its exchange */
    sw_loop *loop;
    sw_arena *arena;
    uint64_t received_ns;
    uint64_t deadline_ns;         /* 0 = none */
    const atomic_bool *cancelled; /* the client has gone */

    sw_infer_request request;
    char made_id[SW_PREDICTION_ID_BYTES]; /* what request.id is, where the client gave none */
    sw_served *served;                    /* pinned */
    sw_tensor *inputs;                    /* in the signature's order */
    sw_tensor *outputs;
    size_t rows;
    uint32_t mismatched;           /* by fill: as in sw_records */
    uint64_t started_ns, ended_ns; /* of the run */
    sw_status status;

    uint32_t step;
    sw_predict *next;          /* waiting in the same turn */
    sw_predict *older, *newer; /* among the dear ones of this loop */
    sw_stop stop;              /* ends a dear run early */
    sw_task task;
    sw_error error;
};

/* A run that is estimated to take longer than this leaves the loop. */
enum { SW_PREDICT_ON_LOOP_NS = 100000 };

typedef struct sw_predict_limits {
    uint32_t in_hand_max; /* predictions begun and not answered, all loops; 0 = 8,192 */
    uint32_t queue_max;   /* dear ones waiting for a thread; 0 = 256 */
    uint32_t threads;     /* for dear models; 0 = one for each CPU */
} sw_predict_limits;

/* Before the loops run: adds hooks to them. */
SW_MUST_USE sw_status sw_predictor_make(sw_predictor **out, sw_live *live, sw_loops *loops,
                                        const sw_predict_limits *limits, sw_error *error);
/* After the server has drained and before the loops stop: waits for dear runs. */
void sw_predictor_stop(sw_predictor *predictor);
void sw_predictor_free(sw_predictor *predictor);

/* Predictions in hand now, over all loops. */
uint32_t sw_predictor_in_hand(const sw_predictor *predictor);
uint32_t sw_predictor_waiting(const sw_predictor *predictor);

/* Merges what every loop has counted into the shared counts, and returns when all have. From any
 * thread but a loop's, while the loops run. */
void sw_predictor_merge(sw_predictor *predictor);

/* Counts what this turn has predicted. Once a turn, after its replies were sent and while their
 * requests' arenas still live; the context is the predictor. */
void sw_predictor_observe(void *context, sw_loop *loop);

/*
 * Begins the way; on the loop. The reply comes before this returns, or later in the same turn, or
 * when a dear run has come back. All fields above `request` are set by the caller.
 */
void sw_predict_go(sw_predict *predict);

#endif /* SW_SERVE_PREDICT_H */
