/* SPDX-License-Identifier: Apache-2.0 */
/* Notifiers and actions of the rules' YAML. */
#include "alert/rules_private.h"
#include "io/task.h"

#include <stddef.h>

enum { ARGUMENTS_MAX = 64, RECIPIENTS_MAX = 50, TIMEOUT_MS = 10000, TIMEOUT_MS_MAX = 120000 };

#define EVERY_KIND_HAS "timeout send_resolved by wait interval repeat"

static sw_status read_recipients(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_action *action = into;
    SW_TRY(sw_yaml_strs(&action->to, &action->to_count, y, node));
    if (action->to_count == 0 || action->to_count > RECIPIENTS_MAX)
        return sw_yaml_fail(y, node, "to: takes 1 to %d addresses", RECIPIENTS_MAX);
    return SW_OK;
}

static sw_status read_tls(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str *out = into;
    SW_TRY(sw_yaml_str(y, node, out));
    if (sw_str_is(*out, "none") || sw_str_is(*out, "starttls") || sw_str_is(*out, "required"))
        return SW_OK;
    return sw_yaml_fail(y, node, "tls: is none, starttls (where the server offers it) or required");
}

static sw_status read_by(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_notifier *n = SW_CONTAINER(into, sw_notifier, by);
    return sw_yaml_strs(&n->by, &n->by_count, y, node);
}

/* The value of the kind's own key is read once the kind is known. */
static sw_status read_later(sw_yaml *y, yaml_node_t *node, void *into) {
    (void)y, (void)node, (void)into;
    return SW_OK;
}

#define OF_ACTION(member) offsetof(sw_notifier, action) + offsetof(sw_action, member)

static const sw_yaml_field fields[] = {
    {"webhook", read_later, 0},
    {"slack", read_later, 0},
    {"email", read_later, 0},
    {"alertmanager", read_later, 0},
    {"command", read_later, 0},
    {"secret", sw_yaml_secret, OF_ACTION(secret)},
    {"user", sw_yaml_reference, OF_ACTION(user)},
    {"password", sw_yaml_secret, OF_ACTION(password)},
    {"from", sw_yaml_str, OF_ACTION(from)},
    {"to", read_recipients, offsetof(sw_notifier, action)},
    {"tls", read_tls, OF_ACTION(tls)},
    {"ca_file", sw_yaml_str, OF_ACTION(ca_file)},
    {"timeout", sw_yaml_duration, OF_ACTION(timeout_ms)},
    {"send_resolved", sw_yaml_bool, OF_ACTION(send_resolved)},
    {"by", read_by, offsetof(sw_notifier, by)},
    {"wait", sw_yaml_duration, offsetof(sw_notifier, wait_ms)},
    {"interval", sw_yaml_duration, offsetof(sw_notifier, interval_ms)},
    {"repeat", sw_yaml_duration, offsetof(sw_notifier, repeat_ms)},
    {0}};

static bool has_word(const char *words, sw_str word) {
    sw_str rest = sw_str_of(words);
    while (rest.len)
        if (sw_str_eq(sw_str_split(&rest, ' '), word))
            return true;
    return false;
}

/* The one kind whose name is a key; INVALID where there is none, or two. */
static sw_status find_kind(const sw_action_kind **out, yaml_node_t **value, sw_yaml *y,
                           const yaml_node_t *node) {
    *out = NULL;
    for (size_t i = 0; i < sw_action_kind_count; i++) {
        yaml_node_t *found = sw_yaml_get(y, node, sw_action_kinds[i].name);
        if (found && *out)
            return sw_yaml_fail(y, found, "%s: this is a %s already: make two of it",
                                sw_action_kinds[i].name, (*out)->name);
        if (found) {
            *out = &sw_action_kinds[i];
            *value = found;
        }
    }
    if (*out)
        return SW_OK;
    return sw_yaml_fail(y, node,
                        "say by which way: one of webhook, slack, email, alertmanager, command");
}

static sw_status check_fields(sw_yaml *y, const yaml_node_t *node, const sw_action_kind *kind) {
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = sw_yaml_node(y, p->key);
        sw_str name = sw_yaml_scalar(key);
        if (!sw_str_is(name, kind->name) && !has_word(kind->fields, name) &&
            !has_word(EVERY_KIND_HAS, name))
            return sw_yaml_fail(y, key, "'%.*s' is no field of %s: it has %s %s", SW_STR_ARG(name),
                                kind->name, kind->fields, EVERY_KIND_HAS);
    }
    return SW_OK;
}

/* ---- What a kind needs ---- */

static sw_status check_url(sw_yaml *y, const yaml_node_t *node, sw_str url, const char *plain,
                           const char *safe) {
    sw_str a = sw_str_of(plain), b = sw_str_of(safe);
    if (url.len == 0 && !y->context->look_up)
        return SW_OK;
    bool known = sw_str_starts(url, a) || sw_str_starts(url, b);
    sw_str rest = {url.at, url.len};
    if (known)
        rest = (sw_str){url.at + (sw_str_starts(url, b) ? b.len : a.len), 0};
    rest.len = url.len - (size_t)(rest.at - url.at);
    sw_str host = sw_str_split(&rest, '/');
    if (!known || host.len == 0 || memchr(url.at, ' ', url.len))
        return sw_yaml_fail(y, node, "an address is written %s… or %s…", plain, safe);
    if (memchr(host.at, '@', host.len))
        return sw_yaml_fail(y, node,
                            "user names and passwords do not stand in an address: use "
                            "user: and password:");
    return SW_OK;
}

static sw_status read_argv(sw_action *action, sw_yaml *y, yaml_node_t *node) {
    sw_str *words;
    size_t count;
    if (!y->context->allow_commands)
        return sw_yaml_fail(y, node,
                            "commands are off: whoever may change rules could run any program "
                            "here. The server allows them with: slipway serve --allow-commands");
    SW_TRY(sw_yaml_strs(&words, &count, y, node));
    if (count == 0 || count > ARGUMENTS_MAX || words[0].len == 0 || words[0].at[0] != '/')
        return sw_yaml_fail(y, node,
                            "command: is a program by its whole path, and its arguments: "
                            "[/usr/local/bin/page, --now] (no shell reads it)");
    action->argv = sw_arena_zalloc(y->arena, count + 1, sizeof *action->argv);
    if (!action->argv)
        return sw_yaml_no_memory(y);
    for (size_t i = 0; i < count; i++)
        action->argv[i] = (char *)words[i].at;
    return SW_OK;
}

static sw_status read_target(sw_action *action, sw_yaml *y, yaml_node_t *value) {
    const char *name = action->kind->name;
    if (action->kind->runs_program)
        return read_argv(action, y, value);
    if (strcmp(name, "slack") == 0)
        SW_TRY(sw_yaml_secret(y, value, &action->url));
    else
        SW_TRY(sw_yaml_reference(y, value, &action->url));
    if (strcmp(name, "email") == 0)
        return check_url(y, value, action->url, "smtp://", "smtps://");
    return check_url(y, value, action->url, "http://", "https://");
}

static bool is_mailbox(sw_str s) {
    const char *at = memchr(s.at ? s.at : "", '@', s.len);
    return at && at > s.at && at + 1 < s.at + s.len && !memchr(s.at, ' ', s.len) &&
           !memchr(s.at, '<', s.len) && !memchr(s.at, '>', s.len) && sw_str_is_utf8(s);
}

static sw_status check_mail(sw_action *action, sw_yaml *y, const yaml_node_t *node) {
    if (!is_mailbox(action->from))
        return sw_yaml_fail(y, node, "email: needs from: an address such as slipway@example.org");
    if (action->to_count == 0)
        return sw_yaml_fail(y, node, "email: needs to: one address or a list of them");
    for (size_t i = 0; i < action->to_count; i++)
        if (!is_mailbox(action->to[i]))
            return sw_yaml_fail(y, node, "to: '%.*s' is no address", SW_STR_ARG(action->to[i]));
    if (action->tls.len == 0)
        action->tls = SW_STR("required");
    return SW_OK;
}

static sw_status check_timing(sw_yaml *y, const yaml_node_t *node, const sw_notifier *n) {
    if (n->action.timeout_ms <= 0 || n->action.timeout_ms > TIMEOUT_MS_MAX)
        return sw_yaml_fail(y, node, "timeout: is 1ms to 2m");
    if (n->repeat_ms && n->repeat_ms < 1000)
        return sw_yaml_fail(y, node, "repeat: is 1s at least, or 0 for never");
    return SW_OK;
}

static sw_status read_notifier(sw_notifier *n, sw_yaml *y, yaml_node_t *node) {
    sw_action *action = &n->action;
    yaml_node_t *value = NULL;
    if (node->type != YAML_MAPPING_NODE)
        return sw_yaml_fail(y, node, "a notifier is a mapping: {slack: ${SLACK_URL}}");
    SW_TRY(find_kind(&action->kind, &value, y, node));
    action->timeout_ms = TIMEOUT_MS;
    action->send_resolved = true;
    *n = (sw_notifier){.action = *action,
                       .wait_ms = y->wait_ms,
                       .interval_ms = y->interval_ms,
                       .repeat_ms = y->repeat_ms,
                       .by = y->by,
                       .by_count = y->by_count};
    if (action->kind->refreshes) { /* it groups by itself, and forgets what it hears nothing of */
        n->wait_ms = n->interval_ms = 0;
        n->repeat_ms = 60000;
        n->by_count = 0;
    }
    SW_TRY(sw_yaml_map(y, node, fields, n, "a notifier"));
    SW_TRY(check_fields(y, node, action->kind));
    SW_TRY(read_target(action, y, value));
    if (strcmp(action->kind->name, "email") == 0)
        SW_TRY(check_mail(action, y, node));
    return check_timing(y, node, n);
}

sw_status sw_yaml_notifiers(sw_yaml *y, yaml_node_t *node) {
    if (node->type != YAML_MAPPING_NODE)
        return sw_yaml_fail(y, node, "notifiers are a mapping: a name and how it is reached");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = sw_yaml_node(y, p->key);
        sw_str name = {0};
        SW_TRY(sw_yaml_str(y, key, &name));
        for (size_t i = 0; i < y->rules->notifier_count; i++)
            if (sw_str_eq(y->rules->notifiers[i].action.name, name))
                return sw_yaml_fail(y, key, "%.*s: is there twice", SW_STR_ARG(name));
        if (name.len == 0 || name.len > 128 || memchr(name.at, ' ', name.len))
            return sw_yaml_fail(y, key, "a notifier's name has 1 to 128 characters, no blanks");
        if (y->rules->notifier_count == SW_NOTIFIERS_MAX)
            return sw_yaml_fail(y, key, "these are more than %d notifiers and actions",
                                SW_NOTIFIERS_MAX);
        sw_notifier *n = &y->rules->notifiers[y->rules->notifier_count];
        *n = (sw_notifier){.action.name = name};
        SW_TRY(read_notifier(n, y, sw_yaml_node(y, p->value)));
        y->rules->notifier_count++;
    }
    return SW_OK;
}

sw_status sw_yaml_rule_action(uint64_t *bits, sw_yaml *y, yaml_node_t *node, sw_str rule) {
    size_t at = y->rules->notifier_count;
    if (at == SW_NOTIFIERS_MAX)
        return sw_yaml_fail(y, node, "these are more than %d notifiers and actions",
                            SW_NOTIFIERS_MAX);
    sw_notifier *n = &y->rules->notifiers[at];
    *n = (sw_notifier){.action.name = sw_arena_printf(y->arena, "rule %.*s", SW_STR_ARG(rule))};
    if (!n->action.name.at)
        return sw_yaml_no_memory(y);
    SW_TRY(read_notifier(n, y, node));
    /* It acts when the alert fires, once: nothing is waited for, repeated or taken back, but where
     * that is asked for. */
    n->wait_ms = sw_yaml_get(y, node, "wait") ? n->wait_ms : 0;
    n->repeat_ms = sw_yaml_get(y, node, "repeat") ? n->repeat_ms : 0;
    n->action.send_resolved = sw_yaml_get(y, node, "send_resolved") && n->action.send_resolved;
    n->by_count = sw_yaml_get(y, node, "by") ? n->by_count : 0;
    *bits |= UINT64_C(1) << at;
    y->rules->notifier_count++;
    return SW_OK;
}

sw_status sw_yaml_notify_bits(uint64_t *out, sw_yaml *y, const yaml_node_t *node,
                              const sw_str *names, size_t count) {
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < y->rules->notifier_count &&
               !sw_str_eq(y->rules->notifiers[at].action.name, names[i]))
            at++;
        if (at == y->rules->notifier_count)
            return sw_yaml_fail(y, node, "notify: '%.*s' is none of the notifiers",
                                SW_STR_ARG(names[i]));
        *out |= UINT64_C(1) << at;
    }
    return SW_OK;
}
