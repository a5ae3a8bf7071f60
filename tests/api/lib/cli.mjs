// SPDX-License-Identifier: Apache-2.0
// The official command lines, run unchanged and without a terminal in a directory of their own, against
// a daemon. Both are in package.json: `nango` is the 0.36 one, which looks for itself by that name.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Folder } from './folder.mjs';

const modules = path.join(path.dirname(fileURLToPath(import.meta.url)), '../node_modules');
const packages = { '0.36.101': 'nango', '0.71.10': 'nango-cli-0.71.10' };

// eslint-disable-next-line no-control-regex
const plain = (text) => text.replace(/\u001b\[[0-9;]*m/g, '');

export class Cli extends Folder {
  constructor(version, nangod) {
    super('nango-cli');
    this.home = path.join(modules, packages[version]);
    this.nangod = nangod;
  }

  // The project, once there is one.
  get root() {
    return this.project ?? this.dir;
  }

  // {code, output}: both streams, without colours. `input` answers its questions.
  run(args, { cwd = this.root, input = '', env = {}, timeout = 120_000 } = {}) {
    const child = spawn(process.execPath, [path.join(this.home, 'dist/index.js'), ...args], {
      cwd,
      env: {
        ...process.env,
        NANGO_HOSTPORT: this.nangod.base,
        NANGO_SECRET_KEY_DEV: this.nangod.keys.secretKey,
        NANGO_CLI_UPGRADE_MODE: 'ignore', // else it asks the registry
        NANGO_CLI_DEPENDENCY_UPDATE: 'false',
        NANGO_CLI_TELEMETRY: 'false',
        NODE_NO_WARNINGS: '1',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.stdin.on('error', () => {}); // it need not read it
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output: plain(output) }));
    });
  }

  // Packages that the project imports, from where this one's are: nothing is installed.
  link(names) {
    const to = path.join(this.project, 'node_modules');
    fs.mkdirSync(to, { recursive: true });
    for (const [name, from] of Object.entries(names)) fs.symlinkSync(from, path.join(to, name));
  }
}
