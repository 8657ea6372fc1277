/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations_private.h"

/*
 * Conventions: every key begins with the namespace (one, 'default', so far); times are ms since
 * 1970 (UTC), 0 = never; truth is 0 or 1 in a BIGINT; numbers that people see are handed out from
 * counters in the parent's row, so that they are never used twice.
 */
const sw_migration sw_migrations[] = {
    {1, "registry",
     "CREATE TABLE counters ("
     " namespace TEXT NOT NULL, name TEXT NOT NULL, value BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, name));"

     "CREATE TABLE models ("
     " namespace TEXT NOT NULL, name TEXT NOT NULL,"
     " newest_version BIGINT NOT NULL, newest_revision BIGINT NOT NULL,"
     " created_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, name));"

     "CREATE TABLE versions ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, number BIGINT NOT NULL,"
     " artifact TEXT NOT NULL, artifact_bytes BIGINT NOT NULL,"
     " check_rows TEXT, note TEXT NOT NULL, who TEXT NOT NULL, created_ms BIGINT NOT NULL,"
     " profile_hash TEXT NOT NULL, profile_rows BIGINT NOT NULL,"
     " signature_json TEXT NOT NULL, profile_json TEXT NOT NULL,"
     " PRIMARY KEY (namespace, model, number),"
     " FOREIGN KEY (namespace, model) REFERENCES models (namespace, name));"
     "CREATE INDEX versions_by_artifact ON versions (artifact);"
     "CREATE INDEX versions_by_check_rows ON versions (check_rows);"

     "CREATE TABLE aliases ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL,"
     " version BIGINT NOT NULL, who TEXT NOT NULL, moved_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model, name),"
     " FOREIGN KEY (namespace, model, version) REFERENCES versions (namespace, model, number));"

     "CREATE TABLE revisions ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, number BIGINT NOT NULL,"
     " version BIGINT NOT NULL, state BIGINT NOT NULL, kind TEXT NOT NULL,"
     " rolled_back_from BIGINT NOT NULL, equals BIGINT NOT NULL, engine TEXT NOT NULL,"
     " error TEXT NOT NULL, who TEXT NOT NULL,"
     " created_ms BIGINT NOT NULL, live_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model, number),"
     " FOREIGN KEY (namespace, model, version) REFERENCES versions (namespace, model, number));"

     "CREATE TABLE events ("
     " namespace TEXT NOT NULL, id BIGINT NOT NULL, at_ms BIGINT NOT NULL,"
     " kind TEXT NOT NULL, model TEXT NOT NULL, who TEXT NOT NULL,"
     " message TEXT NOT NULL, data_json TEXT NOT NULL,"
     " PRIMARY KEY (namespace, id));"
     "CREATE INDEX events_by_model ON events (namespace, model, id);"

     "CREATE TABLE tokens ("
     " namespace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, scopes BIGINT NOT NULL,"
     " hash_hex TEXT NOT NULL, who TEXT NOT NULL,"
     " created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, id), UNIQUE (hash_hex));"},

    {2, "watch",
     "CREATE TABLE watch_minutes ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL,"
     " profile_hash TEXT NOT NULL, minute BIGINT NOT NULL,"
     " replica TEXT NOT NULL, boot TEXT NOT NULL,"
     " rows BIGINT NOT NULL, counts BLOB NOT NULL,"
     " PRIMARY KEY (namespace, model, version, profile_hash, minute, replica, boot));"},

    {3, "monitoring",
     "CREATE TABLE monitors ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, settings_json TEXT NOT NULL,"
     " who TEXT NOT NULL, changed_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model),"
     " FOREIGN KEY (namespace, model) REFERENCES models (namespace, name));"},
};

const size_t sw_migration_count = sizeof sw_migrations / sizeof *sw_migrations;
