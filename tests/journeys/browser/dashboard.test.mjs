/* SPDX-License-Identifier: Apache-2.0 */
// A person opens the dashboard, deploys the newer version by clicking, sees it live, and rolls back.
//
// Needs a running server at SLIPWAY_URL that has MODEL with two versions at least. Screenshots go
// to SCREENSHOT_DIR.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, launch, LOOKS, model, open, overflow, path, predictSome, shoot, url } from './browser.mjs';

const TIMEOUT = { timeout: 120_000 };
let browser;
let older;
let newer;

before(async () => {
  const { versions } = await api('GET', path('/versions'));
  assert.ok(versions.length >= 2, `${model} needs two versions`);
  [older, newer] = versions.map((v) => v.version).sort((a, b) => a - b);
  await api('POST', path('/deployments'), { version: String(older) });
  await predictSome(versions.find((v) => v.version === older).signature.features, 40);
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

const liveVersion = async () => (await api('GET', path())).deployment?.version;

async function seesLive(page, version) {
  await page.locator('h1', { hasText: `${model}@${version}` }).waitFor();
}

async function fitsTheWindow(page, look, where) {
  assert.ok(await overflow(page) <= 0, `${where} is wider than a window of ${look.width} pixels`);
}

async function opensTheModel(page, look) {
  await page.goto(url);
  await page.getByText('Live', { exact: true }).first().waitFor();
  assert.match(await page.title(), /Fleet · Slipway$/);
  await page.evaluate(() => { window.sameDocument = true; });
  await page.waitForTimeout(2200); /* two ticks, so that the sparklines have begun */
  await shoot(page, look, '1-fleet');
  await fitsTheWindow(page, look, 'the fleet');
  await page.getByRole('link', { name: model, exact: true }).click();
  await seesLive(page, older);
  await page.locator('.chart canvas').first().waitFor();
  assert.equal(await page.locator('.chart').count(), 4);
  await page.locator('.plot').first().hover();
  await shoot(page, look, '2-live');
  await fitsTheWindow(page, look, 'the live tab');
}

async function confirms(page, look, button, beforeAfter, outcome, name) {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const route = await dialog.locator('.route').innerText();
  for (const version of beforeAfter) assert.match(route.replace(/\s+/g, ' '), new RegExp(`${model}@${version} 100 %`));
  assert.match(route, /revision \d+[^]*revision \d+/);
  await shoot(page, look, `${name}-asked`);
  await fitsTheWindow(page, look, `the dialog ${name}`);
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.getByText(outcome).waitFor();
  await shoot(page, look, `${name}-done`);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function deploysByClicking(page, look) {
  await page.getByRole('link', { name: 'Versions' }).click();
  await page.getByRole('button', { name: `Deploy ${model}@${newer}`, exact: true }).click();
  await confirms(page, look, 'Deploy', [older, newer], new RegExp(`${model}@${newer} live in .+s`), '3-deploy');
  await seesLive(page, newer);
  assert.equal(await liveVersion(), newer);
  await page.locator('tr.row', { hasText: `@${newer}` }).first().getByText('live', { exact: true }).waitFor();
  await shoot(page, look, '4-versions');
  await fitsTheWindow(page, look, 'the versions tab');
}

async function rollsBackByClicking(page, look) {
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  await confirms(page, look, 'Roll back', [newer, older], new RegExp(`${model}@${older} live again in .+s`), '5-rollback');
  await seesLive(page, older);
  assert.equal(await liveVersion(), older);
}

async function looksAtDrift(page, look) {
  await page.locator('.tabs').getByRole('link', { name: /^Drift/ }).click();
  await page.locator('.verdict').filter({ hasText: /\w/ }).waitFor();
  await page.locator('.feature').first().waitFor();
  await shoot(page, look, '6-drift');
  await fitsTheWindow(page, look, 'the drift tab');
  const name = await page.locator('.feature h3').first().innerText();
  await page.getByRole('button', { name: `Enlarge ${name}`, exact: true }).click();
  await page.getByRole('dialog').getByRole('heading', { name, exact: true }).waitFor();
  assert.match(page.url(), /[?&]feature=/);
  await shoot(page, look, '7-feature');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByLabel('Filter features').fill('no feature is called so');
  await page.getByText('No feature matches.').waitFor();
}

async function looksAtEvents(page, look) {
  await page.locator('.tabs').getByRole('link', { name: 'Events' }).click();
  await page.locator('.events .row', { hasText: `${model}@${newer} live as revision` }).first().waitFor();
  await page.locator('.events .row', { hasText: `${model}@${older} live again as revision` }).first().waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor();
  await page.getByLabel('Filter events').fill('live again');
  await page.locator('.events .row', { hasText: 'live again' }).first().waitFor();
  await shoot(page, look, '8-events');
  await fitsTheWindow(page, look, 'the events');
}

async function usesTheKeyboard(page) {
  await page.locator('h1').click();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.getByRole('combobox').fill(model);
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await seesLive(page, older);
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.locator('table.fleet').waitFor();
}

for (const look of LOOKS) {
  test(`dashboard ${look.name}: deploys and rolls back by clicking`, TIMEOUT, async () => {
    const { context, page, complaints } = await open(browser, look);
    await opensTheModel(page, look);
    await deploysByClicking(page, look);
    await rollsBackByClicking(page, look);
    await looksAtDrift(page, look);
    await looksAtEvents(page, look);
    await usesTheKeyboard(page);
    assert.equal(await page.evaluate(() => window.sameDocument), true, 'a page was loaded anew on the way');
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test('dashboard: a change made elsewhere shows at once, with a note in the corner', TIMEOUT, async () => {
  const { context, page, complaints } = await open(browser, LOOKS[0]);
  await page.goto(`${url}/models/${encodeURIComponent(model)}/events`);
  await seesLive(page, older);
  await page.getByText('Live', { exact: true }).first().waitFor();
  await page.waitForTimeout(500);
  await api('POST', path('/deployments'), { version: String(newer) });
  await seesLive(page, newer);
  await page.locator('.toast', { hasText: `${model}@${newer} live` }).waitFor();
  await api('POST', path('/rollback'), {});
  await seesLive(page, older);
  await page.locator('.events .row', { hasText: `${model}@${older} live again` }).first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('dashboard: a refusal is shown word by word, and the dialog stays', TIMEOUT, async () => {
  const { context, page } = await open(browser, LOOKS[0]);
  const error = 'the check disagrees on 3 of 200 rows:\n  row 17: <b>0.9132</b>, the training code made 0.4711';
  await page.route('**/deployments', (route) => (route.request().method() === 'POST'
    ? route.fulfill({ status: 422, contentType: 'application/json', body: JSON.stringify({ error, revision: null }) })
    : route.continue()));
  await page.goto(`${url}/models/${encodeURIComponent(model)}/versions`);
  await page.getByRole('button', { name: `Deploy ${model}@${newer}`, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy', exact: true }).click();
  assert.equal(await page.locator('dialog pre').textContent(), error);
  await page.getByText(`${model}@${older} keeps serving.`).waitFor();
  await shoot(page, LOOKS[0], '9-refused');
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await liveVersion(), older);
  await context.close();
});

test('dashboard: says when it is cut off, and comes back by itself', TIMEOUT, async () => {
  const { context, page } = await open(browser, LOOKS[0]);
  await page.route('**/api/v1/stream', (route) => route.abort());
  await page.goto(url);
  await page.getByText('Reconnecting…').waitFor();
  await page.unroute('**/api/v1/stream');
  await page.getByText('Live', { exact: true }).first().waitFor();
  await context.close();
});

test('dashboard: a sign-in link that was used says so, as a page', TIMEOUT, async () => {
  const { context, page } = await open(browser, LOOKS[0]);
  const response = await page.goto(`${url}/login/${'A'.repeat(43)}`);
  assert.equal(response.status(), 403);
  await page.getByRole('heading', { name: 'This sign-in link was used already' }).waitFor();
  await page.getByText('slipway token link').waitFor();
  await page.getByRole('button', { name: 'Go to the fleet' }).click();
  await page.locator('table.fleet').waitFor();
  await context.close();
});

test('dashboard: without a session it says how to sign in', TIMEOUT, async () => {
  const { context, page } = await open(browser, LOOKS[0]);
  await page.route('**/api/v1/**', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: '{"error":"sign in"}' }));
  await page.goto(`${url}/models/${encodeURIComponent(model)}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await page.title(), 'Sign in · Slipway');
  await shoot(page, LOOKS[0], '10-sign-in');
  await page.unroute('**/api/v1/**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('h1', { hasText: model }).waitFor();
  await context.close();
});
