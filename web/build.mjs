/* SPDX-License-Identifier: Apache-2.0 */
// Bundles the dashboard: node build.mjs --outdir DIR (or SLIPWAY_WEB_OUT).
//
// Writes index.html, favicon.svg and assets/app-<hash>.{js,css}, a .gz beside each, and manifest.txt:
// one line a file, "url-path <TAB> content-type <TAB> file <TAB> gzip-file", files relative to DIR.
// The same sources give the same bytes.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SCRIPT_GZ_BYTES_MAX = 150_000;
const here = dirname(fileURLToPath(import.meta.url));

function outdir() {
  const at = process.argv.indexOf('--outdir');
  return (at > 0 ? process.argv[at + 1] : process.env.SLIPWAY_WEB_OUT) ?? join(here, 'dist');
}

async function bundle() {
  const result = await build({
    entryPoints: [join(here, 'src/main.tsx')],
    bundle: true,
    minify: true,
    write: false,
    outdir: '/',
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: '/* Slipway, Apache-2.0. With Preact and uPlot, MIT. */' },
    logLevel: 'warning',
  });
  const text = (end) => Buffer.from(result.outputFiles.find((f) => f.path.endsWith(end)).contents);
  return { js: text('.js'), css: text('.css') };
}

function named(kind, contents) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 10);
  return `assets/app-${hash}.${kind}`;
}

async function main() {
  const dir = outdir();
  const { js, css } = await bundle();
  const jsName = named('js', js);
  const cssName = named('css', css);
  const html = (await readFile(join(here, 'src/index.html'), 'utf8'))
    .replace('%JS%', `/${jsName}`)
    .replace('%CSS%', `/${cssName}`);
  const files = [
    ['/', 'text/html', 'index.html', Buffer.from(html)],
    ['/index.html', 'text/html', 'index.html', Buffer.from(html)],
    ['/favicon.svg', 'image/svg+xml', 'favicon.svg', await readFile(join(here, 'src/favicon.svg'))],
    [`/${cssName}`, 'text/css', cssName, css],
    [`/${jsName}`, 'text/javascript', jsName, js],
  ];
  await rm(join(dir, 'assets'), { recursive: true, force: true }); /* hashes of builds before */
  await mkdir(join(dir, 'assets'), { recursive: true });
  let manifest = '';
  for (const [url, type, name, contents] of files) {
    const packed = gzipSync(contents, { level: 9 });
    if (name.endsWith('.js') && packed.length > SCRIPT_GZ_BYTES_MAX) {
      throw new Error(`${name} is ${packed.length} bytes compressed; at most ${SCRIPT_GZ_BYTES_MAX} are allowed`);
    }
    await writeFile(join(dir, name), contents);
    await writeFile(join(dir, `${name}.gz`), packed);
    manifest += `${url}\t${type}\t${name}\t${name}.gz\n`;
    if (url !== '/') console.log(`${name.padEnd(28)} ${String(contents.length).padStart(7)} bytes  ${String(packed.length).padStart(6)} compressed`);
  }
  await writeFile(join(dir, 'manifest.txt'), manifest);
}

await main();
