/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/mem.h"

sw_status sw_registry_open(sw_registry **out, sw_db *db, sw_error *error) {
    sw_registry *registry = sw_mem_zalloc(1, sizeof *registry);
    if (!registry)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while opening the registry");
    registry->db = db;
    pthread_mutex_init(&registry->mutex, NULL);
    *out = registry;
    return SW_OK;
}

void sw_registry_close(sw_registry *registry) {
    if (!registry)
        return;
    pthread_mutex_destroy(&registry->mutex);
    sw_mem_free(registry);
}

sw_status sw_registry_stmt(sw_stmt **out, sw_conn *conn, const char *sql, sw_str model,
                           sw_error *error) {
    SW_TRY(sw_stmt_begin(out, conn, sql, error));
    sw_stmt_bind_str(*out, 1, SW_NAMESPACE);
    sw_stmt_bind_str(*out, 2, sw_text(model));
    return SW_OK;
}

/* The length of the character at `s`, or 0 where there is none. */
static size_t character(sw_str s) {
    for (size_t len = 1; len <= 4 && len <= s.len; len++)
        if (sw_str_is_utf8((sw_str){s.at, len}))
            return len;
    return 0;
}

sw_str sw_text_clean(sw_arena *arena, sw_str s) {
    char *bytes = sw_arena_alloc(arena, s.len + 1);
    if (!bytes)
        return (sw_str){0};
    for (size_t i = 0; i < s.len;) {
        size_t len = character((sw_str){s.at + i, s.len - i});
        if (len == 0)
            bytes[i++] = '?';
        for (; len > 0; len--, i++)
            bytes[i] = s.at[i];
    }
    return (sw_str){bytes, s.len};
}

static bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_joint(char c) {
    return c == '_' || c == '-' || c == '.';
}

bool sw_registry_name_ok(sw_str name) {
    if (name.len == 0 || name.len > SW_NAME_BYTES || !is_alphanumeric(name.at[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_alphanumeric(name.at[i]) && !is_joint(name.at[i]))
            return false;
    return true;
}

/* The name is not repeated: it may hold bytes that no reply may. */
sw_status sw_registry_check_name(sw_str name, const char *what, sw_error *error) {
    if (sw_registry_name_ok(name))
        return SW_OK;
    return sw_fail(
        error, SW_CODE_INVALID,
        "that is no name for %s: use 1 to %d letters, digits, '_', '-' or '.', beginning "
        "with a letter or a digit",
        what, SW_NAME_BYTES);
}
