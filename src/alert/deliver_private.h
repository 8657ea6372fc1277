/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver: carries messages out, each notifier on a thread of its own.
 *
 * A notifier's messages go out in their order; while the first fails it is tried again with growing
 * pauses, for an hour at most, and those behind it wait. A receiver that hangs delays only itself.
 *
 * Threads: any but a loop's.
 * Layer:   alert.
 */
#ifndef SW_ALERT_DELIVER_PRIVATE_H
#define SW_ALERT_DELIVER_PRIVATE_H

#include "alert/store_private.h"

#include <stdatomic.h>

/* Rules that are in use: freed with their last user. */
typedef struct sw_rules_set {
    sw_rules rules;
    sw_arena arena;
    atomic_uint users;
} sw_rules_set;

SW_MUST_USE sw_status sw_rules_set_read(sw_rules_set **out, sw_str yaml,
                                        const sw_rules_context *context, sw_error *error);
sw_rules_set *sw_rules_set_hold(sw_rules_set *set);
void sw_rules_set_drop(sw_rules_set *set);
/* NULL where there is none of that name. */
const sw_notifier *sw_rules_set_notifier(const sw_rules_set *set, sw_str name);

typedef struct sw_deliverer sw_deliverer;

SW_MUST_USE sw_status sw_deliverer_make(sw_deliverer **out, sw_db *db, sw_rules_set *set,
                                        sw_error *error);
/* What is being sent is stopped. NULL is fine. */
void sw_deliverer_stop(sw_deliverer *deliverer);
void sw_deliverer_set_rules(sw_deliverer *deliverer, sw_rules_set *set);

/* `recorded`: its attempts go into the database. Else it is a refresh, which replaces an earlier
 * one that still waits. The row is copied. */
SW_MUST_USE sw_status sw_deliverer_add(sw_deliverer *deliverer, const sw_delivery_row *row,
                                       bool recorded, sw_error *error);
/* Now, on the calling thread, once; `row` then says how it went. */
SW_MUST_USE sw_status sw_deliverer_send_now(sw_delivery_row *row, char reason[SW_ERROR_BYTES],
                                            const sw_notifier *notifier);
void sw_deliverer_counts(uint64_t *sent, uint64_t *failed, const sw_deliverer *deliverer);

#endif /* SW_ALERT_DELIVER_PRIVATE_H */
