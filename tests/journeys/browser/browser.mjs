/* SPDX-License-Identifier: Apache-2.0 */
// What every browser journey needs: the browser, a page that writes down its complaints, the API.

import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const url = process.env.SLIPWAY_URL ?? 'http://127.0.0.1:8080';
export const model = process.env.MODEL ?? 'fraud';
const shots = process.env.SCREENSHOT_DIR ?? join(tmpdir(), 'slipway-screenshots');

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Each launch has a profile folder of its own, removed at close. */
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
}

export const LOOKS = [
  { name: 'desktop-light', width: 1280, height: 800, scheme: 'light' },
  { name: 'desktop-dark', width: 1280, height: 800, scheme: 'dark' },
  { name: 'phone-light', width: 360, height: 740, scheme: 'light' },
  { name: 'phone-dark', width: 360, height: 740, scheme: 'dark' },
];

/** A page of its own context; `complaints` gathers console errors, uncaught ones and failed requests. */
export async function open(browser, look) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height }, colorScheme: look.scheme, reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  return { context, page, complaints };
}

export async function shoot(page, look, name) {
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}-${look.name}.png`) });
}

/** Pixels by which the page is wider than the window. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function api(method, path, body) {
  const init = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await fetch(url + path, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

export const path = (rest = '') => `/api/v1/models/${encodeURIComponent(model)}${rest}`;

/** A record from the middle of each feature's range, shaken by `step`. */
function record(features, step) {
  const fields = features.map((f, i) => {
    if (f.kind === 'category') return [f.name, (f.categories ?? [])[step % Math.max(1, f.categories?.length ?? 0)] ?? null];
    const low = f.min ?? 0;
    const high = f.max ?? 1;
    return [f.name, low + (high - low) * ((7 * step + 13 * i) % 100) / 100];
  });
  return Object.fromEntries(fields);
}

/** Some real traffic, so that there is something to see. */
export async function predictSome(features, rows) {
  const records = Array.from({ length: rows }, (_, step) => record(features, step));
  await api('POST', `/models/${encodeURIComponent(model)}/predict`, records);
}
