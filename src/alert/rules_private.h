/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_private: a tree of YAML, read field by field with errors that say where.
 *
 * Threads: one at a time for each reader.
 * Layer:   alert.
 */
#ifndef SW_ALERT_RULES_PRIVATE_H
#define SW_ALERT_RULES_PRIVATE_H

#include "alert/rules.h"

#include <yaml.h>

typedef struct sw_yaml {
    yaml_document_t *document;
    const sw_rules_context *context;
    sw_arena *arena;
    sw_error *error;
    sw_rules *rules;
    sw_str *notify; /* names at the top: for rules that say none */
    size_t notify_count;
    bool defaults;
    bool builtin; /* the text being read is ours */
    int64_t wait_ms, interval_ms, repeat_ms;
    sw_str *by;
    size_t by_count;
} sw_yaml;

typedef sw_status sw_yaml_fn(sw_yaml *y, yaml_node_t *node, void *into);

/* A key that a mapping may have. A table ends with a row without a name. */
typedef struct sw_yaml_field {
    const char *name;
    sw_yaml_fn *read;
    size_t offset; /* of what `read` fills, within the mapping's struct */
} sw_yaml_field;

/* INVALID: "line 3, column 5: …". */
sw_status sw_yaml_fail(sw_yaml *y, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
sw_status sw_yaml_no_memory(sw_yaml *y);

/* Each key must be in the table, and there once. `what` is for the error. */
SW_MUST_USE sw_status sw_yaml_map(sw_yaml *y, yaml_node_t *node, const sw_yaml_field *fields,
                                  void *into, const char *what);
/* The value of a key; NULL where it is absent. */
yaml_node_t *sw_yaml_get(sw_yaml *y, const yaml_node_t *node, const char *key);
static inline yaml_node_t *sw_yaml_node(sw_yaml *y, int index) {
    return yaml_document_get_node(y->document, index);
}
static inline size_t sw_yaml_items(const yaml_node_t *node) {
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}
static inline sw_str sw_yaml_scalar(const yaml_node_t *node) {
    return (sw_str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

/* Readers of one value. */
sw_yaml_fn sw_yaml_str;      /* sw_str, copied */
sw_yaml_fn sw_yaml_bool;     /* bool */
sw_yaml_fn sw_yaml_duration; /* int64_t ms */
SW_MUST_USE sw_status sw_yaml_quantity(double *out, sw_yaml *y, const yaml_node_t *node,
                                       sw_unit unit, const char *key);
/* One text or a list of them. */
SW_MUST_USE sw_status sw_yaml_strs(sw_str **out, size_t *count, sw_yaml *y, yaml_node_t *node);
sw_yaml_fn sw_yaml_labels; /* {sw_rule_label *, size_t} */
/* A text in which ${NAME} was replaced, or what the file of file:/path holds. */
sw_yaml_fn sw_yaml_reference;
/* The same, and refuses what is written out. */
sw_yaml_fn sw_yaml_secret;

/* rules_actions.c */
SW_MUST_USE sw_status sw_yaml_notifiers(sw_yaml *y, yaml_node_t *node);
SW_MUST_USE sw_status sw_yaml_notify_bits(uint64_t *out, sw_yaml *y, const yaml_node_t *node,
                                          const sw_str *names, size_t count);
/* A notifier of the rule's own. */
SW_MUST_USE sw_status sw_yaml_rule_action(uint64_t *bits, sw_yaml *y, yaml_node_t *node,
                                          sw_str rule);

#endif /* SW_ALERT_RULES_PRIVATE_H */
