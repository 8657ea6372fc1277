/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"

#include "proxy/proxy.h"

#include <stddef.h>

int main(int argc, char **argv) {
    static const sw_cli_command *const commands[] = {&sw_serve_command, &sw_proxy_command, NULL};
    return sw_cli_main(argc, argv, commands);
}
