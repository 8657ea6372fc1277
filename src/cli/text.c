/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text_private.h"

#include "base/num.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static sw_text text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Cut where it does not fit. */
static sw_text text_of(const char *format, ...) {
    sw_text text;
    va_list args;
    va_start(args, format);
    vsnprintf(text.at, sizeof text.at, format, args);
    va_end(args);
    return text;
}

sw_text sw_text_count(uint64_t count) {
    return text_of("%s", sw_num_grouped(count).at);
}

sw_text sw_text_plural(uint64_t count, const char *one) {
    return text_of("%s %s%s", sw_text_count(count).at, one, count == 1 ? "" : "s");
}

sw_text sw_text_bytes(uint64_t bytes) {
    static const char *const units[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000)
        return text_of("%u B", (unsigned)bytes);
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    return text_of("%.*f %s", value < 9.95 ? 1 : 0, value, units[unit]);
}

/* Two significant digits below ten, whole numbers above. */
static int decimals(double value) {
    return value < 0.995 ? 2 : value < 9.95 ? 1 : 0;
}

sw_text sw_text_duration(double seconds) {
    if (!(seconds >= 0)) /* NaN too */
        seconds = 0;
    if (seconds < 99.5e-6)
        return text_of("%.*f µs", decimals(seconds * 1e6), seconds * 1e6);
    if (seconds < 0.9995)
        return text_of("%.*f ms", decimals(seconds * 1e3), seconds * 1e3);
    if (seconds < 59.95)
        return text_of("%.1f s", seconds);
    uint64_t whole = seconds > 1e12 ? (uint64_t)1e12 : (uint64_t)(seconds + 0.5);
    unsigned minutes = (unsigned)(whole / 60 % 60), hours = (unsigned)(whole / 3600 % 24);
    if (whole >= 86400)
        return text_of("%llu d %u h", (unsigned long long)(whole / 86400), hours);
    if (hours)
        return text_of("%u h %u min", hours, minutes);
    return text_of("%u min %u s", minutes, (unsigned)(whole % 60));
}

sw_text sw_text_number(double value) {
    bool whole = fabs(value) >= 1000 && fabs(value) < 1e7;
    return whole ? text_of("%.0f", value) : text_of("%.4g", value);
}

sw_text sw_text_rate(double per_s) {
    if (!(per_s >= 0.05))
        return text_of("0");
    return per_s < 9.95 ? text_of("%.1f", per_s) : sw_text_count((uint64_t)(per_s + 0.5));
}

sw_text sw_text_percent(double share) {
    double percent = share * 100;
    return text_of("%.*f %%", percent > 0 && percent < 9.95 ? 1 : 0, percent);
}

sw_text sw_text_time(int64_t wall_ms, int64_t now_ms) {
    time_t then = (time_t)(wall_ms / 1000), now = (time_t)(now_ms / 1000);
    struct tm then_tm, now_tm;
    sw_text text = {""};
    if (!localtime_r(&then, &then_tm) || !localtime_r(&now, &now_tm))
        return text;
    bool today = then_tm.tm_yday == now_tm.tm_yday && then_tm.tm_year == now_tm.tm_year;
    strftime(text.at, sizeof text.at, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &then_tm);
    return text;
}

sw_text sw_text_hash(const char *hash) {
    return text_of("%.4s…", hash);
}

sw_text sw_text_progress(uint64_t done_bytes, uint64_t total_bytes, double elapsed_s) {
    sw_text done = sw_text_bytes(done_bytes), total = sw_text_bytes(total_bytes);
    if (elapsed_s < 5 || done_bytes == 0 || done_bytes > total_bytes)
        return text_of("%s of %s", done.at, total.at);
    double rate = (double)done_bytes / elapsed_s;
    double left_s = floor((double)(total_bytes - done_bytes) / rate + 0.5);
    return text_of("%s of %s · %s/s · %s left", done.at, total.at, sw_text_bytes((uint64_t)rate).at,
                   sw_text_duration(left_s).at);
}

void sw_text_bars(sw_buf *out, const double *shares, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = shares[i] > most ? shares[i] : most;
    for (size_t i = 0; i < count; i++) {
        int height = most > 0 && shares[i] > 0 ? (int)ceil(shares[i] / most * 8) : 0;
        height = height > 8 ? 8 : height;
        if (height == 0)
            sw_buf_add_char(out, ' ');
        else /* U+2581 … U+2588 */
            sw_buf_add(out, (const char[]){'\xe2', '\x96', (char)(0x80 + height)}, 3);
    }
}

size_t sw_text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}
