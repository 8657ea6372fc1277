/* SPDX-License-Identifier: Apache-2.0 */
/* Without DuckDB. */
#include "unit/data/frame_testing.h"

TEST(frame_parquet__says_what_to_install_where_the_library_is_not) {
    setenv("SLIPWAY_DUCKDB", "none", 1);
    CHECK_INT(read_text("PAR1....", 8, NULL).code, SW_CODE_UNSUPPORTED);
    CHECK_HAS(error.text, "is a Parquet file");
    CHECK_HAS(error.text, "SLIPWAY_DUCKDB=none");
    CHECK_HAS(error.text, "CSV");
}

TEST_MAIN
