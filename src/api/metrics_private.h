/* SPDX-License-Identifier: Apache-2.0 */
/* What the files metrics_*.c share. */
#ifndef SW_API_METRICS_PRIVATE_H
#define SW_API_METRICS_PRIVATE_H

#include "api/app.h"

/* The two lines before a family's samples. */
void sw_metrics_head(sw_buf *out, const char *name, const char *type, const char *help);
/* What the monitors of the live versions say. */
void sw_metrics_drift(sw_buf *out, const sw_app *app);

#endif /* SW_API_METRICS_PRIVATE_H */
