/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

/* Revisions are numbered from 1 without gaps, but this does not depend on it. */
static const sw_past *find(const sw_history *history, uint32_t number) {
    size_t low = 0, high = history->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->past[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < history->count && history->past[low].number == number ? &history->past[low] : NULL;
}

/* The deploy that a revision goes back to by way of rollbacks, or itself. `equals` only points
 * back. */
static const sw_past *root(const sw_history *history, const sw_past *past) {
    while (past->is_rollback && past->equals != 0 && past->equals < past->number) {
        const sw_past *earlier = find(history, past->equals);
        if (!earlier)
            break;
        past = earlier;
    }
    return past;
}

static void push(sw_history *history, const sw_past *past) {
    history->stack[history->depth++] = (uint32_t)(past - history->past);
}

/* Down to `target` if it is on the stack; else what answered gives way to it. */
static void roll_back(sw_history *history, const sw_past *target) {
    uint32_t place = (uint32_t)(target - history->past);
    for (size_t depth = history->depth; depth > 0; depth--) {
        if (history->stack[depth - 1] == place) {
            history->depth = depth;
            return;
        }
    }
    if (history->depth)
        history->depth--;
    push(history, target);
}

void sw_history_replay(sw_history *out, const sw_past *past, size_t count, uint32_t *stack) {
    *out = (sw_history){.past = past, .count = count, .stack = stack};
    for (size_t i = 0; i < count; i++) {
        if (past[i].state != SW_REVISION_LIVE && past[i].state != SW_REVISION_UNDEPLOYED)
            continue;
        out->current = &past[i];
        if (past[i].state == SW_REVISION_UNDEPLOYED)
            continue;
        if (past[i].is_rollback)
            roll_back(out, root(out, &past[i]));
        else
            push(out, &past[i]);
    }
}

const sw_past *sw_history_last_good(const sw_history *history) {
    if (!history->current)
        return NULL;
    size_t taken = history->current->state == SW_REVISION_UNDEPLOYED ? 0 : 1;
    return history->depth > taken ? &history->past[history->stack[history->depth - taken - 1]]
                                  : NULL;
}

const sw_past *sw_history_live(const sw_history *history, uint32_t number) {
    const sw_past *past = find(history, number);
    return past && past->state == SW_REVISION_LIVE ? past : NULL;
}

bool sw_history_answers(const sw_history *history, uint32_t number) {
    const sw_past *past = find(history, number), *current = history->current;
    return past && current && current->state == SW_REVISION_LIVE &&
           root(history, past) == root(history, current);
}
