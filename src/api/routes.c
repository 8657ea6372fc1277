/* SPDX-License-Identifier: Apache-2.0 */
/* Every path that the server answers, by protocol and resource. */
#include "api/app.h"
#include "api/handlers_private.h"

#define GRPC(path, handler, scope) \
    { SW_POST, path, handler, SW_RUN_LOOP, scope, true, 0 }
#define LOOP(method, path, handler, scope) \
    { method, path, handler, SW_RUN_LOOP, scope, false, 0 }
#define POOL(method, path, handler, scope) \
    { method, path, handler, SW_RUN_POOL, scope, false, 0 }
#define STREAM(method, path, handler, scope, bytes_max) \
    { method, path, handler, SW_RUN_STREAM, scope, false, bytes_max }

/* Who predicts may know what a model takes. */
#define READ_OR_PREDICT (SW_SCOPE_READ | SW_SCOPE_PREDICT)
#define UPLOAD_BYTES_MAX ((size_t)64 << 30)

const sw_route_entry sw_api_routes[] = {
    /* Open Inference Protocol v2, REST */
    LOOP(SW_GET, "/v2", sw_oip_rest_server, SW_SCOPE_NONE),
    LOOP(SW_GET, "/v2/health/live", sw_oip_rest_live, SW_SCOPE_NONE),
    LOOP(SW_GET, "/v2/health/ready", sw_oip_rest_ready, SW_SCOPE_NONE),
    LOOP(SW_GET, "/v2/models/{model}", sw_oip_rest_model, SW_SCOPE_PREDICT),
    LOOP(SW_GET, "/v2/models/{model}/ready", sw_oip_rest_model_ready, SW_SCOPE_PREDICT),
    LOOP(SW_POST, "/v2/models/{model}/infer", sw_oip_rest_infer, SW_SCOPE_PREDICT),
    LOOP(SW_GET, "/v2/models/{model}/versions/{version}", sw_oip_rest_model, SW_SCOPE_PREDICT),
    LOOP(SW_GET, "/v2/models/{model}/versions/{version}/ready", sw_oip_rest_model_ready,
         SW_SCOPE_PREDICT),
    LOOP(SW_POST, "/v2/models/{model}/versions/{version}/infer", sw_oip_rest_infer,
         SW_SCOPE_PREDICT),

    /* Open Inference Protocol v2, gRPC */
    GRPC("/inference.GRPCInferenceService/ServerLive", sw_grpc_server_live, SW_SCOPE_NONE),
    GRPC("/inference.GRPCInferenceService/ServerReady", sw_grpc_server_ready, SW_SCOPE_NONE),
    GRPC("/inference.GRPCInferenceService/ModelReady", sw_grpc_model_ready, SW_SCOPE_PREDICT),
    GRPC("/inference.GRPCInferenceService/ServerMetadata", sw_grpc_server_metadata, SW_SCOPE_NONE),
    GRPC("/inference.GRPCInferenceService/ModelMetadata", sw_grpc_model_metadata, SW_SCOPE_PREDICT),
    GRPC("/inference.GRPCInferenceService/ModelInfer", sw_grpc_infer, SW_SCOPE_PREDICT),
    GRPC("/grpc.health.v1.Health/Check", sw_grpc_health_check, SW_SCOPE_NONE),
    GRPC("/grpc.health.v1.Health/Watch", sw_grpc_health_watch, SW_SCOPE_NONE),

    /* Named records */
    LOOP(SW_POST, "/models/{model}/predict", sw_records_predict, SW_SCOPE_PREDICT),
    LOOP(SW_POST, "/models/{model}/versions/{version}/predict", sw_records_predict,
         SW_SCOPE_PREDICT),

    /* Health and metrics */
    LOOP(SW_GET, "/healthz", sw_api_healthz, SW_SCOPE_NONE),
    LOOP(SW_GET, "/readyz", sw_api_readyz, SW_SCOPE_NONE),
    POOL(SW_GET, "/metrics", sw_api_metrics, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/status", sw_api_status, SW_SCOPE_READ),

    /* Models, versions, aliases */
    POOL(SW_GET, "/api/v1/models", sw_api_models, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/models/{model}", sw_api_model, READ_OR_PREDICT),
    POOL(SW_GET, "/api/v1/models/{model}/versions", sw_api_versions, SW_SCOPE_READ),
    POOL(SW_POST, "/api/v1/models/{model}/versions", sw_api_push, SW_SCOPE_DEPLOY),
    POOL(SW_GET, "/api/v1/models/{model}/versions/{version}", sw_api_version, READ_OR_PREDICT),
    POOL(SW_GET, "/api/v1/models/{model}/versions/{version}/profile", sw_api_profile,
         SW_SCOPE_READ),
    POOL(SW_PUT, "/api/v1/models/{model}/aliases/{alias}", sw_api_set_alias, SW_SCOPE_DEPLOY),
    POOL(SW_DELETE, "/api/v1/models/{model}/aliases/{alias}", sw_api_remove_alias, SW_SCOPE_DEPLOY),
    STREAM(SW_POST, "/api/v1/blobs", sw_api_blob_upload, SW_SCOPE_DEPLOY, UPLOAD_BYTES_MAX),
    POOL(SW_HEAD, "/api/v1/blobs/{sha256}", sw_api_blob_head, SW_SCOPE_READ),

    /* Deployments */
    POOL(SW_GET, "/api/v1/models/{model}/deployments", sw_api_deployments, SW_SCOPE_READ),
    POOL(SW_POST, "/api/v1/models/{model}/deployments", sw_api_deploy, SW_SCOPE_DEPLOY),
    POOL(SW_DELETE, "/api/v1/models/{model}/deployments", sw_api_undeploy, SW_SCOPE_DEPLOY),
    POOL(SW_POST, "/api/v1/models/{model}/rollback", sw_api_rollback, SW_SCOPE_DEPLOY),

    /* What is served elsewhere */
    STREAM(SW_POST, "/api/v1/models/{model}/observations", sw_api_observe, SW_SCOPE_PREDICT,
           UPLOAD_BYTES_MAX),
    {SW_POST, "/slipway.v1.Observations/Observe", sw_grpc_observe, SW_RUN_POOL, SW_SCOPE_PREDICT,
     true, 0},

    /* Predictions, and the truth about them */
    POOL(SW_GET, "/api/v1/models/{model}/predictions", sw_api_predictions, SW_SCOPE_READ),
    STREAM(SW_POST, "/api/v1/models/{model}/labels", sw_api_labels, SW_SCOPE_PREDICT,
           UPLOAD_BYTES_MAX),
    POOL(SW_GET, "/api/v1/models/{model}/quality", sw_api_quality, SW_SCOPE_READ),

    /* Watching */
    POOL(SW_GET, "/api/v1/models/{model}/watch", sw_api_watch, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/models/{model}/heatmap", sw_api_heatmap, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/models/{model}/drift", sw_api_drift, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/models/{model}/traffic", sw_api_traffic, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/models/{model}/monitor", sw_api_monitor, SW_SCOPE_READ),
    POOL(SW_PUT, "/api/v1/models/{model}/monitor", sw_api_set_monitor, SW_SCOPE_DEPLOY),
    POOL(SW_GET, "/api/v1/events", sw_api_events, SW_SCOPE_READ),
    LOOP(SW_GET, "/api/v1/stream", sw_api_stream, SW_SCOPE_READ),

    /* Alerts: rules send data out and start programs, so only admins change them */
    POOL(SW_GET, "/api/v1/alerts", sw_api_alerts, SW_SCOPE_READ),
    POOL(SW_GET, "/api/v1/alerts/{id}", sw_api_alert, SW_SCOPE_READ),
    POOL(SW_POST, "/api/v1/alerts/{id}/acknowledge", sw_api_acknowledge, SW_SCOPE_DEPLOY),
    POOL(SW_GET, "/api/v1/silences", sw_api_silences, SW_SCOPE_READ),
    POOL(SW_POST, "/api/v1/silences", sw_api_silence, SW_SCOPE_DEPLOY),
    POOL(SW_DELETE, "/api/v1/silences/{id}", sw_api_unsilence, SW_SCOPE_DEPLOY),
    POOL(SW_GET, "/api/v1/alert-rules", sw_api_alert_rules, SW_SCOPE_READ),
    POOL(SW_PUT, "/api/v1/alert-rules", sw_api_put_alert_rules, SW_SCOPE_ADMIN),
    POOL(SW_POST, "/api/v1/alert-rules/check", sw_api_check_alert_rules, SW_SCOPE_ADMIN),
    POOL(SW_GET, "/api/v1/deliveries", sw_api_deliveries, SW_SCOPE_READ),
    POOL(SW_POST, "/api/v1/notifiers/{name}/test", sw_api_test_notifier, SW_SCOPE_ADMIN),

    /* Who may do what */
    POOL(SW_GET, "/api/v1/tokens", sw_api_tokens, SW_SCOPE_ADMIN),
    POOL(SW_POST, "/api/v1/tokens", sw_api_add_token, SW_SCOPE_ADMIN),
    POOL(SW_DELETE, "/api/v1/tokens/{id}", sw_api_revoke_token, SW_SCOPE_ADMIN),
    POOL(SW_POST, "/api/v1/login-links", sw_api_login_link, SW_SCOPE_ADMIN),
    POOL(SW_GET, "/login/{code}", sw_api_login, SW_SCOPE_NONE),
    POOL(SW_POST, "/api/v1/logout", sw_api_logout, SW_SCOPE_NONE),

    /* The dashboard, and what describes the API */
    LOOP(SW_GET, "/api/v1/openapi.json", sw_api_openapi, SW_SCOPE_NONE),
    LOOP(SW_GET, "/*", sw_api_dashboard, SW_SCOPE_NONE),
};
const size_t sw_api_route_count = sizeof sw_api_routes / sizeof sw_api_routes[0];
