/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame, within: a frame that is being put together, and the readers that do it.
 *
 * A column is undecided until its first value that is there: a number makes it one of numbers, what
 * is none makes it one of text. Where a text turns up behind numbers, their own text is gone: the
 * column is marked late, and the reader goes over the file once more for the late ones alone.
 *
 * Layer: data.
 */
#ifndef SW_DATA_FRAME_PRIVATE_H
#define SW_DATA_FRAME_PRIVATE_H

#include "data/frame.h"

typedef enum sw_maker_state {
    SW_MAKER_UNDECIDED, /* nothing but missing values so far; takes no memory */
    SW_MAKER_NUMBER,
    SW_MAKER_TEXT,
} sw_maker_state;

/* What a column needs beside its place in the frame while it is made. */
typedef struct sw_maker {
    sw_maker_state state;
    bool as_text;    /* the caller's wish */
    bool late;       /* text behind numbers: takes its values in the second pass alone */
    uint64_t there;  /* values that are not missing */
    uint32_t *slots; /* of text: index into words + 1; 0: empty */
    uint32_t slot_mask, word_cap;
} sw_maker;

typedef struct sw_builder {
    sw_frame *frame;
    const sw_frame_options *options; /* never NULL */
    const char *path;
    sw_maker *makers; /* one for each column of the frame */
    size_t column_cap;
    uint64_t rows, row_cap; /* rows begun; room of each column that has any */
    uint64_t row;           /* that values go to: the one begun last, unless the reader says else */
    uint64_t bytes;         /* taken for values */
    uint64_t size_bytes;    /* of the file */
    uint64_t bytes_read;    /* of the file, for the rows so far; 0: not known */
    bool late;              /* a column is */
    bool second;            /* the second pass runs: only late columns take values */
    sw_error *error;
} sw_builder;

void sw_builder_begin(sw_builder *b, sw_frame *frame, const char *path,
                      const sw_frame_options *options, sw_error *error);
/*
 * One more column of the file. `*index` is its place in the frame, or UINT32_MAX where it is not
 * asked for. Its values in the rows so far are missing.
 */
SW_MUST_USE sw_status sw_builder_column(uint32_t *index, sw_builder *b, sw_str name);
/* All columns are known: NOT_FOUND names one that was asked for and is not there, INVALID one that
 * is there twice. From here on sw_frame_find works. */
SW_MUST_USE sw_status sw_builder_columns_done(sw_builder *b);
/* Begins a row, all of it missing. */
SW_MUST_USE sw_status sw_builder_row(sw_builder *b);
/* A value of the row `b->row`. `text` is how the file writes the number. A NaN is missing. */
SW_MUST_USE sw_status sw_builder_number(sw_builder *b, uint32_t column, double value, sw_str text);
SW_MUST_USE sw_status sw_builder_text(sw_builder *b, uint32_t column, sw_str text);
/* Gets ready to go over the rows once more, for the columns that are late. */
SW_MUST_USE sw_status sw_builder_again(sw_builder *b);
/* INVALID: what the second pass sees is not what the first saw. */
sw_status sw_builder_changed(const sw_builder *b);
/* INVALID where the second pass saw another number of rows. */
SW_MUST_USE sw_status sw_builder_end(sw_builder *b);
void sw_builder_free(sw_builder *b);

/* Whether a column takes values in this pass. */
static inline bool sw_builder_wants(const sw_builder *b, uint32_t column) {
    return b->makers[column].late == b->second;
}

/* ---- The readers: each fills `b` from its path, or up to `rows_max` rows of it (0: all) ---- */

SW_MUST_USE sw_status sw_frame_read_csv(sw_builder *b, uint64_t rows_max);
SW_MUST_USE sw_status sw_frame_read_json(sw_builder *b, uint64_t rows_max);
SW_MUST_USE sw_status sw_frame_read_parquet(sw_builder *b, uint64_t rows_max);

#endif /* SW_DATA_FRAME_PRIVATE_H */
