/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message: alerts as JSON, and what notifiers are sent.
 *
 * Threads: any.
 * Layer:   alert.
 */
#ifndef SW_ALERT_MESSAGE_H
#define SW_ALERT_MESSAGE_H

#include "alert/engine.h"
#include "base/json.h"

enum { SW_MESSAGE_ALERTS_MAX = 100, SW_MESSAGE_REFRESH_MAX = 10000 };

/* ALERT of docs/api.md; its evidence (large) where asked for. */
void sw_alert_write(sw_json *w, const sw_alert *alert, bool with_evidence);

/* What a webhook is sent: docs/alerts.md says the fields. */
void sw_message_write(sw_buf *out, const sw_notification *notification, const sw_rules *rules,
                      int64_t wall_ms);
/* The same, with one made-up alert. */
void sw_message_write_test(sw_buf *out, const sw_notifier *notifier, const sw_rules *rules,
                           int64_t wall_ms);

/* What the others are sent, made from the above. INVALID where that is none. */
SW_MUST_USE sw_status sw_message_slack(sw_buf *out, sw_str json, sw_error *error);
SW_MUST_USE sw_status sw_message_alertmanager(sw_buf *out, sw_str json, sw_error *error);
/* RFC 5322, with CRLF. */
SW_MUST_USE sw_status sw_message_mail(sw_buf *out, sw_str json, const sw_action *action, sw_str key,
                                      int64_t wall_ms, sw_error *error);

#endif /* SW_ALERT_MESSAGE_H */
