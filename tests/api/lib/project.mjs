// SPDX-License-Identifier: Apache-2.0
// A project of scripts in a directory of its own, and nangoctl run in it, without a terminal.

import { besideRun } from './daemon.mjs';
import { Folder } from './folder.mjs';

export class Project extends Folder {
  // `files`: name → text.
  constructor(files = {}) {
    super('nangoctl');
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  // {code, stdout, stderr}. `nangod`: the daemon that it is about.
  run(args, { nangod, env = {}, ...options } = {}) {
    const about = nangod === undefined ? {} : { NANGO_HOSTPORT: nangod.base, NANGO_SECRET_KEY_DEV: nangod.keys.secretKey };
    return besideRun('nangoctl', args, { cwd: this.dir, env: { ...about, ...env }, timeout: 60_000, ...options });
  }
}
