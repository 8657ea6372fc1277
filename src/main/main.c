/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"

int main(int argc, char **argv) {
    return sw_cli_main(argc, argv, &sw_serve_command);
}
