/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/push.h"

#include "io/file.h"
#include "serve/check.h"
#include "serve/push_external.h"
#include "serve/reference.h"
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

static sw_status write_profile(sw_version *version, const sw_profile *profile, sw_arena *arena,
                               sw_error *error) {
    sw_buf json = {0};
    char hash[SW_SHA256_HEX + 1];
    sw_profile_to_json(&json, profile);
    version->profile_json = json.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&json));
    sw_buf_free(&json);
    if (!version->profile_json.at)
        return no_memory(error);
    sw_sha256_hex(hash, version->profile_json);
    version->profile_hash = sw_arena_copy(arena, sw_str_of(hash));
    return version->profile_hash.at ? SW_OK : no_memory(error);
}

/* What the model says, named by the CSV's header and the signature file. */
static sw_status name_features(sw_signature *signature, const sw_push *push,
                               const sw_model_info *info, const char *csv, sw_arena *arena,
                               sw_error *error) {
    SW_TRY(sw_signature_from_model(signature, info, arena, error));
    if (csv) {
        sw_str *names;
        size_t count;
        SW_TRY(sw_fail_within(sw_csv_header(&names, &count, csv, arena, error), error, "profile"));
        SW_TRY(sw_signature_name_columns(signature, names, count, arena, error));
    }
    return push->signature_json.len
               ? sw_signature_apply_json(signature, push->signature_json, arena, error)
               : SW_OK;
}

/* The signature, named and ranged; the profile, if there is a CSV. `info` NULL: served elsewhere. */
static sw_status describe(sw_signature *signature, sw_version *version, const sw_push *push,
                          const sw_model_info *info, sw_blobs *blobs, sw_arena *arena,
                          sw_error *error) {
    char path[SW_PATH_BYTES];
    uint64_t ignored_bytes;
    if (push->profile_csv)
        SW_TRY(path_of(path, &ignored_bytes, blobs, push->profile_csv, "profile", error));
    const char *csv = push->profile_csv ? path : NULL;
    SW_TRY(info ? name_features(signature, push, info, csv, arena, error)
                : sw_push_external_signature(signature, push, csv, arena, error));
    if (!csv)
        return SW_OK;
    sw_profile profile;
    SW_TRY(sw_fail_within(sw_profile_from_csv(&profile, signature, path, arena, error), error,
                          "profile"));
    allow_missing(signature, &profile);
    version->profile_rows = profile.rows;
    return write_profile(version, &profile, arena, error);
}

static sw_status write_signature(sw_version *version, const sw_signature *signature,
                                 sw_arena *arena, sw_error *error) {
    sw_buf json = {0};
    sw_signature_to_json(&json, signature);
    version->signature_json = json.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&json));
    sw_buf_free(&json);
    return version->signature_json.at ? SW_OK : no_memory(error);
}

static sw_status check_file(const sw_signature *signature, sw_version *version, const sw_push *push,
                            sw_blobs *blobs, sw_error *error) {
    char path[SW_PATH_BYTES];
    uint64_t ignored_bytes;
    SW_TRY(path_of(path, &ignored_bytes, blobs, push->check_csv, "file of check rows", error));
    version->has_check = true;
    version->check = *push->check_csv;
    return sw_check_file(signature, path, error);
}

static sw_status examine(sw_version *version, const sw_push *push, const char *path,
                         sw_blobs *blobs, sw_arena *arena, sw_error *error) {
    sw_model *model;
    sw_signature signature;
    SW_TRY(sw_model_open(&model, path, NULL, error));
    sw_status status =
        describe(&signature, version, push, sw_model_get_info(model), blobs, arena, error);
    if (!sw_failed(status) && push->check_csv)
        status = check_file(&signature, version, push, blobs, error);
    if (!sw_failed(status))
        status = write_signature(version, &signature, arena, error);
    sw_model_close(model);
    return status;
}

static sw_status examine_external(sw_version *version, const sw_push *push, sw_blobs *blobs,
                                  sw_arena *arena, sw_error *error) {
    sw_signature signature;
    if (push->check_csv)
        return sw_fail(error, SW_CODE_INVALID,
                       "check rows cannot be replayed on a model that is served elsewhere: leave "
                       "them out");
    SW_TRY(describe(&signature, version, push, NULL, blobs, arena, error));
    return write_signature(version, &signature, arena, error);
}

/* The profile gets what the model says to the rows that it was made from. */
static sw_status score_profile(sw_version *version, const sw_served *served, const sw_push *push,
                               sw_blobs *blobs, sw_arena *arena, sw_error *error) {
    char path[SW_PATH_BYTES];
    uint64_t ignored_bytes;
    if (!push->profile_csv || !served->profile)
        return SW_OK;
    sw_profile profile = *served->profile;
    SW_TRY(path_of(path, &ignored_bytes, blobs, push->profile_csv, "profile", error));
    SW_TRY(sw_reference_score(&profile, served, path, arena, error));
    return profile.scored ? write_profile(version, &profile, arena, error) : SW_OK;
}

static sw_status try_out(sw_push_trial *trial, sw_version *version, const sw_push *push,
                         const sw_load_parts *parts, sw_arena *arena, sw_error *error) {
    sw_served *served;
    double row_ns;
    SW_TRY(sw_load(&served, parts, version, NULL, 0, error));
    sw_status status = sw_load_time_rows(&row_ns, served, TRIAL_ROWS, parts, version, error);
    *trial = (sw_push_trial){
        .load_ms = served->load_ms,
        .row1_us = version->external ? (double)NAN : served->run_ns / 1e3,
        .row1024_us = row_ns / 1e3,
        .engine = served->info->engine,
        .engine_why = sw_arena_copy(arena, sw_str_of(served->info->engine_why)),
    };
    if (!sw_failed(status))
        status = score_profile(version, served, push, parts->blobs, arena, error);
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
        .model = push->model, .external = push->external, .note = push->note, .who = push->who};
    if (push->external) {
        SW_TRY(examine_external(out, push, parts->blobs, arena, error));
    } else {
        out->artifact = push->artifact;
        SW_TRY(path_of(path, &out->artifact_bytes, parts->blobs, &push->artifact, "model file",
                       error));
        SW_TRY(examine(out, push, path, parts->blobs, arena, error));
    }
    const sw_load_parts trial_parts = {.live = parts->live, .blobs = parts->blobs};
    SW_TRY(try_out(trial, out, push, &trial_parts, arena, error));
    return sw_registry_add_version(out, registry, error);
}
