// SPDX-License-Identifier: Apache-2.0
// The processes that run a daemon's scripts.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

// The zygote of this daemon and its runners, by who is whose parent.
export const runners = (nangod) => {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [[pid, readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[1]]];
    } catch {
      return []; // it ended meanwhile
    }
  });
  const below = (pid) => parents.filter(([, parent]) => parent === String(pid)).map(([child]) => child);
  return below(nangod.child.pid).flatMap((zygote) => [zygote, ...below(zygote)]);
};
export const lives = (pid) => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

// Nobody is left of them: their parent's end is theirs.
export async function gone(pids) {
  for (const until = Date.now() + 10_000; pids.some(lives) && Date.now() < until;) await new Promise((resolve) => { setTimeout(resolve, 10); });
  assert.deepEqual(pids.filter(lives), []);
}
