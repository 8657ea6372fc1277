/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile_private.h"

#include "base/clock.h"
#include "cli/cli_private.h"
#include "cli/input_private.h"
#include "io/file.h"
#include "model/signature.h"

enum { SIGNATURE_BYTES_MAX = 64 << 20 };

/* ---- The model's signature ---- */

static sw_status read_signature(sw_signature *out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_status status = sw_signature_from_json(out, json, arena, error);
    if (!sw_failed(status) && out->feature_count == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "the signature has no features, so there are no columns to profile");
    return status;
}

static sw_status signature_of_file(sw_signature *out, const char *path, sw_arena *arena,
                                   sw_error *error) {
    sw_buf json = {0};
    sw_status status = sw_file_read_whole(&json, path, SIGNATURE_BYTES_MAX, error);
    if (!sw_failed(status))
        status =
            sw_fail_within(read_signature(out, sw_buf_str(&json), arena, error), error, "%s", path);
    sw_buf_free(&json);
    return status;
}

static sw_status signature_of_model(sw_signature *out, sw_cli *cli, const char *text,
                                    sw_arena *arena) {
    sw_cli_spec spec;
    json_t *answer = NULL;
    SW_TRY(sw_cli_spec_parse(&spec, text, &cli->error));
    if (*spec.version)
        SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models/%s/versions/%s",
                          sw_client_segment(spec.name).at, sw_client_segment(spec.version).at));
    else
        SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models/%s/versions",
                          sw_client_segment(spec.name).at));
    const json_t *version =
        *spec.version ? answer : json_array_get(json_object_get(answer, "versions"), 0);
    char *json = json_dumps(json_object_get(version, "signature"), JSON_COMPACT);
    sw_status status = json ? read_signature(out, sw_str_of(json), arena, &cli->error)
                            : sw_fail(&cli->error, SW_CODE_NOT_FOUND,
                                      "%s has no version with a signature", spec.name);
    free(json);
    json_decref(answer);
    return status;
}

/* `*out` stays NULL where neither option was given. */
static sw_status find_signature(sw_signature **out, sw_cli *cli, sw_arena *arena) {
    const char *model = sw_cli_value(cli, "model"), *file = sw_cli_value(cli, "signature");
    *out = NULL;
    if (model && file)
        return sw_fail(&cli->error, SW_CODE_USAGE, "say --model or --signature, not both");
    if (!model && !file)
        return SW_OK;
    *out = sw_arena_zalloc(arena, 1, sizeof **out);
    if (!*out)
        return sw_fail(&cli->error, SW_CODE_NO_MEMORY, "no memory for a signature");
    return file ? signature_of_file(*out, file, arena, &cli->error)
                : signature_of_model(*out, cli, model, arena);
}

/* ---- The whole ---- */

static void tick(void *context, uint64_t done, uint64_t all) {
    sw_progress_tick(context, done, all);
}

static sw_status write_profile(const sw_profile *profile, const char *path, sw_error *error) {
    sw_buf json = {0};
    sw_profile_to_json(&json, profile);
    sw_buf_add_char(&json, '\n');
    sw_status status = json.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the profile")
                                   : sw_file_write_whole(path, sw_buf_str(&json), error);
    sw_buf_free(&json);
    return status;
}

static sw_status make_profile(sw_profile *out, sw_cli *cli, sw_cli_input *input, sw_arena *arena) {
    sw_progress progress;
    sw_text what;
    sw_profile_options options = {0};
    SW_TRY(find_signature(&options.signature, cli, arena));
    snprintf(what.at, sizeof what.at, "profiling %.80s", input->shown);
    sw_progress_begin(&progress, sw_cli_quiet(cli) ? NULL : what.at);
    options.progress = tick;
    options.context = &progress;
    sw_status status = sw_profile_from_file(out, &options, input->path, arena, &cli->error);
    status = sw_cli_input_blame(status, input, &cli->error);
    sw_progress_end(&progress);
    return status;
}

static sw_status run(sw_cli *cli) {
    const char *output = sw_cli_value(cli, "output");
    sw_cli_input input;
    sw_arena arena = {0};
    sw_profile profile;
    uint64_t began_ns = sw_clock_ns();
    sw_status status = sw_cli_input_open(&input, sw_cli_argument(cli, 0), &cli->error);
    if (!sw_failed(status))
        status = make_profile(&profile, cli, &input, &arena);
    if (!sw_failed(status) && output)
        status = write_profile(&profile, output, &cli->error);
    if (!sw_failed(status) && sw_cli_json(cli))
        status = sw_cli_profile_print_json(&profile, &cli->error);
    else if (!sw_failed(status))
        sw_cli_profile_print(&profile, input.shown, (double)(sw_clock_ns() - began_ns) * 1e-9);
    if (!sw_failed(status) && output && !sw_cli_json(cli) && !sw_cli_quiet(cli))
        printf("written to %s\n", output);
    sw_arena_free(&arena);
    sw_cli_input_close(&input);
    return status;
}

static const sw_cli_option options_of_profile[] = {
    {"model", 'm', "NAME[@V]", "only the features of this version, as its inputs hold them"},
    {"signature", 0, "FILE", "the same from a signature file; needs no server"},
    {"output", 'o', "FILE", "writes the profile there, as JSON"},
    {0},
};

const sw_cli_command sw_cli_profile = {
    .name = "profile",
    .arguments = "FILE",
    .summary = "what the columns of a file hold: range, quantiles, missing, distinct",
    .details =
        "FILE is CSV, JSON Lines or Parquet. It is read here, without a server, in bounded memory\n"
        "and for CSV in one pass; counts are of every row. Columns that are constant, all "
        "missing,\n"
        "nearly one value, or a different value in every row are pointed out. - is standard input.",
    .examples = "slipway profile train.csv\n"
                "slipway profile train.parquet -o profile.json\n"
                "slipway profile train.csv --signature signature.json --json",
    .options = options_of_profile,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
