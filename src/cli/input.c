/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input_private.h"

#include "base/mem.h"
#include "base/str.h"
#include "io/file.h"

#include <stdio.h>
#include <string.h>

enum { COPY_BYTES = 256 << 10 };

static sw_status copy_all(int to, int from, const char *shown, sw_error *error) {
    size_t got = COPY_BYTES;
    char *bytes = sw_mem_alloc(COPY_BYTES);
    sw_status status =
        bytes ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to read %s", shown);
    while (!sw_failed(status) && got == COPY_BYTES) {
        status = sw_file_read(&got, from, bytes, COPY_BYTES, shown, error);
        if (!sw_failed(status))
            status = sw_file_write(to, (sw_str){bytes, got}, "a temporary copy", error);
    }
    sw_mem_free(bytes);
    return status;
}

static sw_status copy(sw_cli_input *out, const char *source, sw_error *error) {
    int from;
    SW_TRY(sw_file_open_read(&from, source, error));
    sw_status status = sw_file_temporary(&out->fd, error);
    if (!sw_failed(status))
        status = copy_all(out->fd, from, out->shown, error);
    sw_file_close(&from);
    snprintf(out->of_fd, sizeof out->of_fd, "/proc/self/fd/%d", out->fd);
    out->path = out->of_fd;
    return status;
}

sw_status sw_cli_input_open(sw_cli_input *out, const char *argument, sw_error *error) {
    bool standard = strcmp(argument, "-") == 0;
    const char *source = standard ? "/dev/stdin" : argument;
    sw_file_facts facts;
    sw_error unheard;
    *out =
        (sw_cli_input){.shown = standard ? "standard input" : argument, .path = source, .fd = -1};
    if (sw_failed(sw_file_stat(&facts, source, &unheard)) || facts.is_regular || facts.is_folder)
        return SW_OK;
    return copy(out, source, error);
}

void sw_cli_input_close(sw_cli_input *input) {
    if (input->path)
        sw_file_close(&input->fd);
}

sw_status sw_cli_input_blame(sw_status status, const sw_cli_input *input, sw_error *error) {
    sw_error before = *error;
    if (!sw_failed(status) || !input->path || strcmp(input->path, input->shown) == 0)
        return status;
    sw_str rest = sw_str_of(before.text);
    sw_buf words = {0};
    const char *at;
    while ((at = memmem(rest.at, rest.len, input->path, strlen(input->path)))) {
        sw_buf_add_str(&words, (sw_str){rest.at, (size_t)(at - rest.at)});
        sw_buf_add_str(&words, sw_str_of(input->shown));
        at += strlen(input->path);
        rest = (sw_str){at, rest.len - (size_t)(at - rest.at)};
    }
    sw_buf_add_str(&words, rest);
    status = words.failed ? status : sw_fail(error, status.code, "%.*s", (int)words.len, words.at);
    sw_buf_free(&words);
    return status;
}
