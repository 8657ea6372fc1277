/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "cli/cli_private.h"
#include "cli/table_file.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

enum { HASH_DIGITS = 64, LABEL_COLUMNS = 7 /* "checked" */ };

/* One file that goes along. */
typedef struct upload_file {
    const char *path;
    const char *type;
    FILE *file;
    uint64_t size_bytes;
    char sha256[HASH_DIGITS + 1];
} upload_file;

typedef struct push_work {
    sw_cli *cli;
    const char *name;
    upload_file model, profile, check;
    json_t *signature;
    json_t *version; /* the answer */
    json_t *alias;   /* … of the alias and the deployment, where they were asked for */
    json_t *revision;
} push_work;

/* Files of other frameworks, and how each becomes ONNX. */
static const char *export_hint(const char *path) {
    static const struct {
        const char *ending, *hint;
    } rows[] = {
        {".pkl", "from scikit-learn, skl2onnx.to_onnx does"},
        {".pickle", "from scikit-learn, skl2onnx.to_onnx does"},
        {".joblib", "from scikit-learn, skl2onnx.to_onnx does"},
        {".pt", "from PyTorch, torch.onnx.export does"},
        {".pth", "from PyTorch, torch.onnx.export does"},
        {".h5", "from Keras, tf2onnx does"},
        {".keras", "from Keras, tf2onnx does"},
        {".ubj", "from XGBoost, onnxmltools.convert_xgboost does"},
    };
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t ending = strlen(rows[i].ending);
        if (len > ending && strcasecmp(path + len - ending, rows[i].ending) == 0)
            return rows[i].hint;
    }
    return NULL;
}

static sw_status open_attachment(push_work *push, upload_file *attachment, const char *path,
                                 const char *type) {
    sw_error *error = &push->cli->error;
    struct stat info;
    if (!path)
        return SW_OK;
    attachment->path = path;
    attachment->type = type;
    attachment->file = fopen(path, "re");
    if (!attachment->file)
        return sw_fail(error, errno == ENOENT ? SW_CODE_NOT_FOUND : SW_CODE_IO, "%s: %s", path,
                       strerror(errno));
    if (fstat(fileno(attachment->file), &info) != 0 || !S_ISREG(info.st_mode))
        return sw_fail(error, SW_CODE_INVALID, "%s is no file", path);
    if (info.st_size == 0)
        return sw_fail(error, SW_CODE_INVALID, "%s is empty", path);
    attachment->size_bytes = (uint64_t)info.st_size;
    return SW_OK;
}

/* Of rows, in any format that a table can have. */
static sw_status open_table(push_work *push, upload_file *attachment, const char *path) {
    struct stat info;
    SW_TRY(open_attachment(push, attachment, path, "text/csv"));
    if (!path)
        return SW_OK;
    SW_TRY(sw_table_file_as_csv(&attachment->file, path, &push->cli->error));
    if (fstat(fileno(attachment->file), &info) != 0)
        return sw_fail(&push->cli->error, SW_CODE_IO, "%s: %s", path, strerror(errno));
    attachment->size_bytes = (uint64_t)info.st_size;
    return SW_OK;
}

static sw_status read_signature(push_work *push, const char *path) {
    if (!path)
        return SW_OK;
    json_error_t why;
    push->signature = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (push->signature)
        return SW_OK;
    if (why.line < 0)
        return sw_fail(&push->cli->error, SW_CODE_NOT_FOUND, "%s", why.text);
    return sw_fail(&push->cli->error, SW_CODE_INVALID, "%s, line %d: %s", path, why.line, why.text);
}

static sw_status check_external(const push_work *push, const char *path) {
    sw_error *error = &push->cli->error;
    if (path)
        return sw_fail(error, SW_CODE_USAGE,
                       "--external is for a model that is served elsewhere, so no file goes along: "
                       "leave out %s, or --external",
                       path);
    if (!sw_cli_value(push->cli, "profile") && !sw_cli_value(push->cli, "signature"))
        return sw_fail(error, SW_CODE_USAGE,
                       "what does %s take? Add --profile train.csv, or --signature FILE.json",
                       push->name);
    return SW_OK;
}

static sw_status check_model_file(const push_work *push, const char *path) {
    sw_cli *cli = push->cli;
    struct stat info;
    if (!path)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway push: which file? Usage: slipway push %s FILE.onnx, or --external "
                       "for a model that is served elsewhere",
                       push->name);
    if (sw_cli_value(cli, "prediction"))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--prediction goes with --external: an ONNX file says what its outputs are");
    if (stat(path, &info) != 0 && strstr(push->name, ".onnx"))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "the name comes first: did you mean slipway push %s %s?", path, push->name);
    if (export_hint(path))
        return sw_fail(&cli->error, SW_CODE_INVALID,
                       "%s is no ONNX file, which is what Slipway serves: export it first (%s)",
                       path, export_hint(path));
    return SW_OK;
}

/* Everything that can be wrong on this side is said before a byte is sent. */
static sw_status prepare(push_work *push) {
    sw_cli *cli = push->cli;
    const char *path = sw_cli_argument(cli, 1);
    sw_cli_spec spec;
    SW_TRY(sw_cli_spec_parse(&spec, push->name, &cli->error));
    if (*spec.version)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "the server numbers the versions itself: slipway push %s%s%s", spec.name,
                       path ? " " : "", path ? path : "");
    SW_TRY(sw_cli_flag(cli, "external") ? check_external(push, path)
                                        : check_model_file(push, path));
    SW_TRY(open_attachment(push, &push->model, path, "application/octet-stream"));
    SW_TRY(open_table(push, &push->profile, sw_cli_value(cli, "profile")));
    SW_TRY(open_table(push, &push->check, sw_cli_value(cli, "check")));
    return read_signature(push, sw_cli_value(cli, "signature"));
}

static sw_status upload(push_work *push, upload_file *attachment) {
    if (!attachment->file)
        return SW_OK;
    sw_cli *cli = push->cli;
    sw_client *client;
    SW_TRY(sw_cli_client(&client, cli));
    char what[300];
    snprintf(what, sizeof what, "uploading %.250s", attachment->path);
    sw_progress progress;
    sw_progress_begin(&progress, sw_cli_quiet(cli) ? NULL : what);
    sw_request request = {.method = "POST",
                          .path = "/api/v1/blobs",
                          .type = attachment->type,
                          .file = attachment->file,
                          .file_bytes = attachment->size_bytes,
                          .progress = &progress};
    sw_reply *reply = sw_client_reply(client);
    sw_status status = sw_client_do(reply, client, &request, &cli->error);
    sw_progress_end(&progress);
    SW_TRY(status);
    SW_TRY(sw_cli_judge(cli, reply));
    json_t *json = json_loadb(reply->body.at, reply->body.len, 0, NULL);
    snprintf(attachment->sha256, sizeof attachment->sha256, "%s", sw_js_text(json, "sha256"));
    json_decref(json);
    if (strlen(attachment->sha256) != HASH_DIGITS)
        return sw_fail(&cli->error, SW_CODE_INTERNAL, "%s took %s without naming its hash",
                       sw_client_url(client), attachment->path);
    return SW_OK;
}

static void set_hash(json_t *body, const char *key, const upload_file *attachment) {
    if (attachment->file)
        json_object_set_new(body, key, json_string(attachment->sha256));
}

static void set_external(json_t *body, const sw_cli *cli) {
    const char *column;
    json_t *predictions = json_array();
    for (unsigned i = 0; (column = sw_cli_value_at(cli, "prediction", i)); i++)
        json_array_append_new(predictions, json_string(column));
    json_object_set_new(body, "external", json_true());
    json_object_set_new(body, "predictions", predictions);
}

static sw_status make_version(push_work *push) {
    json_t *body = json_object();
    const char *note = sw_cli_value(push->cli, "note");
    set_hash(body, "artifact", &push->model);
    set_hash(body, "profile", &push->profile);
    set_hash(body, "check", &push->check);
    if (push->signature)
        json_object_set(body, "signature", push->signature);
    if (note)
        json_object_set_new(body, "note", json_string(note));
    if (sw_cli_flag(push->cli, "external"))
        set_external(body, push->cli);
    sw_status status =
        sw_cli_ask(&push->version, push->cli, "reading, loading and profiling", "POST", body,
                   "/api/v1/models/%s/versions", sw_client_segment(push->name).at);
    json_decref(body);
    return status;
}

/* {"version": "3"}, of what was pushed. */
static json_t *version_body(const push_work *push) {
    return json_pack("{s:o}", "version",
                     json_sprintf("%lld", (long long)sw_js_integer(push->version, "version")));
}

static sw_status set_alias(push_work *push) {
    const char *alias = sw_cli_value(push->cli, "alias");
    if (!alias)
        return SW_OK;
    json_t *body = version_body(push);
    sw_status status =
        sw_cli_ask(&push->alias, push->cli, NULL, "PUT", body, "/api/v1/models/%s/aliases/%s",
                   sw_client_segment(push->name).at, sw_client_segment(alias).at);
    json_decref(body);
    return status;
}

static sw_status deploy(push_work *push) {
    if (!sw_cli_flag(push->cli, "deploy"))
        return SW_OK;
    json_t *body = version_body(push);
    sw_status status =
        sw_cli_ask(&push->revision, push->cli, "loading and warming up", "POST", body,
                   "/api/v1/models/%s/deployments", sw_client_segment(push->name).at);
    json_decref(body);
    return status;
}

/* "fraud@1   " and the labels below it end in the same column. */
static int label_width(const push_work *push) {
    char name[300];
    int width = snprintf(name, sizeof name, "%s@%lld", push->name,
                         (long long)sw_js_integer(push->version, "version"));
    return width < LABEL_COLUMNS ? LABEL_COLUMNS : width;
}

static void print_version(const push_work *push) {
    const json_t *version = push->version, *signature = json_object_get(version, "signature"),
                 *artifact = json_object_get(version, "artifact"),
                 *profile = json_object_get(version, "profile");
    size_t features = json_array_size(json_object_get(signature, "features")),
           inputs = json_array_size(json_object_get(signature, "inputs")),
           outputs = json_array_size(json_object_get(signature, "outputs"));
    char name[300];
    snprintf(name, sizeof name, "%s@%lld", push->name,
             (long long)sw_js_integer(version, "version"));
    printf("%-*s   %s, %s", label_width(push), name,
           features ? sw_text_plural(features, "feature").at : sw_text_plural(inputs, "input").at,
           sw_text_plural(outputs, "output").at);
    if (json_is_object(artifact))
        printf(" · %s · sha256 %s",
               sw_text_bytes((uint64_t)sw_js_integer(artifact, "size_bytes")).at,
               sw_text_hash(sw_js_text(artifact, "sha256")).at);
    else
        printf(" · served elsewhere");
    if (json_is_object(profile))
        printf("  · profile of %s",
               sw_text_plural((uint64_t)sw_js_integer(profile, "rows"), "row").at);
    putchar('\n');
}

static void print_checked(const push_work *push) {
    const json_t *checked = json_object_get(push->version, "checked");
    if (!json_is_object(checked) || sw_js_bool(push->version, "external"))
        return;
    const char *engine = sw_js_text(checked, "engine"), *why = sw_js_text(checked, "engine_why");
    bool told = strcmp(engine, "onnxruntime") != 0 && *why;
    printf("%-*s   loads in %s, 1 row %s, 1,024 rows %s a row (%s%s%s)\n", label_width(push),
           "checked", sw_text_duration(sw_js_number(checked, "load_ms") / 1e3).at,
           sw_text_duration(sw_js_number(checked, "row1_us") / 1e6).at,
           sw_text_duration(sw_js_number(checked, "row1024_us") / 1e6).at, engine, told ? ": " : "",
           told ? why : "");
}

static void print_all(const push_work *push) {
    print_version(push);
    if (sw_cli_quiet(push->cli))
        return;
    print_checked(push);
    if (push->alias)
        printf("%-*s   %s@%s\n", label_width(push), "alias", push->name,
               sw_js_text(push->alias, "name"));
    if (push->revision)
        sw_cli_print_revision(push->revision);
    else
        printf("%-*s   slipway deploy %s@%lld\n", label_width(push), "next", push->name,
               (long long)sw_js_integer(push->version, "version"));
}

static void print_as_json(const push_work *push) {
    if (!push->alias && !push->revision) {
        sw_cli_print_answer(push->cli);
        return;
    }
    if (push->alias)
        json_object_set(push->version, "alias", push->alias);
    if (push->revision)
        json_object_set(push->version, "revision", push->revision);
    sw_cli_print_json(push->version);
}

static void close_attachment(upload_file *attachment) {
    if (attachment->file)
        fclose(attachment->file);
}

static sw_status run(sw_cli *cli) {
    push_work push = {.cli = cli, .name = sw_cli_argument(cli, 0)};
    sw_status status = prepare(&push);
    if (!sw_failed(status))
        status = upload(&push, &push.model);
    if (!sw_failed(status))
        status = upload(&push, &push.profile);
    if (!sw_failed(status))
        status = upload(&push, &push.check);
    if (!sw_failed(status))
        status = make_version(&push);
    bool made = !sw_failed(status);
    if (!sw_failed(status))
        status = set_alias(&push);
    if (!sw_failed(status))
        status = deploy(&push);
    if (made && sw_cli_json(cli) && !sw_failed(status))
        print_as_json(&push);
    else if (made && !sw_cli_json(cli))
        print_all(&push);
    close_attachment(&push.model);
    close_attachment(&push.profile);
    close_attachment(&push.check);
    json_decref(push.signature);
    json_decref(push.version);
    json_decref(push.alias);
    json_decref(push.revision);
    return status;
}

static const sw_cli_option options[] = {
    {"profile", 'p', "FILE",
     "the training data (CSV, JSON Lines or Parquet): names the features, and is what live rows "
     "are watched against"},
    {"check", 'c', "FILE", "rows with the training code's answers, replayed before each deploy"},
    {"signature", 0, "FILE.json", "names, types, ranges and categories of the features"},
    {"external", 'x', NULL,
     "the model is served elsewhere: no file, and its observations are sent here"},
    {"prediction", 0, "COLUMN",
     "with --external: a column of the profile that holds the model's answers (repeatable; default "
     "prediction)"},
    {"note", 'm', "TEXT", "a line for whoever reads the list of versions"},
    {"alias", 'a', "NAME", "set this alias on the new version"},
    {"deploy", 'd', NULL, "deploy the new version at once"},
    {0},
};

const sw_cli_command sw_cli_push = {
    .name = "push",
    .arguments = "NAME [FILE.onnx]",
    .summary = "makes the next version of a model from an ONNX file",
    .details = "Expected values in a check file stand in columns named =OUTPUT, or =OUTPUT[K] for\n"
               "column K (from 0) of an output of several.",
    .examples = "slipway push fraud fraud.onnx --profile train.csv\n"
                "slipway push fraud fraud.onnx --profile train.csv --check rows.csv --deploy\n"
                "slipway push fraud fraud.onnx --note \"trained on May\" --alias challenger\n"
                "slipway push fraud --external --profile train.csv --prediction score --deploy",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
