/* SPDX-License-Identifier: Apache-2.0 */
#include "base/iso_time.h"

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool take_char(cursor *c, char wanted) {
    if (c->at >= c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_digits(int64_t *out, cursor *c, size_t count, int64_t max) {
    *out = 0;
    if ((size_t)(c->end - c->at) < count)
        return false;
    for (; count > 0; count--, c->at++) {
        if (*c->at < '0' || *c->at > '9')
            return false;
        *out = *out * 10 + (*c->at - '0');
    }
    return *out <= max;
}

static bool take_fraction(int64_t *ms, cursor *c) {
    int64_t unit = 100;
    const char *start = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, unit /= 10)
        *ms += (*c->at - '0') * unit;
    return c->at > start;
}

static bool take_zone(int64_t *minutes, cursor *c) {
    int64_t hours, rest = 0;
    *minutes = 0;
    if (take_char(c, 'Z') || take_char(c, 'z'))
        return true;
    bool west = c->at < c->end && *c->at == '-';
    if (!take_char(c, west ? '-' : '+') || !take_digits(&hours, c, 2, 23))
        return false;
    if (c->at < c->end) {
        take_char(c, ':');
        if (!take_digits(&rest, c, 2, 59))
            return false;
    }
    *minutes = (west ? -1 : 1) * (hours * 60 + rest);
    return true;
}

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_of_month(int64_t year, int64_t month) {
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Of the proleptic Gregorian calendar, from 1970-01-01. */
static int64_t day_number(int64_t year, int64_t month, int64_t day) {
    int64_t before = year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400;
    for (int64_t m = 1; m < month; m++)
        days += days_of_month(year, m);
    return days + day - 1 - 719162; /* days before 1970 */
}

bool sw_iso_time_parse(int64_t *ms, sw_str text) {
    cursor c = {text.at, text.at + text.len};
    int64_t year, month, day, hour, minute, second = 0, fraction_ms = 0, zone_minutes;
    if (!take_digits(&year, &c, 4, 9999) || !take_char(&c, '-') ||
        !take_digits(&month, &c, 2, 12) || !take_char(&c, '-') || !take_digits(&day, &c, 2, 31))
        return false;
    if (year < 1 || month < 1 || day < 1 || day > days_of_month(year, month))
        return false;
    if (!take_char(&c, 'T') && !take_char(&c, 't') && !take_char(&c, ' '))
        return false;
    if (!take_digits(&hour, &c, 2, 23) || !take_char(&c, ':') || !take_digits(&minute, &c, 2, 59))
        return false;
    if (take_char(&c, ':') && !take_digits(&second, &c, 2, 60))
        return false;
    if ((take_char(&c, '.') || take_char(&c, ',')) && !take_fraction(&fraction_ms, &c))
        return false;
    if (!take_zone(&zone_minutes, &c) || c.at != c.end)
        return false;
    int64_t minutes = (day_number(year, month, day) * 24 + hour) * 60 + minute - zone_minutes;
    *ms = (minutes * 60 + second) * 1000 + fraction_ms;
    return true;
}
