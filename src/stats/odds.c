/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/odds.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>

enum { WORDS_LOG10_MAX = 12 };

/* Two significant digits of 10^x, x within 0 to 12; never more than it is. */
static double two_digits(double x) {
    double unit = pow(10, floor(x) - 1);
    return floor(pow(10, x) / unit * (1 + 1e-12)) * unit;
}

sw_odds sw_odds_of(double evidence_log10) {
    static const char *const names[] = {"", "", " million", " billion"};
    sw_odds out;
    double x = evidence_log10 > 0 ? evidence_log10 : 0; /* NaN too */
    if (x >= WORDS_LOG10_MAX) {
        snprintf(out.at, sizeof out.at, "1 in 10^%.0f", floor(x));
        return out;
    }
    double looks = x < 1 ? floor(pow(10, x)) : two_digits(x);
    int name = looks >= 1e9 ? 3 : looks >= 1e6 ? 2 : 0;
    double shown = looks / pow(1000, name);
    if (name && shown < 10)
        snprintf(out.at, sizeof out.at, "1 in %.1f%s", shown, names[name]);
    else
        snprintf(out.at, sizeof out.at, "1 in %s%s", sw_num_grouped((uint64_t)llround(shown)).at,
                 names[name]);
    return out;
}
