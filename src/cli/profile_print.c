/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "cli/profile_private.h"

#include <math.h>

/* Bins of every column: 0 missing, 1 below or unseen, then those of the values (profile.h). */
enum { FIRST_BIN = 2, BAR_CELLS = 12, SHOWN_VALUE_BYTES = 24 };

static const double much = 0.95;      /* of the values in one: hardly a feature */
static const double nearly_all = 0.9; /* are different, as far as an estimate can tell */
enum { ID_ROWS_MIN = 20 };            /* fewer rows may all differ by chance */

/* ---- What is odd ---- */

static uint64_t largest_bin(uint32_t *at, const sw_profile_column *c) {
    uint32_t end = c->kind == SW_FEATURE_CATEGORY ? c->bin_count : c->bin_count - 1;
    uint64_t most = 0;
    for (uint32_t i = FIRST_BIN; i < end; i++)
        if (c->counts[i] > most) {
            most = c->counts[i];
            *at = i - FIRST_BIN;
        }
    return most;
}

/* Whole numbers in full: an id or a time of four digits says nothing. */
static sw_text number_of(const sw_profile_column *c, double value) {
    sw_text text;
    if (!c->whole || value != trunc(value) || fabs(value) >= 1e15)
        return sw_text_number(value);
    snprintf(text.at, sizeof text.at, "%.0f", value);
    return text;
}

/* The value of a bin, or where it begins and ends. */
static sw_text value_of(const sw_profile_column *c, uint32_t at) {
    sw_text text;
    if (c->kind == SW_FEATURE_CATEGORY) {
        sw_str value = c->values[at];
        bool cut = value.len > SHOWN_VALUE_BYTES;
        value.len = cut ? SHOWN_VALUE_BYTES : value.len;
        while (cut && value.len && !sw_str_is_utf8(value))
            value.len--;
        snprintf(text.at, sizeof text.at, "%.*s%s", SW_STR_ARG(value), cut ? "…" : "");
        return text;
    }
    if (c->levels)
        return number_of(c, c->levels[at]);
    sw_text from = number_of(c, at ? c->cuts[at - 1] : c->min);
    snprintf(text.at, sizeof text.at, "%.24s to %.24s", from.at,
             number_of(c, at < c->cut_count ? c->cuts[at] : c->max).at);
    return text;
}

/* What is odd about a column; "" where nothing is. */
static sw_text warning_of(const sw_profile_column *c) {
    sw_text text = {""};
    uint64_t there = c->rows - c->missing, most;
    uint32_t at = 0;
    if (there == 0) {
        snprintf(text.at, sizeof text.at, "all missing");
        return text;
    }
    most = largest_bin(&at, c);
    if (c->distinct == 1 && most == there) {
        snprintf(text.at, sizeof text.at, "constant");
    } else if (there >= ID_ROWS_MIN && (c->whole || c->kind == SW_FEATURE_CATEGORY) &&
               (double)c->distinct >= nearly_all * (double)there) {
        snprintf(text.at, sizeof text.at, "%sall distinct: an id?",
                 c->distinct < there ? "nearly " : "");
    } else if ((double)most > much * (double)there) {
        snprintf(text.at, sizeof text.at, "%.16s are %.64s",
                 sw_text_percent((double)most / (double)there).at, value_of(c, at).at);
    }
    return text;
}

/* ---- How the values lie ---- */

/* Spreads a bin's count evenly over the cells that it lies in. */
static void spread(double *shares, size_t count, double from, double to, double low, double high,
                   double held) {
    double width = (high - low) / (double)count;
    for (size_t i = 0; i < count; i++) {
        double cell = low + (double)i * width, begin = from > cell ? from : cell;
        double end = to < cell + width ? to : cell + width;
        if (end > begin)
            shares[i] += held * ((end - begin) / (to - from));
    }
}

static void numeric_shares(double *shares, size_t count, const sw_profile_column *c) {
    /* With many bins the outermost are tails that would squeeze the rest together, unless they are
     * heavy ones. */
    double heavy = 2 * (double)(c->rows - c->missing) / (c->cut_count + 1);
    bool trimmed = !c->levels && c->cut_count > 16;
    double low = trimmed ? c->cuts[0] : c->min, high = trimmed ? c->cuts[c->cut_count - 1] : c->max;
    for (uint32_t i = 0; i <= c->cut_count; i++) {
        double held = (double)c->counts[FIRST_BIN + i];
        double from = i ? c->cuts[i - 1] : c->min, to = i < c->cut_count ? c->cuts[i] : c->max;
        from = from < low ? low : from;
        to = to > high ? high : to;
        if (c->levels)
            from = to = c->levels[i];
        if (to > from) {
            spread(shares, count, from, to, low, high, held);
        } else if (high > low) {
            size_t cell = (size_t)((from - low) / (high - low) * (double)count);
            shares[cell < count ? cell : count - 1] += c->levels || held > heavy ? held : 0;
        } else {
            shares[count / 2] += held;
        }
    }
}

/* How its values lie: `count` shares of the room from its lowest to its highest cut, or of its most
 * frequent values. */
static void shares_of(double *shares, size_t count, const sw_profile_column *c) {
    for (size_t i = 0; i < count; i++)
        shares[i] = 0;
    if (c->kind == SW_FEATURE_CATEGORY) {
        for (uint32_t i = 0; i < c->value_count && i < count; i++)
            shares[i] = (double)c->counts[FIRST_BIN + i];
    } else if (!isnan(c->min)) {
        numeric_shares(shares, count, c);
    }
}

/* ---- The table ---- */

static void number_cell(sw_table *table, const sw_profile_column *c, double value) {
    if (isnan(value))
        sw_table_cell(table, SW_DIM, "–");
    else
        sw_table_cell(table, SW_PLAIN, "%s", number_of(c, value).at);
}

static void bar_cell(sw_table *table, const sw_profile_column *c) {
    double shares[BAR_CELLS];
    sw_buf bars = {0};
    shares_of(shares, BAR_CELLS, c);
    size_t count = BAR_CELLS;
    while (c->kind == SW_FEATURE_CATEGORY && count && shares[count - 1] <= 0)
        count--;
    sw_text_bars(&bars, shares, count);
    if (c->kind == SW_FEATURE_CATEGORY && c->value_count)
        sw_buf_printf(&bars, " %s %s", value_of(c, 0).at,
                      sw_text_percent((double)c->counts[FIRST_BIN] / (double)c->rows).at);
    sw_table_cell(table, SW_PLAIN, "%.*s", SW_STR_ARG(sw_buf_str(&bars)));
    sw_buf_free(&bars);
}

static void add_column(sw_table *table, const sw_profile_column *c) {
    bool category = c->kind == SW_FEATURE_CATEGORY;
    sw_table_cell(table, SW_BOLD, "%.*s", SW_STR_ARG(c->name));
    sw_table_cell(table, SW_PLAIN, "%s", category ? "category" : "numeric");
    if (c->missing)
        sw_table_cell(table, SW_PLAIN, "%s",
                      sw_text_percent((double)c->missing / (double)c->rows).at);
    else
        sw_table_cell(table, SW_DIM, "–");
    sw_table_cell(table, SW_PLAIN, "%s", sw_text_count(c->distinct).at);
    number_cell(table, c, c->min);
    number_cell(table, c, c->median);
    number_cell(table, c, c->max);
    number_cell(table, c, c->mean);
    number_cell(table, c, c->stddev);
    bar_cell(table, c);
    sw_table_cell(table, SW_WARN, "%s", warning_of(c).at);
}

void sw_cli_profile_print(const sw_profile *profile, const char *path, double took_s) {
    static const char *const heads[] = {"COLUMN", "KIND",         "MISSING", "DISTINCT",
                                        "MIN",    "MEDIAN",       "MAX",     "MEAN",
                                        "SD",     "DISTRIBUTION", ""};
    enum { COLUMNS = sizeof heads / sizeof *heads };
    double values = (double)profile->rows * profile->column_count;
    printf("%s: %s, %s, in %s", path, sw_text_plural(profile->rows, "row").at,
           sw_text_plural(profile->column_count, "column").at, sw_text_duration(took_s).at);
    if (took_s >= 1)
        printf(" (%.1f million values/s)", values / took_s * 1e-6);
    printf("\n\n");
    sw_table *table = sw_table_make(COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        sw_table_cell(table, SW_DIM, "%s", heads[i]);
    for (uint32_t i = 0; i < profile->column_count; i++)
        add_column(table, &profile->columns[i]);
    sw_table_print(table, stdout, 0);
    sw_table_free(table);
}

/* ---- JSON ---- */

sw_status sw_cli_profile_print_json(const sw_profile *profile, sw_error *error) {
    sw_buf made = {0}, out = {0};
    sw_json w = sw_json_to(&out);
    sw_profile_to_json(&made, profile);
    sw_json_begin_object(&w);
    sw_json_key(&w, "profile");
    sw_json_raw(&w, sw_buf_str(&made));
    sw_json_key(&w, "warnings");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < profile->column_count; i++) {
        sw_text warning = warning_of(&profile->columns[i]);
        if (!*warning.at)
            continue;
        sw_json_begin_object(&w);
        sw_json_add_str(&w, "column", profile->columns[i].name);
        sw_json_add_text(&w, "warning", warning.at);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    bool failed = made.failed || out.failed;
    if (!failed)
        printf("%.*s\n", SW_STR_ARG(sw_buf_str(&out)));
    sw_buf_free(&made);
    sw_buf_free(&out);
    return failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the profile") : SW_OK;
}
