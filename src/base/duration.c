/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include "base/num.h"

bool sw_duration_parse(double *ms, sw_str text) {
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"us", 1e-3}, {"ms", 1},    {"s", 1e3},    {"m", 6e4},
                 {"min", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
    const char *at = text.at, *end = text.at + text.len;
    double number;
    if (text.len == 0 || sw_num_scan_f64(&number, &at, end) != SW_NUM_FITS)
        return false;
    sw_str unit = sw_str_trim((sw_str){at, (size_t)(end - at)});
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (sw_str_is(unit, units[i].name)) {
            *ms = number * units[i].ms;
            return true;
        }
    *ms = 0;
    return number == 0 && unit.len == 0;
}
