/* SPDX-License-Identifier: Apache-2.0 */
// A person writes alert rules, by the form and as YAML, and sees what they do and whom they tell.
//
// Needs a running server at SLIPWAY_URL whose rules are START, with a notifier `ops` that takes messages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, launch, LOOKS, open, overflow, shoot, url } from './browser.mjs';

const TIMEOUT = { timeout: 120_000 };
const DESKTOP = LOOKS[0];
let browser;
let start;

before(async () => {
  browser = await launch();
  start = (await api('GET', '/api/v1/alert-rules')).yaml;
});

after(async () => {
  await browser?.close();
});

const inForce = async (name) => (await api('GET', '/api/v1/alert-rules')).rules.find((r) => r.name === name);
const row = (page, name) => page.locator('.rules tbody tr').filter({ has: page.locator('th strong', { hasText: new RegExp(`^${name}$`) }) });

async function openRules(look) {
  const opened = await open(browser, look);
  await opened.page.goto(url);
  await opened.page.getByRole('link', { name: /^Alerts/ }).click();
  await opened.page.getByRole('link', { name: 'Rules' }).click();
  await row(opened.page, 'slow').waitFor();
  assert.match(opened.page.url(), /\/alerts\/rules$/);
  return opened;
}

async function putInForce(page) {
  await page.getByRole('button', { name: 'Put in force' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('In force.').waitFor();
}

async function addsARule(page, look) {
  await page.getByRole('button', { name: 'New rule' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('room');
  await form.getByRole('combobox', { name: 'On', exact: true }).selectOption('disk');
  await form.getByRole('combobox', { name: 'Measure' }).selectOption('free');
  await form.getByLabel('Threshold').fill('5 apples');
  await form.getByLabel('Must hold for').fill('0s');
  await form.getByRole('combobox', { name: 'Severity' }).selectOption('critical');
  await form.getByRole('button', { name: 'Review' }).click();
  await form.getByText("'5 apples' is no share").waitFor();
  await form.getByLabel('Threshold').fill('100%');
  await form.getByLabel('whom all rules tell').uncheck();
  await form.getByLabel('ops').check();
  await form.getByText('below: 100%').waitFor();
  await shoot(page, look, 'r1-form');
  await form.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('heading', { name: 'Added' }).waitFor();
  assert.equal(await inForce('room'), undefined, 'nothing holds before it is confirmed');
  await shoot(page, look, 'r2-apply');
  await putInForce(page);
  const rule = await inForce('room');
  assert.deepEqual([rule.on, rule.measure, rule.below, rule.severity, rule.notify], ['disk', 'free', 1, 'critical', ['ops']]);
  await row(page, 'room').getByText('disk free below 100').waitFor();
}

async function changesABuiltIn(page) {
  await row(page, 'slow').getByRole('button', { name: 'Change' }).click();
  const form = page.getByRole('dialog');
  assert.equal(await form.getByLabel('Threshold').inputValue(), '1s');
  await form.getByLabel('Threshold').fill('300ms');
  await form.getByRole('button', { name: 'Review' }).click();
  await page.getByText('above: 1s → 300ms').waitFor();
  await putInForce(page);
  const rule = await inForce('slow');
  assert.deepEqual([rule.above, rule.builtin, rule.for_ms], [300, false, 120_000]);
  await row(page, 'slow').getByRole('button', { name: 'Change' }).click();
  await form.getByLabel('Threshold').fill('400ms');
  await form.getByRole('button', { name: 'Review' }).click();
  await page.getByText('above: 300ms → 400ms').waitFor();
  await putInForce(page);
  assert.equal((await inForce('slow')).above, 400);
}

async function followsItsAlert(page) {
  await row(page, 'room').getByRole('link', { name: '1 firing of room' }).click();
  await page.getByRole('button', { name: 'of rule room' }).waitFor();
  assert.equal(await page.locator('.alerts .row').count(), 1);
  await page.getByRole('link', { name: 'Rules' }).click();
}

/** The browser itself writes a line for each answer 400: these are expected here, and only these. */
function expectRefusals(complaints) {
  const unexpected = complaints.filter((c) => !/^400: .*\/alert-rules\/check$|^console: Failed to load resource: .*400/.test(c));
  assert.deepEqual(unexpected, []);
}

async function makesAMistake(page, look) {
  const before = (await api('GET', '/api/v1/alert-rules')).yaml;
  const text = page.getByLabel('Rules as YAML');
  await text.fill((await text.inputValue()).replace('above: 400ms', 'above: often'));
  await page.getByRole('button', { name: 'Check' }).click();
  const line = (await text.inputValue()).split('\n').findIndex((l) => l.includes('often')) + 1;
  await page.getByText(`line ${line}, column`).waitFor();
  assert.equal(await page.locator('.editor .wrong').innerText(), String(line));
  assert.equal((await text.evaluate((e) => e.value.slice(e.selectionStart, e.selectionEnd))).trim(), 'above: often');
  await shoot(page, look, 'r3-mistake');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(`line ${line}, column`).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal((await api('GET', '/api/v1/alert-rules')).yaml, before, 'a mistake changes nothing');
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await page.getByLabel('Rules as YAML').focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Tab');
  assert.match(await text.inputValue(), /^ {2}/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Apply…');
  await page.getByRole('button', { name: 'Discard changes' }).click();
}

async function removes(page, name) {
  await row(page, name).getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('heading', { name: name === 'slow' ? 'Changed' : 'Removed' }).waitFor();
  await putInForce(page);
}

test('rules: one is added by the form, followed, mistaken and taken out again', TIMEOUT, async () => {
  const { context, page, complaints } = await openRules(DESKTOP);
  await addsARule(page, DESKTOP);
  await changesABuiltIn(page);
  await followsItsAlert(page);
  await row(page, 'room').waitFor();
  await shoot(page, DESKTOP, 'r4-rules-own');
  await makesAMistake(page, DESKTOP);
  await page.route('**/api/v1/alert-rules', async (route) => {
    if (route.request().method() === 'GET') await new Promise((go) => setTimeout(go, 2000)); /* a slow net must undo nothing */
    await route.continue().catch(() => undefined);
  });
  await removes(page, 'slow');
  await removes(page, 'room');
  await page.unroute('**/api/v1/alert-rules');
  assert.equal(await inForce('room'), undefined);
  assert.deepEqual([(await inForce('slow')).above, (await inForce('slow')).builtin], [1000, true]);
  assert.equal((await api('GET', '/api/v1/alert-rules')).yaml, start, 'the text is what it was');
  expectRefusals(complaints);
  await context.close();
});

test('rules: a notifier is tried, and what it was sent is listed', TIMEOUT, async () => {
  const { context, page, complaints } = await openRules(DESKTOP);
  await page.getByRole('button', { name: 'Test ops' }).click();
  await page.getByText(/took it in/).waitFor();
  await page.locator('tr', { hasText: 'a test' }).getByText('answered 200').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('rules: without the scope admin they are read, and nothing else', TIMEOUT, async () => {
  const { context, page } = await open(browser, DESKTOP);
  await page.route('**/alert-rules/check', (route) => route.fulfill({ status: 403, json: { error: "'ana' lacks the scope 'admin'" } }));
  await page.goto(`${url}/alerts/rules`);
  await page.getByText('You may read the rules.').waitFor();
  assert.equal(await page.getByLabel('Rules as YAML').getAttribute('readonly'), '');
  for (const name of ['New rule', 'Change', 'Apply', 'Test']) assert.equal(await page.getByRole('button', { name }).count(), 0);
  await context.close();
});

test('silences: one is added and ended by clicking', TIMEOUT, async () => {
  const { context, page, complaints } = await open(browser, DESKTOP);
  await page.goto(`${url}/alerts/silences`);
  await page.getByRole('button', { name: 'Silence alerts' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Alerts that match').fill('rule=slow\nmodel!=fraud*');
  await form.getByLabel('Why').fill('load test');
  await form.getByRole('button', { name: 'Silence', exact: true }).click();
  await page.getByText('model!=fraud*').waitFor();
  const { silences } = await api('GET', '/api/v1/silences');
  assert.deepEqual(silences[0].matchers.map((m) => [m.name, m.pattern, m.negated]), [['rule', 'slow', false], ['model', 'fraud*', true]]);
  await shoot(page, DESKTOP, 'r5-silences');
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('No silence holds.').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

for (const look of LOOKS) {
  test(`rules ${look.name}: the page and its form fit`, TIMEOUT, async () => {
    const { context, page, complaints } = await openRules(look);
    assert.ok(await overflow(page) <= 0, 'the rules are wider than the window');
    await shoot(page, look, 'r0-rules');
    await page.getByRole('heading', { name: 'Your rules, as YAML' }).scrollIntoViewIfNeeded();
    await page.mouse.wheel(0, 700);
    await page.waitForTimeout(200);
    await shoot(page, look, 'r0-yaml');
    await page.getByRole('button', { name: 'Change errors' }).click();
    await page.getByRole('dialog').getByText('error_rate').waitFor();
    await shoot(page, look, 'r0-form');
    await page.getByRole('button', { name: 'Close' }).click();
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
