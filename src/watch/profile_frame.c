/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"
#include "watch/profile_private.h"

#include "base/mem.h"
#include "data/frame.h"
#include "io/file.h"

#include <math.h>

enum { GROUP_BYTES = 256 << 20, BLOCK_ROWS = 1024 };

/* Columns are read in groups, so that a wide table never lies in memory as a whole. */
typedef struct reading {
    const sw_profile_options *options;
    const char *path;
    sw_str *names; /* of the profile's columns, in its order */
    size_t count, group;
    uint64_t size_bytes, done; /* done: columns of groups that are finished */
    double values[BLOCK_ROWS], finite[BLOCK_ROWS];
} reading;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to profile the file");
}

/* ---- Which columns ---- */

static sw_status choose_names(reading *r, const sw_frame *planned, sw_arena *arena,
                              sw_error *error) {
    const sw_signature *signature = r->options->signature;
    r->count = signature ? signature->feature_count : planned->column_count;
    r->names = sw_arena_zalloc(arena, r->count + 1, sizeof *r->names);
    if (!r->names)
        return no_memory(error);
    for (size_t i = 0; i < r->count; i++) {
        r->names[i] = sw_arena_copy(arena, signature ? signature->features[i].name
                                                     : planned->columns[i].name);
        if (!r->names[i].at)
            return no_memory(error);
    }
    return SW_OK;
}

static sw_status plan(reading *r, sw_arena *arena, sw_error *error) {
    sw_frame planned;
    SW_TRY(sw_frame_columns(&planned, r->path, error));
    uint64_t rows = planned.rows ? planned.rows : 1;
    uint64_t group = GROUP_BYTES / sizeof(double) / rows;
    sw_status status = choose_names(r, &planned, arena, error);
    sw_frame_free(&planned);
    r->group = group == 0 ? 1 : group < r->count ? group : r->count;
    return status;
}

/* ---- One column ---- */

static double as_input(double x, sw_dtype dtype) {
    if (dtype == SW_FP32)
        return (double)(float)x;
    return dtype == SW_FP16 ? (double)sw_fp16_to_f32(sw_fp16_from_f32((float)x)) : x;
}

static bool gather_numbers(sw_gather *gather, reading *r, const sw_column *column, uint64_t rows,
                           sw_dtype dtype) {
    for (uint64_t from = 0; from < rows; from += BLOCK_ROWS) {
        size_t count = rows - from < BLOCK_ROWS ? rows - from : BLOCK_ROWS;
        for (size_t i = 0; i < count; i++)
            r->values[i] = as_input(column->numbers[from + i], dtype);
        if (!sw_gather_numbers(gather, r->values, r->finite, count))
            return false;
    }
    return true;
}

static bool gather_texts(sw_gather *gather, const sw_column *column, uint64_t rows) {
    for (uint64_t i = 0; i < rows; i++) {
        uint32_t code = column->codes[i];
        if (!sw_gather_text(gather, code == SW_TEXT_MISSING ? (sw_str){0} : column->words[code]))
            return false;
    }
    return true;
}

static bool gather_number_texts(sw_gather *gather, const sw_column *column, uint64_t rows) {
    for (uint64_t i = 0; i < rows; i++)
        if (!sw_gather_number_text(gather, column->numbers[i]))
            return false;
    return true;
}

static sw_status profile_column(sw_profile_column *out, reading *r, size_t index,
                                const sw_frame *frame, sw_arena *arena, sw_error *error) {
    sw_signature *signature = r->options->signature;
    sw_feature *feature = signature ? &signature->features[index] : NULL;
    const sw_column *column = sw_frame_find(frame, r->names[index]);
    sw_dtype dtype = feature ? signature->inputs[feature->input].dtype : SW_FP64;
    bool text = column->type == SW_COLUMN_TEXT;
    bool category = text || (feature && feature->kind == SW_FEATURE_CATEGORY);
    sw_gather gather;
    if (text && feature && dtype != SW_BYTES)
        return sw_fail(error, SW_CODE_INVALID,
                       "column \"%.*s\" holds text, as \"%.40s\", and the model takes a number",
                       SW_STR_ARG(column->name), column->word_count ? column->words[0].at : "");
    sw_gather_init(&gather, category, SW_GATHER_BYTES);
    bool good = text       ? gather_texts(&gather, column, frame->rows)
                : category ? gather_number_texts(&gather, column, frame->rows)
                           : gather_numbers(&gather, r, column, frame->rows, dtype);
    sw_status status =
        good ? sw_gather_finish(out, &gather, r->names[index], frame->rows, arena, error)
             : no_memory(error);
    sw_gather_free(&gather);
    if (!sw_failed(status) && feature)
        sw_profile_set_feature(feature, out);
    return status;
}

/* ---- Group after group ---- */

static void tell_progress(void *context, uint64_t done, uint64_t all) {
    const reading *r = context;
    double groups = ceil((double)r->count / (double)r->group);
    double share = ((double)r->done / (double)r->group + (double)done / (double)all) / groups;
    r->options->progress(r->options->context, (uint64_t)(share * (double)r->size_bytes),
                         r->size_bytes);
}

static sw_status profile_group(sw_profile *out, reading *r, size_t from, sw_arena *arena,
                               sw_error *error) {
    size_t count = r->count - from < r->group ? r->count - from : r->group;
    const sw_signature *signature = r->options->signature;
    sw_frame frame;
    sw_frame_options options = {.columns = r->names + from, .column_count = count};
    sw_str *texts = sw_mem_alloc((count + 1) * sizeof *texts);
    if (!texts)
        return no_memory(error);
    for (size_t i = 0; signature && i < count; i++)
        if (signature->inputs[signature->features[from + i].input].dtype == SW_BYTES)
            texts[options.as_text_count++] = r->names[from + i];
    options.as_text = texts;
    if (r->options->progress) {
        options.progress = tell_progress;
        options.context = r;
    }
    sw_status status = sw_frame_read(&frame, r->path, &options, error);
    out->rows = frame.rows;
    for (size_t i = 0; i < count && !sw_failed(status); i++)
        status = profile_column(&out->columns[from + i], r, from + i, &frame, arena, error);
    sw_frame_free(&frame);
    sw_mem_free(texts);
    return status;
}

static sw_status profile_frame(sw_profile *out, reading *r, sw_arena *arena, sw_error *error) {
    SW_TRY(plan(r, arena, error));
    out->column_count = (uint32_t)r->count;
    out->columns = sw_arena_zalloc(arena, r->count + 1, sizeof *out->columns);
    if (!out->columns)
        return no_memory(error);
    for (; r->done < r->count; r->done += r->group)
        SW_TRY(profile_group(out, r, r->done, arena, error));
    return out->rows ? SW_OK : sw_fail(error, SW_CODE_INVALID, "%s holds no row", r->path);
}

sw_status sw_profile_from_file(sw_profile *out, const sw_profile_options *options, const char *path,
                               sw_arena *arena, sw_error *error) {
    sw_frame_format format;
    sw_file_facts facts;
    *out = (sw_profile){0};
    SW_TRY(sw_file_stat(&facts, path, error));
    SW_TRY(sw_frame_format_of(&format, path, error));
    if (format == SW_FRAME_CSV) {
        sw_status status = sw_profile_read_csv(out, options, path, facts.size_bytes, arena, error);
        return status.code == SW_CODE_INVALID ? sw_fail_within(status, error, "%s", path) : status;
    }
    reading *r = sw_mem_zalloc(1, sizeof *r);
    if (!r)
        return no_memory(error);
    *r = (reading){.options = options, .path = path, .size_bytes = facts.size_bytes};
    sw_status status = profile_frame(out, r, arena, error);
    sw_mem_free(r);
    return status;
}
