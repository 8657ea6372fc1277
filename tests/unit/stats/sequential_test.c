/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "base/rng.h"
#include "stats/sequential.h"

/*
 * The promises, on seeded streams. What is random has the allowance of its own simulation error:
 * four standard errors. Figures are printed for the reader.
 */
enum { CELLS_MAX = SW_SEQ_CELLS_MAX };

static uint64_t seed = 20;

/* ---- Distributions and samples ---- */

typedef struct source {
    uint32_t cells;
    double share[CELLS_MAX];
} source;

static source flat(uint32_t cells) {
    source s = {.cells = cells};
    for (uint32_t k = 0; k < cells; k++)
        s.share[k] = 1.0 / cells;
    return s;
}

/* As a numeric feature has it: nothing below and above, ten equal groups between. */
static source numeric(void) {
    source s = {.cells = 12};
    for (uint32_t k = 1; k < 11; k++)
        s.share[k] = 0.1;
    return s;
}

/* Shares that fall by half: the last ones are rare. */
static source sparse(uint32_t cells) {
    source s = {.cells = cells};
    double left = 1;
    for (uint32_t k = 0; k + 1 < cells; k++)
        left -= s.share[k] = left / 2;
    s.share[cells - 1] = left;
    return s;
}

static source two(double share) {
    return (source){2, {share, 1 - share}};
}

static void draw(uint64_t *counts, const source *s, uint32_t rows) {
    double edge[CELLS_MAX], sum = 0;
    for (uint32_t k = 0; k < s->cells; k++)
        edge[k] = sum += s->share[k];
    for (uint32_t i = 0; i < rows; i++) {
        double u = sw_rng_unit(&seed) * sum;
        uint32_t k = 0;
        while (k + 1 < s->cells && u >= edge[k])
            k++;
        counts[k]++;
    }
}

enum { EXACT = 1000000000 }; /* a reference so large that the null set is nearly a point */

static sw_seq_test test_of(const source *s, uint32_t rows, sw_seq_shape shape, double tolerance,
                           double miss) {
    uint64_t reference[CELLS_MAX] = {0};
    sw_seq_test test;
    for (uint32_t k = 0; rows == EXACT && k < s->cells; k++)
        reference[k] = (uint64_t)(s->share[k] * rows);
    if (rows != EXACT)
        draw(reference, s, rows);
    sw_seq_test_make(&test, reference, s->cells, shape, s->cells - 1, tolerance, miss);
    return test;
}

static double kl(const sw_seq_test *t, const source *p) {
    double sum = 0;
    for (uint32_t k = 0; k < t->cells; k++)
        if (t->share[k] > 0)
            sum += t->share[k] * log(t->share[k] / p->share[k]);
    return sum;
}

/* ---- The null set ---- */

TEST(radius__covers_the_source_of_the_reference) {
    const source sources[] = {flat(2), flat(12), sparse(12), two(0.002)};
    const uint32_t sizes[] = {50, 500, 5000};
    const double miss = 0.05;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        for (size_t j = 0; j < 3; j++) {
            int out = 0, runs = 400;
            for (int run = 0; run < runs; run++) {
                sw_seq_test t = test_of(&sources[i], sizes[j], SW_SEQ_NOMINAL, 0, miss);
                out += kl(&t, &sources[i]) > t.radius;
            }
            CHECK(out <= runs * miss + 4 * sqrt(runs * miss));
        }
}

TEST(evidence__is_none_inside_the_null_set) {
    uint64_t reference[4] = {100, 200, 300, 400}, same[4] = {10, 20, 30, 40}, none[4] = {0};
    sw_seq_test t;
    sw_seq_test_make(&t, reference, 4, SW_SEQ_ORDERED, 3, 0.02, 1e-6);
    CHECK(sw_seq_log_evidence(&t, same) == -INFINITY);
    CHECK(sw_seq_log_evidence(&t, none) == -INFINITY);
    CHECK(sw_seq_distance(&t, same) == 0);
}

/* The bound is at least the likelihood of every p of C: tried with many of them. */
TEST(evidence__bounds_every_distribution_of_the_null_set) {
    for (int run = 0; run < 200; run++) {
        source s = run % 2 ? flat(6) : sparse(6);
        sw_seq_test t = test_of(&s, 400, SW_SEQ_NOMINAL, 0.05, 1e-3);
        uint64_t live[CELLS_MAX] = {0};
        source moved = flat(6);
        moved.share[run % 6] = 2;
        draw(live, &moved, 5 + (uint32_t)(run * 3));
        double m = 0, best = 0;
        for (uint32_t k = 0; k < 6; k++) {
            m += (double)live[k];
            best += live[k] ? (double)live[k] * log((double)live[k]) : 0;
        }
        best -= m * log(m);
        double bound = best - sw_seq_distance(&t, live) / 2;
        for (int trial = 0; trial < 50; trial++) {
            source p = {.cells = 6};
            double sum = 0, mix = sw_rng_unit(&seed), likelihood = 0;
            for (uint32_t k = 0; k < 6; k++) {
                double jitter = trial % 2 ? sw_rng_unit(&seed) : 1;
                sum += p.share[k] =
                    (mix * t.share[k] + (1 - mix) * (double)live[k] / m) * jitter + 1e-9;
            }
            for (uint32_t k = 0; k < 6; k++) {
                p.share[k] /= sum;
                likelihood += (double)live[k] * log(p.share[k]);
            }
            if (kl(&t, &p) <= t.radius)
                CHECK(likelihood <= bound + 1e-6);
        }
    }
}

/* ---- E-values ---- */

static void check_mean(const char *name, const source *s, uint32_t reference_rows,
                       sw_seq_shape shape, uint32_t rows) {
    double sum = 0, squares = 0;
    int runs = 4000, used = 0;
    for (int run = 0; run < runs; run++) {
        sw_seq_test t = test_of(s, reference_rows, shape, 0, 0.01);
        if (kl(&t, s) > t.radius)
            continue;
        uint64_t live[CELLS_MAX] = {0};
        draw(live, s, rows);
        double e = exp(sw_seq_log_evidence(&t, live));
        sum += e;
        squares += e * e;
        used++;
    }
    double mean = sum / used, error = sqrt(squares / used / used);
    printf("  mean evidence without drift, %s, reference %u, live %u: %.4f\n", name, reference_rows,
           rows, mean);
    CHECK(mean <= 1 + 4 * error);
}

TEST(evidence__has_a_mean_of_at_most_one_without_drift) {
    const source n = numeric(), s = sparse(12), b = two(0.01);
    check_mean("numeric", &n, 200, SW_SEQ_ORDERED, 50);
    check_mean("numeric", &n, 5000, SW_SEQ_ORDERED, 1000);
    check_mean("sparse categories", &s, 300, SW_SEQ_NOMINAL, 300);
    check_mean("1 % missing", &b, 1000, SW_SEQ_NOMINAL, 200);
    check_mean("1 % missing", &b, EXACT, SW_SEQ_NOMINAL, 200);
    check_mean("numeric", &n, EXACT, SW_SEQ_ORDERED, 20);
}

/* The worst p of C rather than the reference's own source: on its edge, away from the centre. */
TEST(evidence__has_a_mean_of_at_most_one_on_the_edge_of_the_null_set) {
    uint64_t reference[2] = {100, 900};
    sw_seq_test t;
    sw_seq_test_make(&t, reference, 2, SW_SEQ_NOMINAL, 1, 0.02, 1e-3);
    double low = 0.1, high = 0.9;
    for (int i = 0; i < 60; i++) {
        source p = two((low + high) / 2);
        *(kl(&t, &p) <= t.radius ? &low : &high) = p.share[0];
    }
    source edge = two(low);
    double sum = 0;
    int runs = 20000;
    for (int run = 0; run < runs; run++) {
        uint64_t live[2] = {0};
        draw(live, &edge, 100);
        sum += exp(sw_seq_log_evidence(&t, live));
    }
    printf("  mean evidence on the edge of the null set: %.4f\n", sum / runs);
    CHECK(sum / runs <= 1);
}

/* ---- Detectors over time ---- */

enum { LOOKS = 400, STARTS_MAX = 64, FEATURES = 30 };

typedef struct stream {
    sw_seq_test test;
    uint64_t sum[CELLS_MAX];
    struct {
        uint64_t look, at[CELLS_MAX];
    } starts[STARTS_MAX];
    size_t start_count;
    bool drifted; /* in truth */
} stream;

static double look(stream *s, uint64_t at, const uint64_t *counts) {
    static uint64_t since[STARTS_MAX * CELLS_MAX];
    uint64_t looks[STARTS_MAX];
    size_t kept = 0, best;
    for (size_t i = 0; i < s->start_count; i++)
        if (sw_seq_keeps(s->starts[i].look, at))
            s->starts[kept++] = s->starts[i];
    s->start_count = kept + 1;
    s->starts[kept].look = at;
    memcpy(s->starts[kept].at, s->sum, sizeof s->sum);
    for (uint32_t k = 0; k < s->test.cells; k++)
        s->sum[k] += counts[k];
    for (size_t i = 0; i < s->start_count; i++)
        looks[i] = s->starts[i].look;
    for (size_t i = 0; i < s->start_count; i++)
        for (uint32_t k = 0; k < s->test.cells; k++)
            since[i * s->test.cells + k] = s->sum[k] - s->starts[i].at[k];
    return sw_seq_log_detector(&best, &s->test, since, looks, s->start_count);
}

typedef struct tally {
    double alarms, false_share; /* alarms, each by its falsely named share */
    int named, named_falsely;
    uint64_t first; /* look of the first alarm that names a drifted one; LOOKS: never */
} tally;

/* `limit` c: one alarm in c looks may be false. */
static tally run_streams(stream *streams, size_t count, const source *live, const source *moved,
                         uint64_t begins, uint32_t rows, double limit) {
    tally t = {.first = LOOKS};
    double detectors[FEATURES], threshold;
    for (uint64_t at = 0; at < LOOKS; at++) {
        for (size_t f = 0; f < count; f++) {
            uint64_t counts[CELLS_MAX] = {0};
            draw(counts, streams[f].drifted && at >= begins ? moved : live, rows);
            detectors[f] = look(&streams[f], at, counts);
        }
        size_t named = sw_seq_name(&threshold, detectors, count, log(limit)), falsely = 0;
        for (size_t f = 0; named && f < count; f++) {
            if (detectors[f] < threshold)
                continue;
            falsely += !streams[f].drifted || at < begins;
            streams[f].start_count = 0;
        }
        t.alarms += named > 0;
        t.named += (int)named;
        t.named_falsely += (int)falsely;
        t.false_share += named ? (double)falsely / (double)named : 0;
        if (named > falsely && t.first == LOOKS)
            t.first = at;
    }
    return t;
}

static void make_streams(stream *streams, const source *s, uint32_t reference, sw_seq_shape shape,
                         size_t drifted) {
    for (size_t f = 0; f < FEATURES; f++) {
        streams[f] = (stream){.drifted = f < drifted};
        streams[f].test = test_of(s, reference, shape, 0, 0.001 / FEATURES);
    }
}

/* At a limit so low that it would show: a false alarm in 5 looks may be, 30 features each. */
static void check_alarms(const char *name, const source *s, uint32_t reference, sw_seq_shape shape,
                         uint32_t rows) {
    static stream streams[FEATURES];
    const double limit = 5;
    double alarms = 0;
    int runs = 4;
    for (int run = 0; run < runs; run++) {
        make_streams(streams, s, reference, shape, 0);
        alarms += run_streams(streams, FEATURES, s, s, 0, rows, limit).alarms;
    }
    double may = runs * LOOKS / limit;
    printf("  alarms without drift, %s, reference %u, %u rows a look: %.0f of at most %.0f\n", name,
           reference, rows, alarms, may);
    CHECK(alarms <= may + 4 * sqrt(may));
}

TEST(detectors__keep_the_stated_false_alarms_without_drift) {
    const source n = numeric(), s = sparse(12), b = two(0.01), f = flat(3);
    check_alarms("numeric", &n, 200, SW_SEQ_ORDERED, 5);
    check_alarms("numeric", &n, 5000, SW_SEQ_ORDERED, 50);
    check_alarms("sparse categories", &s, 300, SW_SEQ_NOMINAL, 20);
    check_alarms("1 % missing", &b, 500, SW_SEQ_NOMINAL, 20);
    check_alarms("three levels", &f, 1000, SW_SEQ_ORDERED, 1);
    check_alarms("three levels", &f, EXACT, SW_SEQ_ORDERED, 5);
    check_alarms("1 % missing", &b, EXACT, SW_SEQ_NOMINAL, 5);
}

TEST(detectors__keep_the_false_share_among_the_named) {
    static stream streams[FEATURES];
    const source s = numeric();
    source moved = s;
    for (uint32_t k = 1; k < 11; k++)
        moved.share[k] = 0.02 * (double)k;
    double share = 0;
    int named = 0, falsely = 0, runs = 4;
    const double limit = 50;
    for (int run = 0; run < runs; run++) {
        make_streams(streams, &s, 1000, SW_SEQ_ORDERED, 10);
        tally t = run_streams(streams, FEATURES, &s, &moved, 50, 20, limit);
        share += t.false_share;
        named += t.named;
        falsely += t.named_falsely;
    }
    printf("  10 of 30 drift: %d named, %d falsely\n", named, falsely);
    CHECK(named >= runs * 10);
    CHECK(share <= runs * LOOKS / limit);
    CHECK(falsely <= named / 20);
}

/* ---- Power ---- */

static uint64_t rows_until(const source *live, const source *moved, uint32_t reference,
                           sw_seq_shape shape, uint32_t rows) {
    static stream streams[FEATURES];
    const uint64_t begins = 60;
    uint64_t sum = 0;
    int runs = 5;
    for (int run = 0; run < runs; run++) {
        make_streams(streams, live, reference, shape, 1);
        tally t = run_streams(streams, FEATURES, live, moved, begins, rows, 43830);
        sum += (t.first + 1 - begins) * rows;
        CHECK(t.first < LOOKS);
    }
    return sum / (uint64_t)runs;
}

TEST(detectors__see_faults_within_few_rows) {
    const source n = numeric(), b = two(0.01), all_missing = two(1);
    source above = {.cells = 12}, shift = {.cells = 12}, lost = sparse(12), had = sparse(12);
    above.share[11] = 1;
    for (uint32_t k = 1; k < 11; k++)
        shift.share[k] = 0.1 * exp(0.5 * ((double)k - 5.5) / 3);
    lost.share[11] += lost.share[1];
    lost.share[1] = 0;
    uint64_t rows;
    printf("  rows until the alarm (1 false alarm a month, 30 features, reference 5,000):\n");
    rows = rows_until(&b, &all_missing, 5000, SW_SEQ_NOMINAL, 2);
    printf("    a column goes missing: %llu\n", (unsigned long long)rows);
    CHECK(rows <= 12);
    rows = rows_until(&n, &above, 5000, SW_SEQ_ORDERED, 2);
    printf("    all values above the range: %llu\n", (unsigned long long)rows);
    CHECK(rows <= 12);
    rows = rows_until(&had, &lost, 5000, SW_SEQ_NOMINAL, 5);
    printf("    a category of a quarter of the rows is renamed: %llu\n", (unsigned long long)rows);
    CHECK(rows <= 60);
    rows = rows_until(&n, &shift, 5000, SW_SEQ_ORDERED, 50);
    printf("    a shift by half a standard deviation: %llu\n", (unsigned long long)rows);
    CHECK(rows <= 900);
}

/* ---- Small parts ---- */

TEST(naming__takes_the_largest_set_that_its_own_threshold_admits) {
    double threshold, detectors[4] = {log(401), log(150), log(140), 0};
    CHECK_INT(sw_seq_name(&threshold, detectors, 4, log(100)), 3);
    CHECK_NEAR(threshold, log(400.0 / 3), 1e-12);
    detectors[2] = log(130);
    CHECK_INT(sw_seq_name(&threshold, detectors, 4, log(100)), 1);
    detectors[0] = log(399);
    CHECK_INT(sw_seq_name(&threshold, detectors, 4, log(100)), 0);
    CHECK_NEAR(threshold, log(400), 1e-12);
    detectors[0] = -INFINITY;
    CHECK_INT(sw_seq_name(&threshold, detectors, 4, log(100)), 0);
    CHECK_INT(sw_seq_name(&threshold, detectors, 0, log(100)), 0);
}

TEST(starts__are_few_and_reach_back_far) {
    const uint64_t now = 1000000;
    size_t kept = 0;
    for (uint64_t j = 0; j <= now; j++)
        kept += sw_seq_keeps(j, now);
    CHECK(kept <= 64);
    for (uint64_t age = 1; age < now / 2; age *= 2) {
        bool near = false;
        for (uint64_t j = now - age * 3 / 2; j <= now - age * 3 / 4; j++)
            near |= sw_seq_keeps(j, now);
        CHECK(near);
    }
}

TEST(starts__weigh_no_more_than_looks_there_were) {
    double sum = 0;
    for (uint64_t j = 0; j < 1 << 18; j++) {
        sum += exp(sw_seq_log_weight(j));
        if (sum > (double)(j + 1) * (1 + 1e-9))
            CHECK(!"weights above the looks");
    }
    CHECK(sum > 0.98 * (1 << 18));
}

TEST(psi__is_what_its_definition_says) {
    uint64_t reference[2] = {50, 50}, live[2] = {80, 20}, none[2] = {0};
    double a = 80.5 / 101, b = 20.5 / 101;
    CHECK_NEAR(sw_seq_psi(reference, live, 2), (a - 0.5) * log(a / 0.5) + (b - 0.5) * log(b / 0.5),
               1e-12);
    CHECK(isnan(sw_seq_psi(reference, none, 2)));
}

TEST_MAIN
