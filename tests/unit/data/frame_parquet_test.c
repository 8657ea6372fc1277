/* SPDX-License-Identifier: Apache-2.0 */
/* Files are written by DuckDB itself. */
#include "unit/data/frame_testing.h"

#include "data/duckdb_private.h"

static const duck_calls *duck;
static char dir[SCRATCH_BYTES];

/* SLIPWAY_DUCKDB, or the library that `make build` puts beside the program. */
static bool have_duckdb(void) {
    static const char built[] = "build/release/lib/libduckdb.so";
    if (!getenv("SLIPWAY_DUCKDB") && access(built, R_OK) == 0)
        setenv("SLIPWAY_DUCKDB", built, 1);
    duck = sw_duckdb_load(&error);
    return duck != NULL;
}

#define NEEDS_DUCKDB()                                                 \
    do {                                                               \
        if (!have_duckdb()) {                                          \
            printf("SKIPPED %s: DuckDB is not installed\n", __func__); \
            return;                                                    \
        }                                                              \
    } while (0)

/* A Parquet file `name` in a new folder, of what `select` gives. */
static const char *write_parquet(const char *name, const char *select) {
    duck_base *base = NULL;
    duck_conn *conn = NULL;
    duck_result result;
    char sql[4096];
    scratch_make(dir);
    snprintf(sql, sizeof sql, "COPY (%s) TO '%s' (FORMAT parquet)", select,
             scratch_path(dir, name));
    if (duck->open_ext(NULL, &base, NULL, NULL) != DUCK_DONE ||
        duck->connect(base, &conn) != DUCK_DONE)
        abort();
    if (duck->query(conn, sql, &result) != DUCK_DONE)
        fprintf(stderr, "%s\n", duck->result_error(&result));
    duck->destroy_result(&result);
    duck->disconnect(&conn);
    duck->close(&base);
    return scratch_path(dir, name);
}

static sw_status read_selected(const char *select, const sw_frame_options *options) {
    sw_status status = sw_frame_read(&frame, write_parquet("table", select), options, &error);
    scratch_remove(dir);
    return status;
}

#define CHECK_VALUES(name, wanted) CHECK_STR(sw_str_of(values_of(name)), wanted)

TEST(frame_parquet__reads_numbers_of_every_type_as_doubles) {
    NEEDS_DUCKDB();
    REQUIRE_OK(
        read_selected(
            "SELECT 1::TINYINT a, 40000::USMALLINT b, -7::BIGINT c, 0.1::DOUBLE d, "
            "0.5::FLOAT e, 12.25::DECIMAL(9,2) f, true g, 5::HUGEINT h, NULL i "
            "UNION ALL SELECT NULL, 1, 2, 'nan'::DOUBLE, 'inf'::FLOAT, NULL, false, NULL, NULL",
            NULL),
        error);
    CHECK_INT(frame.rows, 2);
    CHECK_VALUES("a", "1 -");
    CHECK_VALUES("b", "40000 1");
    CHECK_VALUES("c", "-7 2");
    CHECK_VALUES("d", "0.10000000000000001 -");
    CHECK_VALUES("e", "0.5 inf");
    CHECK_VALUES("f", "12.25 -");
    CHECK_VALUES("g", "1 0");
    CHECK_VALUES("h", "5 -");
    CHECK_VALUES("i", "- -");
    CHECK_INT(sw_frame_find(&frame, SW_STR("d"))->missing, 1);
    sw_frame_free(&frame);
}

TEST(frame_parquet__reads_texts_dates_and_enums_as_text) {
    NEEDS_DUCKDB();
    REQUIRE_OK(read_selected("SELECT 'short' a, DATE '2024-02-29' b, 'x'::ENUM('x', 'y') c, "
                             "NULL::VARCHAR d, 'bytes'::BLOB e UNION ALL "
                             "SELECT 'a text of more than twelve bytes', NULL, 'y', NULL, 'NA'",
                             NULL),
               error);
    CHECK_VALUES("a", "short a text of more than twelve bytes");
    CHECK_VALUES("b", "2024-02-29 -");
    CHECK_VALUES("c", "x y");
    CHECK_INT(type_of("d"), SW_COLUMN_TEXT);
    CHECK_VALUES("d", "- -");
    CHECK_VALUES("e", "bytes NA");
    sw_frame_free(&frame);
}

TEST(frame_parquet__reads_many_rows_in_their_order_and_only_what_is_asked_for) {
    NEEDS_DUCKDB();
    const sw_str wanted[] = {SW_STR("odd \"name\""), SW_STR("n")};
    const sw_str text[] = {SW_STR("odd \"name\"")};
    sw_frame_options options = {
        .columns = wanted, .column_count = 2, .as_text = text, .as_text_count = 1};
    REQUIRE_OK(read_selected("SELECT i::DOUBLE / 8 n, [i] list, i % 7 \"odd \"\"name\"\"\" "
                             "FROM range(300000) t(i)",
                             &options),
               error);
    CHECK_INT(frame.rows, 300000);
    CHECK_INT(frame.column_count, 2);
    bool same = true;
    const sw_column *n = sw_frame_find(&frame, SW_STR("n")),
                    *odd = sw_frame_find(&frame, wanted[0]);
    REQUIRE(n && odd);
    CHECK_INT(odd->type, SW_COLUMN_TEXT);
    for (uint64_t i = 0; i < frame.rows; i++)
        same &= n->numbers[i] == (double)i / 8 &&
                odd->words[odd->codes[i]].at[0] == (char)('0' + i % 7);
    CHECK(same);
    sw_frame_free(&frame);
    options.bytes_max = 1 << 20;
    CHECK_INT(
        read_selected("SELECT i n, i \"odd \"\"name\"\"\" FROM range(300000) t(i)", &options).code,
        SW_CODE_TOO_LARGE);
}

/* Renames a column in a file that was written: DuckDB itself writes no two alike. */
static void rename_in(const char *path, const char *from, const char *to) {
    static char bytes[1 << 16];
    FILE *file = fopen(path, "r+b");
    size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0, found = 0;
    for (char *at = bytes; (at = memmem(at, len - (size_t)(at - bytes), from, strlen(from)));
         found++)
        memcpy(at, to, strlen(to));
    if (!file || !found || fseek(file, 0, SEEK_SET) || fwrite(bytes, 1, len, file) != len ||
        fclose(file) != 0)
        abort();
}

TEST(frame_parquet__calls_columns_by_the_names_of_the_file) {
    NEEDS_DUCKDB();
    const char *path = write_parquet("t", "SELECT {'n': 9} s, 1 \"case\", 2 \"cas2\"");
    rename_in(path, "cas2", "Case");
    const sw_str wanted[] = {SW_STR("Case"), SW_STR("case")};
    const sw_frame_options options = {.columns = wanted, .column_count = 2};
    REQUIRE_OK(sw_frame_read(&frame, path, &options, &error), error);
    CHECK_VALUES("case", "1");
    CHECK_VALUES("Case", "2");
    sw_frame_free(&frame);
    rename_in(path, "Case", "case");
    CHECK_INT(sw_frame_read(&frame, path, &options, &error).code, SW_CODE_INVALID);
    scratch_remove(dir);
    CHECK_HAS(error.text, "two columns are named \"case\"");
}

TEST(frame_parquet__takes_a_path_as_it_stands) {
    NEEDS_DUCKDB();
    sw_status status =
        sw_frame_read(&frame, write_parquet("a=b [*].csv", "SELECT 1 x"), NULL, &error);
    scratch_remove(dir);
    REQUIRE_OK(status, error);
    CHECK_INT(frame.column_count, 1);
    sw_frame_free(&frame);
}

TEST(frame_parquet__plans_by_the_footer_alone) {
    NEEDS_DUCKDB();
    sw_status status = sw_frame_columns(
        &frame, write_parquet("t", "SELECT i x, 'a' y FROM range(5000) t(i)"), &error);
    scratch_remove(dir);
    REQUIRE_OK(status, error);
    CHECK_INT(frame.rows, 5000);
    CHECK_INT(type_of("x"), SW_COLUMN_NUMBER);
    CHECK_INT(type_of("y"), SW_COLUMN_TEXT);
    CHECK(!frame.columns[0].numbers);
    sw_frame_free(&frame);
}

TEST(frame_parquet__says_what_is_wrong) {
    NEEDS_DUCKDB();
    CHECK_INT(read_selected("SELECT [1, 2] l", NULL).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "column \"l\"");
    const sw_str wanted[] = {SW_STR("amonut")};
    sw_frame_options options = {.columns = wanted, .column_count = 1};
    CHECK_INT(read_selected("SELECT 1 amount", &options).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(error.text, "did you mean \"amount\"");
    check_refused("PAR1 but nothing more that would be Parquet PAR1", "cannot be read as Parquet");
}

TEST_MAIN
