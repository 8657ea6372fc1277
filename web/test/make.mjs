/* SPDX-License-Identifier: Apache-2.0 */
// Models, revisions and columns for tests: sound ones, with what a test is about changed.

export function model(name, { traffic = {}, watch = {}, deployment = {}, ...rest } = {}) {
  return {
    name, created_ms: 0, newest_version: 2, aliases: [],
    deployment: deployment && {
      revision: 1, version: 1, kind: 'deploy', who: 'ana', live_ms: 0, engine: 'native', engine_why: null, state: 'live', error: null,
      ...deployment,
    },
    traffic: { requests_per_s: 10, p50_ms: 1, p99_ms: 2, error_share: 0, requests: 100, failures: 0, ...traffic },
    watch: { state: 'same', rows: 1000, features: 4, drifted: 0, moved: 0, too_few: 0, ...watch },
    ...rest,
  };
}

export function revision(number, version, rest = {}) {
  return {
    model: 'm', revision: number, version, state: 'live', current: false, kind: 'deploy', equals: null, rolled_back_from: null,
    engine: 'native', engine_why: null, error: null, who: 'ana', created_ms: number, live_ms: number, took_ms: 1, ...rest,
  };
}

export function column(name, state, psi, rest = {}) {
  return {
    name, kind: 'numeric', state, psi, rows: 600, missing_share: 0, out_of_range_share: 0, reference_missing_share: 0,
    median: 1, reference_median: 1, bins: [], ...rest,
  };
}

export function point(at_ms, requests, rest = {}) {
  return { at_ms, requests, failures: 0, p50_ms: 1, p90_ms: 2, p99_ms: 3, queue_p50_ms: 0.1, inference_p50_ms: 0.5, ...rest };
}
