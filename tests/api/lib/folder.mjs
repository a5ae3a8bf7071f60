// SPDX-License-Identifier: Apache-2.0
// A directory of a test's own, and the files in it.

import fs from 'node:fs';
import path from 'node:path';

import { scratch } from './daemon.mjs';

export class Folder {
  constructor(name) {
    this.dir = scratch(name);
  }

  // What names of files start from.
  get root() {
    return this.dir;
  }

  file(name) {
    return path.join(this.root, name);
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
