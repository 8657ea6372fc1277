/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/stats.h"
#include "unit/test.h"

static void add(sw_stats_shard *shard, uint64_t took_ns, bool failed) {
    shard->requests++;
    shard->failures += failed;
    shard->rows++;
    sw_histogram_add(&shard->total, took_ns);
}

TEST(histogram__puts_every_duration_into_the_bucket_that_holds_it) {
    for (uint64_t ns = 0; ns < UINT64_C(60) * 1000 * 1000 * 1000; ns = ns * 17 / 16 + 1) {
        uint32_t bucket = sw_histogram_bucket(ns);
        REQUIRE(sw_histogram_floor(bucket) <= ns);
        REQUIRE(ns < sw_histogram_floor(bucket + 1));
    }
    CHECK_INT(sw_histogram_bucket(UINT64_MAX), SW_HISTOGRAM_BUCKETS - 1);
}

TEST(histogram__tells_a_quantile_to_within_a_thirty_second_part) {
    static sw_histogram h;
    for (uint64_t i = 1; i <= 10000; i++)
        sw_histogram_add(&h, i * 1000);
    const double quantiles[] = {0.01, 0.5, 0.9, 0.99, 0.999};
    for (size_t i = 0; i < 5; i++) {
        double exact = quantiles[i] * 1e7;
        CHECK_NEAR(sw_histogram_quantile(&h, quantiles[i]), exact, exact / 32 + 1000);
    }
}

TEST(histogram__counts_what_was_below_a_bound_and_never_more) {
    static sw_histogram h;
    for (uint64_t i = 0; i < 1000; i++)
        sw_histogram_add(&h, i * 100);
    CHECK(sw_histogram_below(&h, 50000) <= 500);
    CHECK(sw_histogram_below(&h, 50000) >= 460);
    CHECK_INT(sw_histogram_below(&h, UINT64_MAX), 1000);
}

TEST(stats__add_up_over_versions_and_shards) {
    sw_stats *stats;
    sw_error error;
    static sw_stats_shard shard;
    REQUIRE_OK(sw_stats_make(&stats, &error), error);
    for (uint32_t version = 1; version <= 2; version++)
        for (int i = 0; i < 3; i++) {
            add(&shard, 1000000, i == 2);
            sw_stats_merge(sw_stats_of(stats, SW_STR("fraud"), version), &shard);
            CHECK_INT(shard.requests, 0);
        }
    sw_stats_tick(stats, 1000);
    sw_traffic_now now;
    sw_stats_now(&now, stats, SW_STR("fraud"));
    CHECK_INT(now.requests, 6);
    CHECK_INT(now.failures, 2);
    CHECK_NEAR(now.failure_share, 2.0 / 6, 1e-9);
    CHECK_NEAR(now.p50_ms, 1, 1.0 / 16);
    sw_stats_now(&now, stats, SW_STR("other"));
    CHECK_INT(now.requests, 0);
    CHECK(isnan(now.p99_ms));
    sw_stats_free(stats);
}

TEST(stats__keep_a_second_ten_seconds_and_a_minute_apart) {
    sw_stats *stats;
    sw_error error;
    static sw_stats_shard shard;
    static sw_traffic_point points[SW_TRAFFIC_POINTS_MAX];
    uint32_t step_s;
    REQUIRE_OK(sw_stats_make(&stats, &error), error);
    sw_version_stats *version = sw_stats_of(stats, SW_STR("fraud"), 1);
    for (int second = 1; second <= 700; second++) {
        for (int i = 0; i < second % 3; i++)
            add(&shard, 2000000, false);
        sw_stats_merge(version, &shard);
        sw_stats_tick(stats, second * 1000);
    }
    size_t count = sw_stats_series(points, &step_s, stats, SW_STR("fraud"), 5);
    CHECK_INT(step_s, 1);
    CHECK_INT(count, 300);
    CHECK_INT(points[299].at_ms, 700000);
    CHECK_INT(points[299].requests, 700 % 3);
    CHECK_INT(points[0].at_ms, 401000);
    count = sw_stats_series(points, &step_s, stats, SW_STR("fraud"), 60);
    CHECK_INT(step_s, 10);
    CHECK_INT(count, 70);
    CHECK_INT(points[0].requests, 10);
    count = sw_stats_series(points, &step_s, stats, SW_STR("fraud"), 1440);
    CHECK_INT(step_s, 60);
    CHECK_INT(count, 12);
    CHECK_INT(points[11].requests, 40); /* of the minute that is not over */
    CHECK_INT(points[3].requests, 60);
    CHECK_NEAR(points[3].p99_ms, 2, 0.1);
    sw_stats_free(stats);
}

TEST_MAIN
