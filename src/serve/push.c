/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/push.h"

#include "io/file.h"
#include "serve/check.h"
#include "store/sha256.h"

#include <math.h>

enum { TRIAL_ROWS = 1024 };

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while making the version");
}

static sw_status path_of(char path[SW_PATH_BYTES], uint64_t *size_bytes, sw_blobs *blobs,
                         const sw_blob_id *id, const char *what, sw_error *error) {
    sw_status status = sw_blob_size(size_bytes, blobs, id, error);
    if (sw_failed(status))
        return sw_fail_within(status, error, "the %s was not uploaded", what);
    sw_blob_path(path, SW_PATH_BYTES, blobs, id);
    return SW_OK;
}

/* Where the training data lacked values, requests may lack them too, as long as the input can say
 * so. */
static void allow_missing(sw_signature *signature, const sw_profile *profile) {
    for (uint32_t i = 0; i < signature->feature_count; i++) {
        sw_feature *feature = &signature->features[i];
        sw_dtype dtype = signature->inputs[feature->input].dtype;
        bool can_say =
            dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64 || dtype == SW_BYTES;
        if (profile->columns[i].missing > 0 && can_say)
            feature->optional = true;
    }
}

/* The signature, named and ranged; the profile, if there is a CSV. */
static sw_status describe(sw_signature *signature, sw_version *version, const sw_push *push,
                          const sw_model_info *info, sw_blobs *blobs, sw_arena *arena,
                          sw_error *error) {
    char path[SW_PATH_BYTES];
    uint64_t ignored_bytes;
    SW_TRY(sw_signature_from_model(signature, info, arena, error));
    if (push->profile_csv) {
        sw_str *names;
        size_t count;
        SW_TRY(path_of(path, &ignored_bytes, blobs, push->profile_csv, "profile", error));
        SW_TRY(sw_csv_header(&names, &count, path, arena, error));
        SW_TRY(sw_signature_name_columns(signature, names, count, arena, error));
    }
    if (push->signature_json.len)
        SW_TRY(sw_signature_apply_json(signature, push->signature_json, arena, error));
    if (!push->profile_csv)
        return SW_OK;
    sw_profile profile;
    sw_buf json = {0};
    SW_TRY(sw_profile_from_csv(&profile, signature, path, arena, error));
    allow_missing(signature, &profile);
    version->profile_rows = profile.rows;
    sw_profile_to_json(&json, &profile);
    version->profile_json = json.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&json));
    sw_buf_free(&json);
    char hash[SW_SHA256_HEX + 1];
    if (!version->profile_json.at)
        return no_memory(error);
    sw_sha256_hex(hash, version->profile_json);
    version->profile_hash = sw_arena_copy(arena, sw_str_of(hash));
    return version->profile_hash.at ? SW_OK : no_memory(error);
}

static sw_status write_signature(sw_version *version, const sw_signature *signature,
                                 sw_arena *arena, sw_error *error) {
    sw_buf json = {0};
    sw_signature_to_json(&json, signature);
    version->signature_json = json.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&json));
    sw_buf_free(&json);
    return version->signature_json.at ? SW_OK : no_memory(error);
}

static sw_status check_header(const sw_signature *signature, sw_version *version,
                              const sw_push *push, sw_blobs *blobs, sw_error *error) {
    char path[SW_PATH_BYTES];
    uint64_t ignored_bytes;
    SW_TRY(path_of(path, &ignored_bytes, blobs, push->check_csv, "file of check rows", error));
    version->has_check = true;
    version->check = *push->check_csv;
    return sw_check_header(signature, path, error);
}

static sw_status examine(sw_version *version, const sw_push *push, const char *path,
                         sw_blobs *blobs, sw_arena *arena, sw_error *error) {
    sw_model *model;
    sw_signature signature;
    SW_TRY(sw_model_open(&model, path, NULL, error));
    sw_status status =
        describe(&signature, version, push, sw_model_get_info(model), blobs, arena, error);
    if (!sw_failed(status) && push->check_csv)
        status = check_header(&signature, version, push, blobs, error);
    if (!sw_failed(status))
        status = write_signature(version, &signature, arena, error);
    sw_model_close(model);
    return status;
}

static sw_status try_out(sw_push_trial *trial, const sw_version *version,
                         const sw_load_parts *parts, sw_arena *arena, sw_error *error) {
    sw_served *served;
    double row_ns;
    SW_TRY(sw_load(&served, parts, version, NULL, 0, error));
    sw_status status = sw_load_time_rows(&row_ns, served, TRIAL_ROWS, error);
    *trial = (sw_push_trial){
        .load_ms = served->load_ms,
        .row1_us = served->run_ns / 1e3,
        .row1024_us = row_ns / 1e3,
        .engine = served->info->engine,
        .engine_why = sw_arena_copy(arena, sw_str_of(served->info->engine_why)),
    };
    sw_served_free(served);
    return status;
}

sw_status sw_push_version(sw_version *out, sw_push_trial *trial, const sw_push *push,
                          sw_registry *registry, const sw_load_parts *parts, sw_arena *arena,
                          sw_error *error) {
    char path[SW_PATH_BYTES];
    if (!sw_registry_name_ok(push->model))
        return sw_fail(
            error, SW_CODE_INVALID,
            "'%.*s' is no name for a model: use 1 to 128 letters, digits, '_', '-' and '.', "
            "beginning with a letter or digit",
            SW_STR_ARG(push->model));
    *out = (sw_version){
        .model = push->model, .artifact = push->artifact, .note = push->note, .who = push->who};
    SW_TRY(path_of(path, &out->artifact_bytes, parts->blobs, &push->artifact, "model file", error));
    SW_TRY(examine(out, push, path, parts->blobs, arena, error));
    const sw_load_parts trial_parts = {.live = parts->live, .blobs = parts->blobs};
    SW_TRY(try_out(trial, out, &trial_parts, arena, error));
    return sw_registry_add_version(out, registry, error);
}
