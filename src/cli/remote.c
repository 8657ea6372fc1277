/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote.h"

#include "base/mem.h"
#include "cli/cli_private.h"

struct sw_remote {
    sw_client *client;
};

sw_status sw_remote_make(sw_remote **out, sw_cli *cli) {
    sw_remote *remote = sw_mem_zalloc(1, sizeof *remote);
    if (!remote)
        return sw_fail(&cli->error, SW_CODE_NO_MEMORY, "out of memory");
    sw_status status = sw_cli_another_client(&remote->client, cli);
    if (sw_failed(status))
        sw_mem_free(remote);
    else
        *out = remote;
    return status;
}

void sw_remote_free(sw_remote *remote) {
    if (!remote)
        return;
    sw_client_free(remote->client);
    sw_mem_free(remote);
}

const char *sw_remote_url(const sw_remote *remote) {
    return sw_client_url(remote->client);
}

sw_status sw_remote_ask(long *http, sw_str *answer, sw_remote *remote, const char *method,
                        const char *path, const char *type, sw_str body, long timeout_ms,
                        sw_error *error) {
    const sw_request request = {
        .method = method, .path = path, .type = type, .body = body, .timeout_ms = timeout_ms};
    sw_reply *reply = sw_client_reply(remote->client);
    SW_TRY(sw_client_do(reply, remote->client, &request, error));
    *http = reply->http;
    *answer = sw_buf_str(&reply->body);
    return SW_OK;
}
