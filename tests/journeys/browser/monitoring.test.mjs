/* SPDX-License-Identifier: Apache-2.0 */
// A person is told of drift, sees what moved and how good the model still is, and calms the alert.
//
// Needs a running server at SLIPWAY_URL whose MODEL has drifted, has labels, and raised alerts.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { api, launch, LOOKS, model, open, overflow, shoot, url } from './browser.mjs';

const TIMEOUT = { timeout: 120_000 };
let browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

async function fits(page, look, where) {
  assert.ok(await overflow(page) <= 0, `${where} is wider than a window of ${look.width} pixels`);
}

async function saves(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

async function seesWhatMoved(page, look) {
  await page.getByRole('link', { name: 'Drift' }).first().click();
  await page.locator('.findings').getByRole('button', { name: 'a', exact: true }).first().waitFor();
  await page.getByText('at most 1 false alarm a month').waitFor();
  await page.locator('.heat canvas').waitFor();
  await page.waitForTimeout(300);
  await shoot(page, look, 'm1-drift');
  await fits(page, look, 'the drift tab');
  const table = await saves(page, page.getByRole('button', { name: 'Save the data of the heat-map' }));
  assert.equal(table.name, `${model}_1-drift.csv`);
  assert.match(table.bytes.toString(), /^column,from,rows,state,psi,missing_share\r\na,20/);
  const picture = await saves(page, page.getByRole('button', { name: 'Save the heat-map as a picture' }));
  assert.equal(picture.bytes.subarray(1, 4).toString(), 'PNG');
}

async function opensADistribution(page, look) {
  const dialog = page.getByRole('dialog');
  await page.locator('.heat').getByRole('button', { name: 'a', exact: true }).click();
  await dialog.getByRole('heading', { name: 'a', exact: true }).waitFor();
  assert.match(page.url(), /feature=a/);
  await shoot(page, look, 'm2-feature');
  await page.goBack();
  await dialog.waitFor({ state: 'detached' });
  assert.match(page.url(), /\/drift(?!.*feature)/);
  await page.goForward();
  await dialog.waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.doesNotMatch(page.url(), /feature=/);
}

/** What fires stands in the fleet's row and headline, and is a mark of the model's charts. */
async function countsIn(page, look) {
  await page.getByRole('link', { name: 'Fleet', exact: true }).click();
  await page.locator('.fleet .attention', { hasText: model }).getByRole('link', { name: /alerts?$/ }).waitFor();
  assert.doesNotMatch(await page.locator('h1').innerText(), /well/);
  await fits(page, look, 'the fleet');
  await page.locator('.fleet').getByRole('link', { name: /alerts?$/ }).first().click();
  assert.match(page.url(), new RegExp(`/alerts\\?model=${model}$`));
  await page.locator('.alerts .row').first().waitFor();
  await page.goBack();
  await page.getByRole('link', { name: model, exact: true }).click();
  await page.getByRole('heading', { name: 'Changes and alerts in this window' }).waitFor();
  await page.locator('.live .lines').getByRole('link', { name: new RegExp(`${model}@1|alerts`) }).first().waitFor();
  await page.locator('.plot').first().hover();
  await page.locator('.chart-at', { hasText: 'UTC' }).first().waitFor();
  await shoot(page, look, 'm0-live');
  await fits(page, look, 'the live tab');
}

async function seesQuality(page, look) {
  await page.getByRole('link', { name: 'Quality' }).click();
  await page.locator('.chart canvas').first().waitFor();
  assert.ok(await page.locator('.chart').count() >= 3);
  await page.getByText(/[1-9][\d,]* labels · [1-9][\d,]*\spredictions/).waitFor();
  await shoot(page, look, 'm3-quality');
  await fits(page, look, 'the quality tab');
  const table = await saves(page, page.getByRole('button', { name: 'Save the data of Labelled share' }));
  assert.match(table.bytes.toString(), /^time,labelled\r\n/);
}

for (const look of LOOKS) {
  test(`dashboard ${look.name}: from an alert to what moved and how good it is`, TIMEOUT, async () => {
    const { context, page, complaints } = await open(browser, look);
    await page.goto(url);
    await page.getByRole('link', { name: /^Alerts/ }).click();
    const row = page.locator('.alerts .row', { hasText: model }).first();
    await row.waitFor();
    await countsIn(page, look);
    await page.getByRole('link', { name: /^Alerts/ }).first().click();
    await row.waitFor();
    await shoot(page, look, 'm0-alerts');
    await fits(page, look, 'the alerts');
    await row.getByRole('link').click();
    await page.getByRole('heading', { name: 'The numbers that raised it' }).waitFor();
    assert.ok(await page.locator('.evidence tr').count() > 3);
    await shoot(page, look, 'm0-alert');
    await fits(page, look, 'an alert');
    await page.getByRole('button', { name: 'Look at it' }).click();
    await page.getByRole('dialog').waitFor();
    assert.match(page.url(), /[?&]version=1&/);
    await page.getByRole('button', { name: 'Close' }).click();
    await seesWhatMoved(page, look);
    await opensADistribution(page, look);
    await seesQuality(page, look);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test('dashboard: an alert is acknowledged, and then silenced, by clicking', TIMEOUT, async () => {
  const { context, page, complaints } = await open(browser, LOOKS[0]);
  const { alerts } = await api('GET', `/api/v1/alerts?state=firing&model=${model}`);
  await page.goto(`${url}/alerts/${alerts[0].id}`);
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByRole('dialog').getByLabel('Note').fill('retraining');
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('seen by', { exact: false }).waitFor();
  assert.equal((await api('GET', `/api/v1/alerts/${alerts[0].id}`)).acknowledged.note, 'retraining');
  await page.getByRole('button', { name: 'Silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '1 h' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Silence', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Alerts', exact: false }).first().click();
  await page.getByRole('link', { name: 'Silences' }).click();
  await page.getByText(`rule=${alerts[0].rule}`).waitFor();
  await shoot(page, LOOKS[0], 'm4-silenced');
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('No silence holds.').waitFor();
  assert.deepEqual((await api('GET', '/api/v1/silences')).silences, []);
  assert.deepEqual(complaints, []);
  await context.close();
});
