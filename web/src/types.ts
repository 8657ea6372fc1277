/* SPDX-License-Identifier: Apache-2.0 */
// What the HTTP API answers with, field by field. Names and units are the API's own.

export type WatchState = 'unwatched' | 'undefined' | 'too few rows' | 'same' | 'moved' | 'drifted';
export type EngineChoice = 'auto' | 'native' | 'onnxruntime';

export interface Alias {
  name: string;
  version: number;
}

export interface Deployment {
  revision: number;
  version: number;
  kind: string;
  who: string;
  live_ms: number;
  engine: string;
  engine_why: string | null;
  state: 'live' | 'down';
  error: string | null;
}

export interface TrafficSummary {
  requests_per_s: number;
  p50_ms: number | null;
  p99_ms: number | null;
  error_share: number;
  requests: number;
  failures: number;
}

export interface WatchSummary {
  state: WatchState;
  rows: number;
  features: number;
  drifted: number;
  moved: number;
  too_few: number;
}

export interface Model {
  name: string;
  created_ms: number;
  newest_version: number;
  aliases: Alias[];
  deployment: Deployment | null;
  traffic: TrafficSummary;
  watch: WatchSummary;
}

export interface Tensor {
  name: string;
  datatype: string;
  /** -1: any size. */
  shape: (number | string)[];
  /** Names of dimensions of any size, where the model gives them. */
  dim_names?: string[];
}

export interface Feature {
  name: string;
  kind: 'numeric' | 'category';
  input: string;
  column: number;
  min?: number;
  max?: number;
  categories?: string[];
}

export interface Signature {
  inputs: Tensor[];
  outputs: Tensor[];
  features: Feature[];
}

export interface Version {
  model: string;
  version: number;
  created_ms: number;
  who: string;
  note: string;
  external: boolean;
  artifact: { sha256: string; size_bytes: number } | null; // null where it is served elsewhere
  signature: Signature;
  profile: { hash: string; rows: number } | null;
  check: boolean;
  aliases: string[];
  live: boolean;
}

export interface Revision {
  model: string;
  revision: number;
  version: number;
  state: 'loading' | 'live' | 'failed' | 'undeployed';
  current: boolean;
  kind: string;
  equals: number | null;
  rolled_back_from: number | null;
  engine: string | null;
  engine_why: string | null;
  error: string | null;
  who: string;
  created_ms: number;
  live_ms: number | null;
  /** Not told in lists. */
  took_ms?: number | null;
}

/** A numeric bin has bounds (null: open), a category's has a label. */
export interface Bin {
  from: number | null;
  to: number | null;
  label: string;
  reference_share: number | null;
  live_share: number | null;
}

export interface Column {
  name: string;
  kind: 'numeric' | 'category';
  state: WatchState;
  /** The verdict in words, where there is something to say. */
  why?: string | null;
  psi: number | null;
  rows: number;
  missing_share: number | null;
  out_of_range_share: number | null;
  reference_missing_share: number | null;
  median: number | null;
  reference_median: number | null;
  bins: Bin[];
}

export interface Watch {
  model: string;
  version: number;
  window_minutes: number;
  rows: number;
  state: WatchState;
  rows_min: number;
  /** Parts of the traffic that are watched apart, such as country=DE. */
  segments?: string[];
  features: Column[];
  outputs: Column[];
}

export interface TrafficPoint {
  at_ms: number;
  requests: number;
  failures: number;
  p50_ms: number | null;
  p90_ms: number | null;
  p99_ms: number | null;
  queue_p50_ms: number | null;
  inference_p50_ms: number | null;
}

export interface Mark {
  at_ms: number;
  text: string;
  /** "alert", or an event's kind. */
  kind: string;
  /** The page that tells more. */
  href?: string;
}

export interface Traffic {
  model: string;
  step_s: number;
  from_ms: number;
  points: TrafficPoint[];
  marks: Mark[];
}

export interface Event {
  id: number | string;
  at_ms: number;
  kind: string;
  model: string;
  who: string;
  text: string;
  data: unknown;
}

export interface Status {
  name: string;
  version: string;
  started_ms: number;
  uptime_s: number;
  ready: boolean;
  listen: string | string[];
  loops: number;
  connections: number;
  onnxruntime: { version: string | null; why: string | null };
  memory: { rss_bytes: number };
  loop_lag_ms: number;
  auth: 'open' | 'tokens';
}

export interface Tick {
  at_ms: number;
  models: Model[];
}

/* ---- Drift over time, and the calibrated monitor ---- */

export interface HeatColumn {
  name: string;
  kind: 'numeric' | 'category';
  output: boolean;
  psi: (number | null)[];
  state: WatchState[];
  missing_share: (number | null)[];
}

/** One column a feature, one entry a step; the last step may still be gathering. */
export interface Heatmap {
  model: string;
  version: number;
  segment: string;
  step_minutes: number;
  from_ms: number;
  times: number[];
  columns: HeatColumn[];
  rows: number[];
}

export type FindingState = 'undefined' | 'too few rows' | 'same' | 'drifted';

export interface Finding {
  column: string;
  output: boolean;
  segment: string;
  kind: 'distribution' | 'missing' | 'range' | 'unseen' | 'type';
  state: FindingState;
  reason: string | null;
  evidence_log10: number | null;
  threshold_log10: number | null;
  psi: number | null;
  since_ms: number | null;
  rows: number;
  influence: number | null;
  influence_why: string | null;
}

export interface DriftReport {
  model: string;
  version: number;
  state: WatchState;
  statement: string;
  looks: number;
  since_ms: number | null;
  findings: Finding[];
}

/* ---- Quality ---- */

export type Metrics = Record<string, number | null>;

/** A stretch of time: all predictions, those in the log (a sample), and those of them with a label. */
export interface QualityWindow {
  at_ms: number;
  rows: number;
  logged: number;
  labelled: number;
  coverage: number | null;
  lag_p50_s: number | null;
  metrics: Metrics;
  /** What is expected without labels. */
  estimated: Metrics;
}

export interface Quality {
  model: string;
  version: number;
  task: string;
  window: QualityWindow;
  /** A loss, the less the better, over the first rows that were labelled and over the newest. */
  decay: {
    state: string; why: string | null; loss: string | null; baseline: number | null; now: number | null;
    evidence_log10: number | null; threshold_log10: number | null;
  };
  series: QualityWindow[];
}

/* ---- Alerts ---- */

export type Severity = 'info' | 'warning' | 'critical';

export interface Alert {
  id: number;
  rule: string;
  model: string;
  version: number | null;
  segment: string;
  column: string;
  kind: string;
  severity: Severity;
  state: 'pending' | 'firing' | 'resolved';
  silenced: boolean;
  inhibited_by: string | null;
  acknowledged: { who: string; at_ms: number; note: string } | null;
  summary: string;
  started_ms: number;
  fired_ms: number | null;
  ended_ms: number | null;
  /** How often it came back soon after its end: `fired_ms` is of the last time. */
  returns: number;
  value: number | null;
  limit: number | null;
  unit: string;
  evidence?: unknown;
}

export interface Delivery {
  id: number;
  notifier: string;
  kind: string;
  firing: number;
  resolved: number;
  state: 'queued' | 'sent' | 'failed';
  /** What the receiver answered last; 0: nothing. */
  status: number;
  attempts: number;
  error: string;
  created_ms: number;
  took_ms: number;
}

export interface Measure {
  on: string;
  measure: string;
  unit: string;
  windowed: boolean;
  /** It has a test of its own, and needs no threshold. */
  verdict: boolean;
}

export interface Rule {
  name: string;
  on: string;
  measure: string;
  model: string;
  column: string;
  segment: string;
  above?: number;
  below?: number;
  unit?: string;
  window_s?: number;
  for_ms: number;
  keep_firing_for_ms: number;
  severity: Severity;
  builtin: boolean;
  line: number;
  labels: Record<string, string>;
  notify: string[];
}

export interface Notifier {
  name: string;
  kind: string;
}

/** What is in force, or would be. */
export interface RulesRead {
  rules: Rule[];
  notifiers: Notifier[];
}

export interface AlertRules extends RulesRead {
  yaml: string;
  who: string;
  changed_ms: number;
  /** Why the stored rules are not in force. */
  error: string | null;
  /** Why the last evaluation failed. */
  trouble: string | null;
  every_ms: number;
  measures: Measure[];
  /** The built-in rules, as YAML. */
  defaults: string;
}

export interface Silence {
  id: number;
  matchers: { name: string; pattern: string; negated: boolean }[];
  from_ms: number;
  until_ms: number;
  who: string;
  why: string;
}

/** One cell of the heat-map. */
export interface Cell {
  column: string;
  at_ms: number;
  psi: number | null;
  state: WatchState;
  missing_share: number | null;
  rows: number;
}
