/* SPDX-License-Identifier: Apache-2.0 */
/*
 * display: a few bins that a person can look at, from the fine ones that statistics are made from.
 *
 * A numeric feature's fine bins hold equal counts of the reference, which as bars would look flat.
 * So they are spread over bars of equal width (of equal ratio where the values span orders of
 * magnitude), with the outermost percents in a bar at either end.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_DISPLAY_PRIVATE_H
#define SW_WATCH_DISPLAY_PRIVATE_H

#include "watch/observe_private.h"

enum { SW_DISPLAY_BINS = 20, SW_DISPLAY_LABEL_BYTES = 48 };

typedef struct sw_bar {
    double from, to;        /* NaN: the bar has a label alone */
    sw_str label;           /* empty: it has none; borrowed, or `text` */
    double reference, live; /* counts; spread ones need not be whole */
    char text[SW_DISPLAY_LABEL_BYTES];
} sw_bar;

/* How many were made, at most SW_DISPLAY_BINS. Missing values are left out. */
size_t sw_display_feature(sw_bar *bars, const sw_profile_column *column, const uint64_t *live);
/* `reference` NULL: there is none. */
size_t sw_display_scores(sw_bar *bars, const uint64_t *reference, const uint64_t *live);
size_t sw_display_labels(sw_bar *bars, const sw_labels *reference, const sw_labels *live);

#endif /* SW_WATCH_DISPLAY_PRIVATE_H */
