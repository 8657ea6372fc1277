/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task: a piece of work that is handed from one thread to another.
 *
 * Intrusive: put an sw_task into the thing that the work is about, and find that thing again with
 * SW_CONTAINER. A task is in one queue at a time; whoever runs it owns it from then on.
 *
 * Threads: sw_loop_post and sw_pool_submit say who may hand one over.
 * Layer:   io.
 */
#ifndef SW_IO_TASK_H
#define SW_IO_TASK_H

#include <stddef.h>

typedef struct sw_task sw_task;

struct sw_task {
    void (*run)(sw_task *task);
    sw_task *next; /* the queue's */
};

#define SW_CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif /* SW_IO_TASK_H */
