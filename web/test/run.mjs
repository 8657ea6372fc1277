/* SPDX-License-Identifier: Apache-2.0 */
// Bundles each test with esbuild (so that tests read the sources as they are) and runs node --test.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(join(tmpdir(), 'slipway-web-test-'));
let status = 1;
try {
  const tests = (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));
  await build({
    entryPoints: tests.map((name) => join(here, name)),
    bundle: true, outdir: out, outExtension: { '.js': '.mjs' }, format: 'esm', platform: 'node',
    jsx: 'automatic', jsxImportSource: 'preact', sourcemap: 'inline', logLevel: 'warning',
  });
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...tests.map((name) => join(out, name))], {
    stdio: 'inherit', env: { ...process.env, TZ: 'Europe/Berlin' },
  });
  status = run.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
process.exit(status);
