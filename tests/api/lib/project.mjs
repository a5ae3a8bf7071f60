// SPDX-License-Identifier: Apache-2.0
// A project of scripts in a directory of its own, and nangoctl run in it, without a terminal.

import fs from 'node:fs';
import path from 'node:path';

import { besideRun, scratch } from './daemon.mjs';

export class Project {
  // `files`: name → text.
  constructor(files = {}) {
    this.dir = scratch('nangoctl');
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  // {code, stdout, stderr}. `nangod`: the daemon that it is about.
  run(args, { nangod, env = {}, ...options } = {}) {
    const about = nangod === undefined ? {} : { NANGO_HOSTPORT: nangod.base, NANGO_SECRET_KEY_DEV: nangod.keys.secretKey };
    return besideRun('nangoctl', args, { cwd: this.dir, env: { ...about, ...env }, timeout: 60_000, ...options });
  }

  file(name) {
    return path.join(this.dir, name);
  }

  has(name) {
    return fs.existsSync(this.file(name));
  }

  read(name) {
    return fs.readFileSync(this.file(name), 'utf8');
  }

  write(name, text) {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  finish() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
