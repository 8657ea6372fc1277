/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers that routes.c puts into its table, by the file that has them. Their context is the
 * sw_app.
 */
#ifndef SW_API_HANDLERS_PRIVATE_H
#define SW_API_HANDLERS_PRIVATE_H

#include "net/exchange.h"

/* oip_rest.c */
sw_handler sw_oip_rest_server, sw_oip_rest_live, sw_oip_rest_ready, sw_oip_rest_model,
    sw_oip_rest_model_ready, sw_oip_rest_infer;
/* oip_grpc.c */
sw_handler sw_grpc_server_live, sw_grpc_server_ready, sw_grpc_model_ready, sw_grpc_server_metadata,
    sw_grpc_model_metadata, sw_grpc_infer, sw_grpc_health_check, sw_grpc_health_watch;
/* records_rest.c */
sw_handler sw_records_predict;
/* health_api.c */
sw_handler sw_api_healthz, sw_api_readyz, sw_api_status;
/* metrics_api.c */
sw_handler sw_api_metrics;
/* models_api.c */
sw_handler sw_api_models, sw_api_model, sw_api_set_alias, sw_api_remove_alias;
/* versions_api.c */
sw_handler sw_api_push, sw_api_versions, sw_api_version, sw_api_profile;
/* blobs_api.c */
sw_handler sw_api_blob_upload, sw_api_blob_head;
/* deployments_api.c */
sw_handler sw_api_deploy, sw_api_deployments, sw_api_rollback, sw_api_undeploy;
/* observations_api.c */
sw_handler sw_api_observe, sw_grpc_observe;
/* predictions_api.c, labels_api.c, quality_api.c */
sw_handler sw_api_predictions, sw_api_labels, sw_api_quality;
/* watch_api.c */
sw_handler sw_api_watch, sw_api_heatmap, sw_api_traffic;
/* drift_api.c */
sw_handler sw_api_drift;
/* monitor_api.c */
sw_handler sw_api_monitor, sw_api_set_monitor;
/* events_api.c */
sw_handler sw_api_events, sw_api_stream;
/* tokens_api.c */
sw_handler sw_api_tokens, sw_api_add_token, sw_api_revoke_token, sw_api_login, sw_api_logout,
    sw_api_login_link;
/* alerts_api.c */
sw_handler sw_api_alerts, sw_api_alert, sw_api_acknowledge, sw_api_silences, sw_api_silence,
    sw_api_unsilence, sw_api_alert_rules, sw_api_put_alert_rules, sw_api_check_alert_rules,
    sw_api_deliveries, sw_api_test_notifier;
/* dashboard.c */
sw_handler sw_api_dashboard, sw_api_openapi;
/* Answers a person's browser with the dashboard, which says what the status means; false: nobody's. */
bool sw_dashboard_reply_page(sw_exchange *exchange, int status);

#endif /* SW_API_HANDLERS_PRIVATE_H */
