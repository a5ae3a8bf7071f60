// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';

import { defineConfig } from 'vite';

// What is bundled goes out under its licence.
const notice = {
  name: 'notice',
  generateBundle(_, files) {
    const licence = fs.readFileSync(new URL('node_modules/preact/LICENSE', import.meta.url), 'utf8');
    for (const file of Object.values(files)) if (file.type === 'chunk') file.code = `/*! With Preact:\n${licence}*/\n${file.code}`;
  },
};

export default defineConfig({
  root: 'connect',
  base: './',
  plugins: [notice],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: { target: 'es2020', modulePreload: false, assetsInlineLimit: 0, emptyOutDir: true, reportCompressedSize: false },
});
