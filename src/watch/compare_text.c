/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/rng.h"
#include "stats/compat_evidently.h"
#include "stats/special.h"
#include "stats/text_classifier.h"
#include "watch/compare_private.h"

#include <math.h>

enum { TEXTS_MAX = 20000, SEED = 42 }; /* a side */

/* At most TEXTS_MAX of the texts that are there, each as likely. */
static size_t take(sw_str *texts, const sw_column *column, uint64_t rows, uint64_t seed) {
    uint64_t left = rows - column->missing;
    size_t want = left < TEXTS_MAX ? (size_t)left : TEXTS_MAX, taken = 0;
    for (uint64_t i = 0; i < rows && taken < want; i++) {
        if (column->codes[i] == SW_TEXT_MISSING)
            continue;
        if ((double)left * sw_rng_unit(&seed) < (double)(want - taken))
            texts[taken++] = column->words[column->codes[i]];
        left--;
    }
    return taken;
}

static void judge(sw_compared *out, const sw_text_result *result, const sw_compare_options *options,
                  uint64_t reference_texts) {
    double p = sw_normal_sf(result->z);
    if (options->evidently) {
        sw_evidently own =
            sw_evidently_text(result->auc, reference_texts, result->tested[0], result->tested[1]);
        out->test = own.test;
        out->score = own.score;
        out->threshold = own.threshold;
        out->defined = own.defined;
        out->drift = own.drift;
        out->reason = own.reason;
    } else if (result->tested[0] < SW_COMPARE_ROWS_MIN || result->tested[1] < SW_COMPARE_ROWS_MIN) {
        out->reason = "too few texts to tell apart";
    } else {
        /* As far above a coin as a normal shift whose PSI is the effect: AUC = Phi(d / sqrt 2). */
        double share = fmin(fmax(result->auc, 0.5), 1 - 1e-9), low = 0, high = 12;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (sw_normal_cdf(middle * M_SQRT1_2) < share)
                low = middle;
            else
                high = middle;
        }
        out->test = "text_classifier";
        out->psi = low * low;
        out->signals[SW_FINDING_DISTRIBUTION] = (sw_compared_signal){.test = out->test,
                                                                     .statistic = result->auc,
                                                                     .p = p,
                                                                     .effect = out->psi,
                                                                     .reference_share = NAN,
                                                                     .current_share = NAN};
    }
}

sw_status sw_compare_text(sw_compared *out, const sw_column *reference, const sw_column *current,
                          const uint64_t rows[2], const sw_compare_options *options,
                          sw_error *error) {
    sw_text_result result;
    out->kind = SW_COMPARED_TEXT;
    if (reference->type != SW_COLUMN_TEXT || current->type != SW_COLUMN_TEXT) {
        out->reason = "no text on one of the sides";
        return SW_OK;
    }
    sw_str *texts = sw_mem_alloc(2 * TEXTS_MAX * sizeof *texts);
    bool *sides = sw_mem_zalloc(2 * TEXTS_MAX, sizeof *sides);
    sw_status status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to compare texts");
    if (texts && sides) {
        size_t first = take(texts, reference, rows[0], SEED);
        size_t all = first + take(texts + first, current, rows[1], SEED + 1);
        for (size_t i = first; i < all; i++)
            sides[i] = true;
        status = sw_text_classify(&result, texts, sides, all, SEED, error);
        if (!sw_failed(status))
            judge(out, &result, options, rows[0] - reference->missing);
    }
    sw_mem_free(texts);
    sw_mem_free(sides);
    return status;
}
