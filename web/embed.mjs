// SPDX-License-Identifier: Apache-2.0
// Writes the built files as C, plain and compressed: node embed.mjs BUILT_DIR OUTPUT.c
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const [dir, output] = process.argv.slice(2);
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };
const names = fs.readdirSync(dir, { recursive: true }).filter((name) => fs.statSync(path.join(dir, name)).isFile()).sort();
const bytes = (name, data) => {
  let text = `static const unsigned char ${name}[] = {\n`;
  for (let at = 0; at < data.length; at += 64) text += `${[...data.subarray(at, at + 64)].join(',')},\n`;
  return `${text}0};\n`;
};
let out = '#include "api/web_files.h"\n\n';
const rows = names.map((name, i) => {
  const type = types[path.extname(name)];
  if (!type) throw new Error(`no content type is known for ${name}`);
  const plain = fs.readFileSync(path.join(dir, name));
  const forms = {
    plain,
    gzip: zlib.gzipSync(plain, { level: 9 }),
    brotli: zlib.brotliCompressSync(plain),
  };
  for (const [form, data] of Object.entries(forms)) out += bytes(`${form}_${i}`, data);
  const cell = (form) => `{${form}_${i}, ${forms[form].length}}`;
  return `    {"${path.basename(name)}", "${type}", ${cell('plain')}, ${cell('gzip')}, ${cell('brotli')}},\n`;
});
out += `const struct web_file web_files[] = {\n${rows.join('')}};\nconst size_t web_file_count = ${names.length};\n`;
fs.writeFileSync(output, out);
