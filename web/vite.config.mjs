// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'connect',
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: { target: 'es2020', modulePreload: false, assetsInlineLimit: 0, emptyOutDir: true, reportCompressedSize: false },
});
