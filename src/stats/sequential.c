/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sequential.h"

#include <math.h>

/*
 * The mixture Q. Its parts are distributions on sequences of rows and their weights add up to one.
 *
 * Tilts: base · exp(θ·place), moved, and base · exp(θ·(place² - 1)), spread; places are logits of
 * the cell's middle rank, scaled to be near normal scores, so that θ is about a shift in standard
 * deviations. Spikes: a share of all rows goes to one cell. Emptied: nine tenths of one cell's rows
 * go to the sink (a category that was renamed).
 */
static const double tilts[SW_SEQ_TILTS] = {-1.5,   -1.1, -0.8, -0.6,  -0.45, -0.33, -0.24, -0.18,
                                           -0.135, -0.1, 0.1,  0.135, 0.18,  0.24,  0.33,  0.45,
                                           0.6,    0.8,  1.1,  1.5,   -0.4,  -0.2,  0.2,   0.4};
enum { TILTS_MOVE = 20 };
static const double spikes[SW_SEQ_SPIKES] = {0.05, 0.2, 0.6, 0.95};
static const double emptying = 0.9, logit_to_normal = 0.6;
static const double dirichlet_rows[2] = {0, 200}; /* how firmly each Dirichlet keeps to the base */
static const double weight_dirichlet = 0.12, weight_tilts = 0.46, weight_spikes = 0.2,
                    weight_emptied = 0.1; /* 2 · 0.12 + 0.46 + 0.2 + 0.1 = 1 */

enum {
    STEPS_MAX = 8,
    PARTS_MAX = SW_SEQ_TILTS + SW_SEQ_CELLS_MAX * (SW_SEQ_SPIKES + 1) + 2,
};
static const double negligible = 12; /* nats below the largest: left out of a sum */

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* ---- The null set ---- */

double sw_seq_radius(uint32_t cells, uint64_t rows, double miss) {
    double d = cells - 1, surprise = -log(miss), r = d + surprise + sqrt(2 * d * surprise);
    for (int i = 0; i < 20; i++) /* Newton on r - d - d ln(r / d) = surprise */
        r -= (r - d - d * log(r / d) - surprise) / (1 - d / r);
    return r / (double)rows;
}

/* ---- Making ---- */

static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

static void make_places(sw_seq_test *t) {
    double below = 0;
    for (uint32_t k = 0; k < t->cells; k++) {
        double middle = below + t->base[k] / 2;
        t->place[k] = logit_to_normal * log(middle / (1 - middle));
        below += t->base[k];
    }
    for (uint32_t i = 0; i < SW_SEQ_TILTS; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < t->cells; k++) {
            double x = t->place[k];
            sum += t->base[k] * exp(tilts[i] * (i < TILTS_MOVE ? x : x * x - 1));
        }
        t->log_norm[i] = log(sum);
    }
}

static double alpha(const sw_seq_test *t, int part, uint32_t k) {
    return 0.5 + dirichlet_rows[part] * t->base[k];
}

static double alpha_sum(const sw_seq_test *t, int part) {
    return 0.5 * t->cells + dirichlet_rows[part];
}

static void make_dirichlet(sw_seq_test *t, int part) {
    for (uint32_t k = 0; k < t->cells; k++)
        t->log_gamma[part][k] = log_gamma(alpha(t, part, k));
    t->log_gamma_sum[part] = log_gamma(alpha_sum(t, part));
}

void sw_seq_test_make(sw_seq_test *out, const uint64_t *reference, uint32_t cells,
                      sw_seq_shape shape, uint32_t sink, double tolerance, double miss) {
    *out = (sw_seq_test){.cells = cells, .shape = shape, .sink = sink};
    for (uint32_t k = 0; k < cells; k++)
        out->rows += out->reference[k] = reference[k];
    double n = (double)out->rows;
    for (uint32_t k = 0; k < cells; k++) {
        double share = (double)reference[k] / n;
        out->share[k] = share;
        out->entropy += share > 0 ? share * log(share) : 0;
        out->base[k] = ((double)reference[k] + 0.5) / (n + 0.5 * cells);
        out->log_base[k] = log(out->base[k]);
    }
    double base_sink = out->base[sink];
    for (uint32_t k = 0; k < cells; k++) {
        for (uint32_t i = 0; i < SW_SEQ_SPIKES; i++)
            out->spike[k][i] = log(((1 - spikes[i]) * out->base[k] + spikes[i]) / out->base[k]);
        out->emptied[k] = log((base_sink + emptying * out->base[k]) / base_sink);
    }
    double sampling = sw_seq_radius(cells, out->rows, miss);
    out->radius = sampling > tolerance / 2 ? sampling : tolerance / 2;
    if (shape == SW_SEQ_ORDERED)
        make_places(out);
    make_dirichlet(out, 0);
    make_dirichlet(out, 1);
}

/* ---- The supremum over the null set ---- */

typedef struct bound {
    double log_likelihood; /* at least that of any p in C */
    bool inside;           /* the counts' own shares are in C */
} bound;

/* KL(share ‖ shares of the counts); INFINITY where a cell of the reference has no live row. */
static double divergence(const sw_seq_test *t, const double *x, double m) {
    double sum = t->entropy;
    for (uint32_t k = 0; k < t->cells; k++)
        if (t->share[k] > 0)
            sum -= t->share[k] * log(x[k] / m);
    return sum;
}

/* The dual bound at λ, and KL(share ‖ p(λ)). */
static double dual(double *kl, const sw_seq_test *t, const double *x, double m, double lambda) {
    double likelihood = 0, cross = 0, whole = m + lambda;
    for (uint32_t k = 0; k < t->cells; k++) {
        double mass = x[k] + lambda * t->share[k];
        if (mass <= 0)
            continue;
        double log_p = log(mass / whole);
        likelihood += x[k] * log_p;
        cross += t->share[k] * log_p;
    }
    *kl = t->entropy - cross;
    return likelihood + lambda * (t->radius - *kl);
}

/*
 * KL(share ‖ p(λ)) falls about as 1 / (1 + λ/m)², which gives both the first λ and the steps. Every
 * λ bounds; the lowest bound seen is kept.
 */
static bound bound_of(const sw_seq_test *t, const double *x, double m) {
    if (divergence(t, x, m) <= t->radius)
        return (bound){.inside = true};
    double apart = 0, best = INFINITY, kl;
    for (uint32_t k = 0; k < t->cells; k++)
        if (t->share[k] > 0)
            apart += (x[k] / m - t->share[k]) * (x[k] / m - t->share[k]) / t->share[k];
    double scale = sqrt(apart / (2 * t->radius));
    scale = scale > 1.001 ? scale : 1.001; /* 1 + λ/m */
    for (int i = 0; i < STEPS_MAX; i++) {
        double at = dual(&kl, t, x, m, m * (scale - 1));
        best = at < best ? at : best;
        double step = sqrt(kl / t->radius);
        if (fabs(step - 1) < 1e-3)
            break;
        scale = scale * step > 1.0005 ? scale * step : 1.0005;
    }
    return (bound){.log_likelihood = best};
}

/* ---- The mixture ---- */

/* The logarithms of weighted parts. */
typedef struct parts {
    double at[PARTS_MAX], most;
    uint32_t count;
} parts;

static void add_part(parts *p, double log_part) {
    p->at[p->count++] = log_part;
    p->most = larger(p->most, log_part);
}

static double log_sum(const parts *p) {
    double sum = 0;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->at[i] > p->most - negligible)
            sum += exp(p->at[i] - p->most);
    return p->most + log(sum);
}

static void add_tilts(parts *to, const sw_seq_test *t, const double *x, double m, double base) {
    double first = 0, second = 0, weight = log(weight_tilts / SW_SEQ_TILTS) + base;
    for (uint32_t k = 0; k < t->cells; k++) {
        first += x[k] * t->place[k];
        second += x[k] * t->place[k] * t->place[k];
    }
    second -= m;
    for (uint32_t i = 0; i < SW_SEQ_TILTS; i++)
        add_part(to, tilts[i] * (i < TILTS_MOVE ? first : second) - m * t->log_norm[i] + weight);
}

static void add_spikes(parts *to, const sw_seq_test *t, const double *x, double m, double base) {
    double share = t->shape == SW_SEQ_ORDERED ? weight_spikes : weight_spikes + weight_tilts,
           weight = log(share / (SW_SEQ_SPIKES * t->cells)) + base, others[SW_SEQ_SPIKES];
    for (uint32_t i = 0; i < SW_SEQ_SPIKES; i++)
        others[i] = log(1 - spikes[i]);
    for (uint32_t k = 0; k < t->cells; k++)
        for (uint32_t i = 0; i < SW_SEQ_SPIKES; i++)
            add_part(to, (m - x[k]) * others[i] + x[k] * t->spike[k][i] + weight);
}

static void add_emptied(parts *to, const sw_seq_test *t, const double *x, double base) {
    double left = log(1 - emptying), weight = log(weight_emptied / t->cells) + base;
    for (uint32_t k = 0; k < t->cells; k++)
        if (k != t->sink)
            add_part(to, x[k] * left + x[t->sink] * t->emptied[k] + weight);
}

static double dirichlet(const sw_seq_test *t, const double *x, double m, int part) {
    double sum = t->log_gamma_sum[part] - log_gamma(alpha_sum(t, part) + m);
    for (uint32_t k = 0; k < t->cells; k++)
        if (x[k] > 0)
            sum += log_gamma(alpha(t, part, k) + x[k]) - t->log_gamma[part][k];
    return sum + log(weight_dirichlet);
}

static double mixture(const sw_seq_test *t, const double *x, double m) {
    parts all = {.most = -INFINITY};
    double base = 0;
    for (uint32_t k = 0; k < t->cells; k++)
        base += x[k] * t->log_base[k];
    add_spikes(&all, t, x, m, base);
    add_emptied(&all, t, x, base);
    if (t->shape == SW_SEQ_ORDERED)
        add_tilts(&all, t, x, m, base);
    add_part(&all, dirichlet(t, x, m, 0));
    add_part(&all, dirichlet(t, x, m, 1));
    return log_sum(&all);
}

/* ---- Evidence ---- */

static double take(double *x, const sw_seq_test *t, const uint64_t *counts) {
    double m = 0;
    for (uint32_t k = 0; k < t->cells; k++) {
        x[k] = (double)counts[k];
        m += x[k];
    }
    return m;
}

double sw_seq_log_evidence(const sw_seq_test *test, const uint64_t *counts) {
    double x[SW_SEQ_CELLS_MAX], m = take(x, test, counts);
    if (m <= 0)
        return -INFINITY;
    bound null = bound_of(test, x, m);
    return null.inside ? -INFINITY : mixture(test, x, m) - null.log_likelihood;
}

double sw_seq_distance(const sw_seq_test *test, const uint64_t *counts) {
    double x[SW_SEQ_CELLS_MAX], m = take(x, test, counts), best = 0;
    if (m <= 0)
        return 0;
    bound null = bound_of(test, x, m);
    for (uint32_t k = 0; k < test->cells; k++)
        best += x[k] > 0 ? x[k] * log(x[k] / m) : 0;
    return null.inside ? 0 : larger(0, 2 * (best - null.log_likelihood));
}

static double log_add(double a, double b) {
    double high = larger(a, b), low = a > b ? b : a;
    return low == -INFINITY ? high : high + log1p(exp(low - high));
}

double sw_seq_log_detector(size_t *best, const sw_seq_test *test, const uint64_t *counts,
                           const uint64_t *looks, size_t starts) {
    double sum = -INFINITY, most = -INFINITY;
    *best = 0;
    for (size_t i = 0; i < starts; i++) {
        double evidence = sw_seq_log_evidence(test, counts + i * test->cells);
        sum = log_add(sum, evidence + sw_seq_log_weight(looks[i]));
        if (evidence > most) {
            most = evidence;
            *best = i;
        }
    }
    return sum;
}

double sw_seq_psi(const uint64_t *reference, const uint64_t *live, uint32_t cells) {
    double n = 0, m = 0, psi = 0, added = 0.5 * cells;
    for (uint32_t k = 0; k < cells; k++) {
        n += (double)reference[k];
        m += (double)live[k];
    }
    if (n <= 0 || m <= 0)
        return NAN;
    for (uint32_t k = 0; k < cells; k++) {
        double r = ((double)reference[k] + 0.5) / (n + added),
               l = ((double)live[k] + 0.5) / (m + added);
        psi += (l - r) * log(l / r);
    }
    return psi;
}

/* ---- Many detectors ---- */

size_t sw_seq_name(double *threshold, const double *log_detectors, size_t count, double log_limit) {
    size_t named = count;
    while (named) {
        size_t reached = 0;
        *threshold = log_limit + log((double)count / (double)named);
        for (size_t i = 0; i < count; i++)
            reached += log_detectors[i] >= *threshold;
        if (reached >= named)
            return named;
        named = reached;
    }
    *threshold = log_limit + log((double)count);
    return 0;
}

bool sw_seq_keeps(uint64_t start, uint64_t look) {
    return start == 0 || (look - start) >> __builtin_ctzll(start) < 4;
}

double sw_seq_log_weight(uint64_t start) {
    const double half_ln2 = 0.34657359027997265471, ln_of_two_less_root = -0.53479999673957058;
    return start == 0 ? 0 : ln_of_two_less_root + half_ln2 * __builtin_ctzll(start);
}
