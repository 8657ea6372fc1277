/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/text_classifier.h"

#include "base/mem.h"
#include "base/rng.h"
#include "stats/domain_classifier.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { SLOTS_BITS = 17, SLOTS = 1 << SLOTS_BITS, EPOCHS = 30, WORD_MAX = 32 };
#define COMMON_SHARE 0.5 /* words in more texts than this say nothing */
#define RATE 2.0
#define PENALTY 1e-4

typedef struct term {
    uint32_t slot;
    float weight;
} term;

typedef struct corpus {
    term *terms; /* text by text */
    size_t count, room;
    size_t *first;        /* of each text, and one behind the last */
    uint32_t *texts_with; /* of each slot, among those that teach */
    bool *teaches;
    bool failed;
} corpus;

static bool is_stop_word(const char *word) {
    static const char *const words[] = {
        "about", "after", "all",  "also",  "an",    "and",   "any",  "are",   "as",    "at",
        "be",    "been",  "but",  "by",    "can",   "could", "did",  "do",    "for",   "from",
        "had",   "has",   "have", "he",    "her",   "his",   "if",   "in",    "into",  "is",
        "it",    "its",   "may",  "more",  "most",  "my",    "no",   "not",   "of",    "on",
        "one",   "only",  "or",   "other", "our",   "out",   "over", "she",   "so",    "some",
        "such",  "than",  "that", "the",   "their", "them",  "then", "there", "these", "they",
        "this",  "to",    "up",   "us",    "was",   "we",    "were", "what",  "when",  "which",
        "who",   "will",  "with", "would", "you",   "your"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static void add_term(corpus *c, size_t first, uint32_t slot) {
    for (size_t i = first; i < c->count; i++)
        if (c->terms[i].slot == slot) {
            c->terms[i].weight++;
            return;
        }
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 4096;
        term *grown = sw_mem_realloc(c->terms, room * sizeof *grown);
        if (!grown) {
            c->failed = true;
            return;
        }
        c->terms = grown;
        c->room = room;
    }
    c->terms[c->count++] = (term){slot, 1};
}

/* Letters beyond ASCII belong to words as they are. */
static bool in_word(unsigned char c) {
    return isalnum(c) || c == '_' || c >= 0x80;
}

static void add_text(corpus *c, sw_str text) {
    size_t first = c->count, i = 0;
    while (i < text.len && !c->failed && c->count - first < 4096) {
        char word[WORD_MAX + 1];
        size_t len = 0;
        uint32_t hash = 2166136261u; /* FNV-1a */
        for (; i < text.len && in_word((unsigned char)text.at[i]); i++, len++) {
            char lower = (char)tolower((unsigned char)text.at[i]);
            hash = (hash ^ (unsigned char)lower) * 16777619u;
            if (len < WORD_MAX)
                word[len] = lower;
        }
        word[len < WORD_MAX ? len : WORD_MAX] = 0;
        if (len >= 2 && !is_stop_word(word))
            add_term(c, first, (hash ^ hash >> SLOTS_BITS) & (SLOTS - 1));
        i++;
    }
}

/* tf-idf, each text of length 1. */
static void weigh(corpus *c, size_t rows, size_t teaching) {
    for (size_t row = 0; row < rows; row++)
        for (size_t i = c->first[row]; c->teaches[row] && i < c->first[row + 1]; i++)
            c->texts_with[c->terms[i].slot]++;
    for (size_t row = 0; row < rows; row++) {
        double squares = 0;
        for (size_t i = c->first[row]; i < c->first[row + 1]; i++) {
            double with = c->texts_with[c->terms[i].slot];
            bool common = with > COMMON_SHARE * (double)teaching || with == 0;
            double idf = log((1 + (double)teaching) / (1 + with)) + 1;
            double weight = common ? 0 : (1 + log((double)c->terms[i].weight)) * idf;
            c->terms[i].weight = (float)weight;
            squares += weight * weight;
        }
        for (size_t i = c->first[row]; i < c->first[row + 1] && squares > 0; i++)
            c->terms[i].weight = (float)((double)c->terms[i].weight / sqrt(squares));
    }
}

static double margin_of(const corpus *c, const float *model, size_t row) {
    double sum = model[SLOTS];
    for (size_t i = c->first[row]; i < c->first[row + 1]; i++)
        sum += (double)model[c->terms[i].slot] * (double)c->terms[i].weight;
    return sum;
}

static void learn(float *model, const corpus *c, const bool *current, const size_t *order,
                  size_t rows, uint64_t *seed) {
    double steps = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t k = 0; k < rows; k++) {
            size_t row = order[sw_rng_next(seed) % rows];
            if (!c->teaches[row])
                continue;
            double rate = RATE / (1 + RATE * PENALTY * steps++);
            double off = current[row] - 1 / (1 + exp(-margin_of(c, model, row)));
            for (size_t i = c->first[row]; i < c->first[row + 1]; i++) {
                float *at = &model[c->terms[i].slot];
                *at += (float)(rate * (off * (double)c->terms[i].weight - PENALTY * (double)*at));
            }
            model[SLOTS] += (float)(0.01 * rate * off);
        }
}

/* Half of each side, at random. Returns how many teach. */
static size_t deal(corpus *c, const bool *current, size_t *order, size_t rows, uint64_t *seed) {
    size_t teaching = 0, seen[2] = {0, 0};
    for (size_t i = 0; i < rows; i++)
        order[i] = i;
    for (size_t i = rows; i > 1; i--) {
        size_t j = (size_t)(sw_rng_next(seed) % i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    for (size_t i = 0; i < rows; i++) {
        c->teaches[order[i]] = seen[current[order[i]]]++ % 2 == 0;
        teaching += c->teaches[order[i]];
    }
    return teaching;
}

sw_status sw_text_classify(sw_text_result *out, const sw_str *texts, const bool *current,
                           size_t rows, uint64_t seed, sw_error *error) {
    corpus c = {0};
    *out = (sw_text_result){.auc = NAN, .z = NAN};
    sw_status status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to compare %zu texts", rows);
    size_t *order = sw_mem_alloc((rows + 1) * sizeof *order);
    float *model = sw_mem_zalloc(SLOTS + 1, sizeof *model);
    double *scores = sw_mem_alloc((rows + 1) * sizeof *scores);
    bool *sides = sw_mem_alloc((rows + 1) * sizeof *sides);
    c.first = sw_mem_zalloc(rows + 1, sizeof *c.first);
    c.texts_with = sw_mem_zalloc(SLOTS, sizeof *c.texts_with);
    c.teaches = sw_mem_zalloc(rows + 1, sizeof *c.teaches);
    if (!order || !model || !scores || !sides || !c.first || !c.texts_with || !c.teaches)
        goto done;
    size_t teaching = deal(&c, current, order, rows, &seed), asked = 0;
    for (size_t row = 0; row < rows; row++) {
        add_text(&c, texts[row]);
        c.first[row + 1] = c.count;
    }
    if (c.failed)
        goto done;
    weigh(&c, rows, teaching);
    learn(model, &c, current, order, rows, &seed);
    for (size_t row = 0; row < rows; row++)
        if (!c.teaches[row]) {
            scores[asked] = margin_of(&c, model, row);
            out->tested[current[row]]++;
            sides[asked++] = current[row];
        }
    status = sw_domain_auc(&out->auc, &out->z, scores, sides, asked, error);
done:
    sw_mem_free(order);
    sw_mem_free(model);
    sw_mem_free(scores);
    sw_mem_free(sides);
    sw_mem_free(c.terms);
    sw_mem_free(c.first);
    sw_mem_free(c.texts_with);
    sw_mem_free(c.teaches);
    return status;
}
