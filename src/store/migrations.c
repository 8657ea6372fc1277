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
     "CREATE TABLE watch_windows ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL,"
     " profile_hash TEXT NOT NULL, segment TEXT NOT NULL, step BIGINT NOT NULL,"
     " start_minute BIGINT NOT NULL, replica TEXT NOT NULL, boot TEXT NOT NULL,"
     " rows BIGINT NOT NULL, counts BLOB NOT NULL,"
     " PRIMARY KEY (namespace, model, version, profile_hash, segment, step, start_minute,"
     " replica, boot));"
     "INSERT INTO watch_windows (namespace, model, version, profile_hash, segment, step,"
     " start_minute, replica, boot, rows, counts)"
     " SELECT namespace, model, version, profile_hash, '', 1, minute, replica, boot, rows, counts"
     " FROM watch_minutes;"
     "DROP TABLE watch_minutes;"

     "ALTER TABLE revisions ADD COLUMN served_by TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE revisions ADD COLUMN served_why TEXT NOT NULL DEFAULT '';"

     "CREATE TABLE labels ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, id TEXT NOT NULL,"
     " label TEXT NOT NULL, at_ms BIGINT NOT NULL, seq BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model, id));"
     "CREATE INDEX labels_by_seq ON labels (namespace, model, seq);"
     "CREATE TABLE label_classes ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, code BIGINT NOT NULL, name TEXT NOT NULL,"
     " PRIMARY KEY (namespace, model, code));"
     "CREATE TABLE label_joins ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, joined_seq BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model));"
     "CREATE TABLE quality_baselines ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL,"
     " setup TEXT NOT NULL, baseline BLOB NOT NULL, made_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model, version, setup));"

     "CREATE TABLE monitors ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, settings_json TEXT NOT NULL,"
     " who TEXT NOT NULL, changed_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, model),"
     " FOREIGN KEY (namespace, model) REFERENCES models (namespace, name));"

     "CREATE TABLE monitor_states ("
     " namespace TEXT NOT NULL, model TEXT NOT NULL, version BIGINT NOT NULL,"
     " profile_hash TEXT NOT NULL, settings TEXT NOT NULL, minute BIGINT NOT NULL,"
     " state BLOB NOT NULL,"
     " PRIMARY KEY (namespace, model, version, profile_hash));"

     /* alert/alerts_store.c */
     "CREATE TABLE alerts ("
     " namespace TEXT NOT NULL, id BIGINT NOT NULL, rule TEXT NOT NULL, model TEXT NOT NULL,"
     " version BIGINT NOT NULL, segment TEXT NOT NULL, feature TEXT NOT NULL,"
     " kind TEXT NOT NULL, measure TEXT NOT NULL, severity BIGINT NOT NULL,"
     " labels_json TEXT NOT NULL, state BIGINT NOT NULL, started_ms BIGINT NOT NULL,"
     " fired_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, raised_ms BIGINT NOT NULL,"
     " value DOUBLE PRECISION,"
     " bound DOUBLE PRECISION, above BIGINT NOT NULL, unit BIGINT NOT NULL,"
     " summary TEXT NOT NULL, evidence_json TEXT NOT NULL, returned BIGINT NOT NULL,"
     " told TEXT NOT NULL, silenced_by BIGINT NOT NULL, inhibited_by BIGINT NOT NULL,"
     " quiet BIGINT NOT NULL, acknowledged_ms BIGINT NOT NULL,"
     " acknowledged_who TEXT NOT NULL, acknowledged_note TEXT NOT NULL,"
     " PRIMARY KEY (namespace, id));"
     "CREATE INDEX alerts_by_model ON alerts (namespace, model, id);"
     "CREATE INDEX alerts_by_state ON alerts (namespace, state, id);"
     "CREATE TABLE alert_groups ("
     " namespace TEXT NOT NULL, group_key TEXT NOT NULL, told_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, group_key));"
     "CREATE TABLE alert_deliveries ("
     " namespace TEXT NOT NULL, id BIGINT NOT NULL, notifier TEXT NOT NULL, kind TEXT NOT NULL,"
     " message_key TEXT NOT NULL, alerts TEXT NOT NULL, firing BIGINT NOT NULL,"
     " resolved BIGINT NOT NULL, state BIGINT NOT NULL, attempts BIGINT NOT NULL,"
     " status BIGINT NOT NULL, error TEXT NOT NULL, body TEXT NOT NULL,"
     " created_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, took_ms BIGINT NOT NULL,"
     " PRIMARY KEY (namespace, id));"
     "CREATE TABLE silences ("
     " namespace TEXT NOT NULL, id BIGINT NOT NULL, matchers TEXT NOT NULL,"
     " from_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
     " PRIMARY KEY (namespace, id));"
     "CREATE TABLE alert_rules ("
     " namespace TEXT NOT NULL, yaml TEXT NOT NULL, who TEXT NOT NULL,"
     " changed_ms BIGINT NOT NULL, PRIMARY KEY (namespace));"},
};

const size_t sw_migration_count = sizeof sw_migrations / sizeof *sw_migrations;
