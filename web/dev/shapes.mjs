/* SPDX-License-Identifier: Apache-2.0 */
// Made-up but plausible traffic and distributions, the same at every run.

export function hash01(text) {
  let h = 2166136261;
  for (const c of String(text)) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h = Math.imul(h ^ (h >>> 15), 2246822507);
  h = Math.imul(h ^ (h >>> 13), 3266489909);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

export class Series {
  constructor(name, { rate, p50, errors, now }) {
    Object.assign(this, { name, rate, p50, errors, start_ms: now });
    this.marks = name === 'fraud'
      ? [{ at_ms: now - 9 * 60_000, text: 'fraud@3 live', kind: 'deployment.live' }, { at_ms: now - 25 * 3_600_000, text: 'fraud@2 live', kind: 'deployment.live' }]
      : [];
  }

  mark(text, kind) {
    this.marks.push({ at_ms: Date.now(), text, kind });
  }

  /** Slow waves, a little noise, a bump of latency and errors now and then. */
  second(s) {
    const wave = 1 + 0.18 * Math.sin(s / 190) + 0.09 * Math.sin(s / 47 + 1);
    const noise = 0.93 + 0.14 * hash01(`${this.name}${s}`);
    const mean = this.rate * wave * noise;
    const requests = mean < 5 ? Number(hash01(`r${s}`) < mean) : Math.round(mean);
    const bump = s % 611 < 14 ? 2.2 : 1;
    const slow = this.p50 * (0.95 + 0.1 * hash01(`l${s}`)) * (1 + 0.1 * Math.sin(s / 90));
    const none = requests === 0;
    const failures = none ? 0 : Math.min(requests, Math.round(requests * this.errors * (bump > 1 ? 6 : 0.7) + (this.errors > 0 && hash01(`e${s}`) < 0.06 ? 1 : 0)));
    return {
      requests, failures,
      p50_ms: none ? null : slow, p90_ms: none ? null : slow * 1.7 * (bump > 1 ? 1.3 : 1), p99_ms: none ? null : slow * 2.9 * bump * (0.9 + 0.25 * hash01(`t${s}`)),
      queue_p50_ms: none ? null : slow * 0.18 * bump, inference_p50_ms: none ? null : slow * 0.61,
    };
  }

  step(at_s, step_s) {
    if (step_s === 1) return { at_ms: (at_s + 1) * 1000, ...this.second(at_s) };
    const stride = Math.max(1, Math.floor(step_s / 10));
    const sum = { at_ms: (at_s + step_s) * 1000, requests: 0, failures: 0, p50_ms: 0, p90_ms: 0, p99_ms: 0, queue_p50_ms: 0, inference_p50_ms: 0 };
    let n = 0;
    for (let s = at_s; s < at_s + step_s; s += stride) {
      const one = this.second(s);
      if (one.requests === 0) continue;
      n += 1;
      sum.requests += one.requests * stride;
      sum.failures += one.failures * stride;
      for (const key of ['p50_ms', 'p90_ms', 'queue_p50_ms', 'inference_p50_ms']) sum[key] += one[key];
      sum.p99_ms = Math.max(sum.p99_ms, one.p99_ms);
    }
    for (const key of ['p50_ms', 'p90_ms', 'queue_p50_ms', 'inference_p50_ms']) sum[key] = n ? sum[key] / n : null;
    if (n === 0) sum.p99_ms = null;
    return sum;
  }

  traffic(minutes, now, live) {
    const step_s = minutes <= 5 ? 1 : minutes <= 60 ? 10 : 60;
    const from_ms = now - minutes * 60_000;
    const points = [];
    if (live && this.rate > 0) {
      for (let s = Math.ceil(from_ms / 1000 / step_s) * step_s; (s + step_s) * 1000 <= now; s += step_s) points.push(this.step(s, step_s));
    }
    return { model: this.name, step_s, from_ms, points, marks: this.marks.filter((m) => m.at_ms >= from_ms) };
  }

  summary(now) {
    const last = Math.floor(now / 1000);
    let requests = 0;
    let failures = 0;
    let worst = null;
    let p50 = null;
    for (let s = last - 60; s < last; s += 1) {
      const one = this.second(s);
      requests += one.requests;
      failures += one.failures;
      if (one.p50_ms !== null) p50 = one.p50_ms;
      if (one.p99_ms !== null) worst = Math.max(worst ?? 0, one.p99_ms);
    }
    let total = Math.round(this.rate * 11_000);
    for (let s = Math.floor(this.start_ms / 1000); s < last; s += 1) total += this.second(s).requests;
    return { requests_per_s: requests / 60, p50_ms: p50, p99_ms: worst, error_share: requests ? failures / requests : 0, requests: total, failures };
  }
}

const bell = (x, middle, width) => Math.exp(-((x - middle) ** 2) / (2 * width * width));

export function bins(name, psi, categories) {
  if (categories) {
    const weights = categories.map((c, i) => (0.4 + hash01(name + c)) / (i + 1));
    const shifted = weights.map((w, i) => w * (1 + (hash01(`${name}${i}s`) - 0.5) * Math.sqrt(psi) * 2));
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    return {
      bins: categories.map((label, i) => ({ from: null, to: null, label, reference_share: weights[i] / sum(weights), live_share: shifted[i] / sum(shifted) })),
      median: null, reference_median: null,
    };
  }
  const n = 20;
  const middle = 5 + hash01(name) * 8;
  const width = 2 + hash01(`${name}w`) * 3;
  const move = Math.sqrt(psi) * width * 1.1;
  const reference = Array.from({ length: n }, (_, i) => bell(i, middle, width) + 0.02);
  const live = reference.map((_, i) => (bell(i, middle + move, width) + 0.02) * (0.94 + 0.12 * hash01(`${name}${i}`)));
  const total = (list) => list.reduce((a, b) => a + b, 0);
  const span = 2 + Math.round(hash01(`${name}u`) * 12);
  return {
    bins: reference.map((r, i) => ({ from: i * span, to: (i + 1) * span, label: '', reference_share: r / total(reference), live_share: live[i] / total(live) })),
    median: Math.round((middle + move) * span), reference_median: Math.round(middle * span),
  };
}
