/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch_private.h"

#include "base/num.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/*
 * PSI = Σ (l - r) ln(l / r) over at most ten groups of the reference's bins, r and l being the
 * shares of a group in the reference and live, each group with half a count added on both sides so
 * that an empty one stays finite. Missing values are left out of it (their share is judged beside
 * it); what is below or above the range, or unseen, belongs to the first, last or remaining group.
 *
 * Under no drift PSI is about (1/n + 1/m) times a chi-square with one degree of freedom less than
 * there are groups (B. Yurdakul and J. Naranjo, "Statistical properties of the population stability
 * index", 2020). So a PSI counts only where it is above both its limit and what chance reaches
 * once in 10,000 at these n and m: few rows, or a small reference, raise no alarm.
 */
enum { GROUPS = 10 };

static const double psi_moved = 0.1, psi_drifted = 0.2;
static const double share_moved = 0.01,
                    share_drifted = 0.05; /* of missing and out-of-range values */
static const double z_chance = 3.719;     /* normal quantile of 1 - 1/10,000 */

const char *sw_watch_state_text(sw_watch_state state) {
    static const char *const texts[] = {"unwatched", "too few rows", "undefined",
                                        "same",      "moved",        "drifted"};
    return texts[state];
}

sw_watch_state sw_watch_overall(bool has_profile, uint64_t rows, sw_watch_state worst) {
    return !has_profile ? SW_WATCH_UNWATCHED : rows < SW_WATCH_ROWS_MIN ? SW_WATCH_TOO_FEW : worst;
}

/* ---- Groups ---- */

typedef struct groups {
    double reference[GROUPS], live[GROUPS];
    int count;
} groups;

static void close_group(groups *g, uint64_t reference, uint64_t live) {
    if (reference + live == 0)
        return;
    g->reference[g->count] = (double)reference;
    g->live[g->count] = (double)live;
    g->count++;
}

/* Neighbouring bins together, of near-equal counts in the reference; none that the reference leaves
 * empty. */
static void group_numeric(groups *g, const sw_profile_column *c, const uint64_t *live,
                          uint64_t total) {
    uint32_t first = SW_BIN_FIRST, last = c->bin_count - 1; /* `last`: above */
    uint64_t reference = c->counts[SW_BIN_BELOW], seen = live[SW_BIN_BELOW], left = total;
    for (uint32_t bin = first; bin < last; bin++) {
        double target = (double)left / (GROUPS - g->count), half = (double)c->counts[bin] / 2;
        if (reference && g->count < GROUPS - 1 && c->counts[bin] &&
            (double)reference + half > target) {
            close_group(g, reference, seen);
            left -= reference;
            reference = seen = 0;
        }
        reference += c->counts[bin];
        seen += live[bin];
    }
    close_group(g, reference + c->counts[last], seen + live[last]);
}

/* The nine most frequent categories, and the rest. */
static void group_category(groups *g, const sw_profile_column *c, const uint64_t *live) {
    uint64_t reference = c->counts[SW_BIN_UNSEEN], seen = live[SW_BIN_UNSEEN];
    for (uint32_t bin = SW_BIN_FIRST; bin < c->bin_count; bin++) {
        if (g->count < GROUPS - 1) {
            close_group(g, c->counts[bin], live[bin]);
        } else {
            reference += c->counts[bin];
            seen += live[bin];
        }
    }
    close_group(g, reference, seen);
}

static double psi_of(const groups *g, double n, double m) {
    double psi = 0, added = 0.5 * g->count;
    for (int i = 0; i < g->count; i++) {
        double r = (g->reference[i] + 0.5) / (n + added), l = (g->live[i] + 0.5) / (m + added);
        psi += (l - r) * log(l / r);
    }
    return psi;
}

/* E. Wilson and M. Hilferty, "The distribution of chi-square" (1931). */
static double chi_square_reach(int degrees) {
    double k = degrees, spread = 2 / (9 * k), root = 1 - spread + z_chance * sqrt(spread);
    return k * root * root * root;
}

/* ---- Words ---- */

__attribute__((format(printf, 2, 3))) static void say(sw_verdict *v, const char *format, ...) {
    size_t len = strlen(v->why);
    if (len && len + 3 < sizeof v->why) {
        memcpy(v->why + len, "; ", 3);
        len += 2;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(v->why + len, sizeof v->why - len, format, args);
    va_end(args);
}

/* "12", "1.2" or "0.03": two figures that tell something. */
static const char *percent(char text[16], double share) {
    double x = share * 100;
    snprintf(text, 16, "%.*f", x == 0 || x >= 9.95 ? 0 : x >= 0.995 ? 1 : 2, x);
    return text;
}

static void say_psi(sw_verdict *v, const char *side, double limit) {
    int decimals = fabs(v->psi - limit) < 0.01 ? 4 : 2;
    say(v, "PSI %.*f (%s %.1f)", decimals, v->psi, side, limit);
}

/* ---- Judging ---- */

static void raise_to(sw_verdict *v, sw_watch_state state) {
    v->state = state > v->state ? state : v->state;
}

/* Whether shares of `n` and `m` values differ by more than chance explains. */
static bool beyond_chance(double a, double n, double b, double m) {
    double pooled = (a * n + b * m) / (n + m);
    return fabs(a - b) > z_chance * sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
}

static void judge_missing(sw_verdict *v, double n, double m) {
    char live[16], before[16];
    double apart = fabs(v->missing - v->reference_missing);
    if (apart < share_moved || !beyond_chance(v->reference_missing, n, v->missing, m))
        return;
    raise_to(v, apart < share_drifted ? SW_WATCH_MOVED : SW_WATCH_DRIFTED);
    say(v, "missing %s %% (reference %s %%)", percent(live, v->missing),
        percent(before, v->reference_missing));
}

/*
 * New values lie outside the range of n old ones even under no drift: about 2 of n + 1 beyond their
 * minimum and maximum, and of categories about as many of n as occurred once (I. Good, "The
 * population frequencies of species", 1953).
 */
static double expected_outside(const sw_profile_column *c, double n) {
    bool category = c->kind == SW_FEATURE_CATEGORY;
    double news = category ? 0 : 2, outside = (double)c->counts[1];
    for (uint32_t bin = SW_BIN_FIRST; category && bin < c->bin_count; bin++)
        news += c->counts[bin] == 1;
    if (!category)
        outside += (double)c->counts[c->bin_count - 1];
    double share = (outside + news) / (n + 1);
    return share < 1 ? share : 1;
}

static void judge_outside(sw_verdict *v, const sw_profile_column *c, double n, double m) {
    char live[16], before[16];
    double expected = expected_outside(c, n), apart = v->outside - expected;
    if (apart < share_moved || !beyond_chance(expected, n, v->outside, m))
        return;
    raise_to(v, apart < share_drifted ? SW_WATCH_MOVED : SW_WATCH_DRIFTED);
    say(v, "%s %% %s (expected %s %%)", percent(live, v->outside),
        c->kind == SW_FEATURE_CATEGORY ? "unseen values" : "out of range",
        percent(before, expected));
}

static void judge_psi(sw_verdict *v, const groups *g, double n, double m) {
    if (g->count < 2)
        return;
    v->psi = psi_of(g, n, m);
    v->psi_noise = chi_square_reach(g->count - 1) * (1 / n + 1 / m);
    if (v->psi >= psi_moved && v->psi < v->psi_noise) {
        raise_to(v, SW_WATCH_SAME);
        say(v, "PSI %.2f is within chance at these rows (up to %.2f)", v->psi, v->psi_noise);
    } else if (v->psi >= psi_moved) {
        bool drifted = v->psi >= psi_drifted;
        raise_to(v, drifted ? SW_WATCH_DRIFTED : SW_WATCH_MOVED);
        say_psi(v, "above", drifted ? psi_drifted : psi_moved);
    } else {
        raise_to(v, SW_WATCH_SAME);
    }
}

static void judge_values(sw_verdict *v, const sw_profile_column *c, const uint64_t *live,
                         uint64_t n, uint64_t m) {
    groups g = {.count = 0};
    if (c->kind == SW_FEATURE_CATEGORY)
        group_category(&g, c, live);
    else
        group_numeric(&g, c, live, n);
    judge_psi(v, &g, (double)n, (double)m);
    judge_outside(v, c, (double)n, (double)m);
    if (v->state == SW_WATCH_SAME && !v->why[0])
        say_psi(v, "below", psi_moved);
    if (v->state == SW_WATCH_UNDEFINED)
        say(v, "constant in the reference: PSI is not defined, only the range and missing values "
               "are watched");
}

/* All bins but the missing one. */
static uint64_t values_of(const sw_profile_column *c, const uint64_t *counts) {
    uint64_t sum = 0;
    for (uint32_t bin = 1; bin < c->bin_count; bin++)
        sum += counts[bin];
    return sum;
}

static double share_of(uint64_t part, uint64_t rest) {
    return part + rest ? (double)part / (double)(part + rest) : NAN;
}

sw_verdict sw_watch_judge(const sw_profile_column *reference, const uint64_t *live, uint64_t rows) {
    const sw_profile_column *c = reference;
    uint64_t missing = live[SW_BIN_MISSING];
    sw_verdict v = {
        .state = SW_WATCH_UNWATCHED, .psi = NAN, .outside = NAN, .reference_missing = NAN};
    if (!c) {
        v.missing = share_of(missing, rows > missing ? rows - missing : 0);
        say(&v, "no reference profile was pushed with this version");
        return v;
    }
    uint64_t n = values_of(c, c->counts), m = values_of(c, live), outside = live[1];
    if (c->kind == SW_FEATURE_NUMERIC)
        outside += live[c->bin_count - 1];
    v.missing = share_of(missing, m);
    v.reference_missing = share_of(c->counts[SW_BIN_MISSING], n);
    v.outside = n ? share_of(outside, m - outside) : NAN;
    if (missing + m < SW_WATCH_ROWS_MIN) {
        v.state = SW_WATCH_TOO_FEW;
        say(&v, "%s of %d rows", sw_num_grouped(missing + m).at, SW_WATCH_ROWS_MIN);
        return v;
    }
    v.state = n == 0 || m >= SW_WATCH_ROWS_MIN ? SW_WATCH_UNDEFINED : SW_WATCH_TOO_FEW;
    if (c->rows)
        judge_missing(&v, (double)c->rows, (double)(missing + m));
    if (n && m >= SW_WATCH_ROWS_MIN)
        judge_values(&v, c, live, n, m);
    else if (!v.why[0] && n)
        say(&v, "%s of %d values that are not missing", sw_num_grouped(m).at, SW_WATCH_ROWS_MIN);
    else if (!v.why[0])
        say(&v, "all values are missing in the reference");
    return v;
}
