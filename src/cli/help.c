/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

static void heading(FILE *out, const char *text) {
    fprintf(out, "\n%s%s%s\n", sw_term_style(out, SW_BOLD), text, sw_term_style(out, SW_PLAIN));
}

static bool has_letter(const sw_cli_option *option, char letter) {
    for (; option && option->name; option++)
        if (option->letter == letter)
            return true;
    return false;
}

/* A letter that is among `taken` means that option and not this one. */
static void print_options(FILE *out, const sw_cli_option *option, const sw_cli_option *taken) {
    sw_table *table = sw_table_make(2);
    for (; option && option->name; option++) {
        char letter[8] = "    ";
        if (option->letter && !has_letter(taken, option->letter))
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        sw_table_cell(table, SW_PLAIN, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                      option->value ? option->value : "");
        sw_table_cell(table, SW_PLAIN, "%s", option->help);
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
}

/* Each line of `text` with `indent` blanks before it. */
static void print_lines(FILE *out, const char *text, int indent) {
    sw_str rest = sw_str_of(text);
    while (rest.len) {
        sw_str line = sw_str_split(&rest, '\n');
        fprintf(out, "%*s%.*s\n", line.len ? indent : 0, "", SW_STR_ARG(line));
    }
}

void sw_cli_help_one(FILE *out, const sw_cli_command *command, const sw_cli_command *parent) {
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", parent ? parent->name : "", parent ? " " : "",
             command->name);
    fprintf(out, "%sslipway %s%s: %s\n", sw_term_style(out, SW_BOLD), name,
            sw_term_style(out, SW_PLAIN), command->summary);
    heading(out, "Usage");
    if (command->actions) {
        for (const sw_cli_command *action = command->actions; action->name; action++)
            fprintf(out, "  slipway %s %s%s%s%s\n", name, action->name,
                    *action->arguments ? " " : "", action->arguments,
                    action->options && action->options->name ? " [options]" : "");
    } else {
        fprintf(out, "  slipway %s%s%s [options]\n", name, *command->arguments ? " " : "",
                command->arguments);
    }
    if (command->details) {
        fputc('\n', out);
        print_lines(out, command->details, 2);
    }
    if (command->options && command->options->name) {
        heading(out, "Options");
        print_options(out, command->options, NULL);
    }
    heading(out, "Options of every command");
    print_options(out, sw_cli_common_options, command->options);
    if (command->examples) {
        heading(out, "Examples");
        print_lines(out, command->examples, 2);
    }
    if (command->other_names && *command->other_names)
        fprintf(out, "\nAlso: %s\n", command->other_names);
}

void sw_cli_help_all(FILE *out, const sw_cli_command *const *commands) {
    fprintf(out, "%sslipway%s: from a model file to a watched, reversible deployment\n",
            sw_term_style(out, SW_BOLD), sw_term_style(out, SW_PLAIN));
    heading(out, "Commands");
    sw_table *table = sw_table_make(2);
    for (; *commands; commands++) {
        sw_table_cell(table, SW_PLAIN, "%s", (*commands)->name);
        sw_table_cell(table, SW_PLAIN, "%s", (*commands)->summary);
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
    heading(out, "Options of every command");
    print_options(out, sw_cli_common_options, NULL);
    heading(out, "First steps");
    print_lines(out,
                "slipway demo                                   the whole tour on real data\n"
                "slipway serve                                  a server on 127.0.0.1:8080\n"
                "slipway push fraud fraud.onnx --profile train.csv\n"
                "slipway deploy fraud\n"
                "slipway predict fraud rows.csv\n",
                2);
    heading(out, "Exit status");
    print_lines(
        out, "0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 server unreachable\n", 2);
    fprintf(out, "\nslipway COMMAND --help says more.\n");
}
