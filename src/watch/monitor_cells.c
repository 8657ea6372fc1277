/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitor_private.h"

#include "base/mem.h"

/* Fewer groups for a small reference: each costs some of what it can tell. */
enum { GROUPS_MAX = 10, GROUPS_MIN = 4, ROWS_PER_GROUP = 200 };

static uint32_t groups_for(uint64_t rows) {
    uint64_t groups = GROUPS_MIN + rows / ROWS_PER_GROUP;
    return groups < GROUPS_MAX ? (uint32_t)groups : GROUPS_MAX;
}

/* Neighbouring bins together, of near-equal counts. `c->cells` stands behind "below". */
static void group_numeric(sw_column_cells *c, const sw_profile_column *r, uint64_t values) {
    uint32_t most = groups_for(values);
    uint64_t left = values, held = 0;
    c->reference[1] = r->counts[SW_BIN_BELOW];
    c->cell_of[SW_BIN_BELOW] = 1;
    c->cells = 2;
    for (uint32_t bin = SW_BIN_FIRST; bin + 1 < r->bin_count; bin++) {
        double target = (double)left / (most - c->groups),
               reached = (double)held + (double)r->counts[bin] / 2;
        if (held && r->counts[bin] && c->groups + 1 < most && reached > target) {
            c->groups++;
            c->cells++;
            left -= held;
            held = 0;
        }
        held += r->counts[bin];
        c->cell_of[bin] = (uint8_t)c->cells;
        c->reference[c->cells] += r->counts[bin];
    }
    c->groups += held > 0;
    c->cells++;
    c->cell_of[r->bin_count - 1] = (uint8_t)c->cells;
    c->reference[c->cells] = r->counts[r->bin_count - 1];
    c->cells++;
}

static void leave_out_ends(sw_column_cells *c, const sw_profile_column *r) {
    uint32_t last = c->cells - 1;
    bool few = r->levels != NULL; /* of few distinct values the least and greatest are many rows */
    bool least = !few || r->counts[SW_BIN_FIRST] == 1,
         greatest = !few || r->counts[r->bin_count - 2] == 1;
    if (c->groups == 1 && few)
        return;
    if (least && c->reference[2] > 1) {
        c->reference[1]++;
        c->reference[2]--;
    }
    if (greatest && c->reference[last - 1] > 1) {
        c->reference[last]++;
        c->reference[last - 1]--;
    }
}

static void group_category(sw_column_cells *c, const sw_profile_column *r, uint64_t values) {
    uint32_t most = groups_for(values), known = r->bin_count - SW_BIN_FIRST;
    bool rest = known > most;
    uint32_t unseen = 1 + (rest ? most + 1 : known);
    c->cell_of[SW_BIN_UNSEEN] = (uint8_t)unseen;
    c->reference[unseen] = r->counts[SW_BIN_UNSEEN];
    for (uint32_t i = 0; i < known; i++) {
        uint32_t bin = SW_BIN_FIRST + i, cell = i < most ? 1 + i : 1 + most;
        uint64_t count = r->counts[bin];
        c->cell_of[bin] = (uint8_t)cell;
        c->reference[cell] += count == 1 ? 0 : count;
        c->reference[unseen] += count == 1;
    }
    c->cells = unseen + 1;
    for (uint32_t cell = 1; cell < unseen; cell++)
        c->groups += c->reference[cell] > 0;
}

bool sw_column_cells_make(sw_column_cells *out, const sw_profile_column *reference) {
    const sw_profile_column *r = reference;
    uint64_t values = 0;
    *out = (sw_column_cells){.numeric = r->kind == SW_FEATURE_NUMERIC, .bin_count = r->bin_count};
    out->cell_of = sw_mem_zalloc(r->bin_count ? r->bin_count : 1, 1);
    if (!out->cell_of)
        return false;
    for (uint32_t bin = 1; bin < r->bin_count; bin++)
        values += r->counts[bin];
    out->cells = 1;
    if (values && out->numeric && r->bin_count > SW_BIN_FIRST + 1) {
        group_numeric(out, r, values);
        leave_out_ends(out, r);
    } else if (values && !out->numeric && r->bin_count > SW_BIN_FIRST) {
        group_category(out, r, values);
    } else if (r->bin_count > 1) {
        out->cells = 2; /* all values that are there, of which nothing is known */
        memset(out->cell_of + 1, 1, r->bin_count - 1);
        out->reference[1] = values;
    }
    out->width = out->cells;
    out->reference[0] = r->bin_count ? r->counts[SW_BIN_MISSING] : 0;
    return true;
}

void sw_column_cells_free(sw_column_cells *cells) {
    sw_mem_free(cells->cell_of);
    cells->cell_of = NULL;
}

void sw_column_cells_add(uint32_t *into, const sw_column_cells *cells, const uint64_t *bins) {
    for (uint32_t bin = 0; bin < cells->bin_count; bin++)
        into[cells->cell_of[bin]] += (uint32_t)bins[bin];
}

/* ---- A signal's cells ---- */

uint32_t sw_signal_cells(sw_finding_kind kind, const sw_column_cells *column) {
    return kind == SW_FINDING_DISTRIBUTION ? column->cells - 1 : 2;
}

void sw_signal_take(uint64_t *out, sw_finding_kind kind, const sw_column_cells *column,
                    const uint32_t *until, const uint32_t *since) {
    uint32_t cells = column->cells, outside = 0, values = 0;
    for (uint32_t k = 1; k < cells; k++) {
        uint32_t count = until[k] - since[k];
        values += count;
        if (k == cells - 1 || (k == 1 && column->numeric))
            outside += count;
        if (kind == SW_FINDING_DISTRIBUTION)
            out[k - 1] = count;
    }
    if (kind == SW_FINDING_MISSING) {
        out[0] = until[0] - since[0];
        out[1] = values;
    } else if (kind == SW_FINDING_TYPE) {
        out[0] = until[cells] - since[cells];
        out[1] = values + (until[0] - since[0]);
    } else if (kind != SW_FINDING_DISTRIBUTION) {
        out[0] = outside;
        out[1] = values - outside;
    }
}
