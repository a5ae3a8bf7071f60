// SPDX-License-Identifier: Apache-2.0
// The logs of operations as tests read them, and their file as another process sees it.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { inTime } from './wait.mjs';

const query = (filter) => {
  const text = new URLSearchParams(filter).toString();
  return text ? `?${text}` : '';
};

// All that the filter lets pass, the newest first.
export async function operations(nangod, filter = {}) {
  const all = [];
  for (let cursor; cursor !== null;) {
    const page = await nangod.must(200, 'GET', `/logs/operations${query({ ...filter, ...(cursor && { cursor }) })}`);
    all.push(...page.data);
    cursor = page.pagination.cursor;
  }
  return all;
}

// The one that there is.
export async function operation(nangod, filter) {
  const all = await operations(nangod, filter);
  assert.equal(all.length, 1, JSON.stringify(all, null, 1));
  return all[0];
}

export const messages = async (nangod, id, filter = {}) => (await nangod.must(200, 'GET', `/logs/operations/${id}/messages${query({ limit: 500, ...filter })}`)).data;

const file = (nangod) => path.join(nangod.data, 'logs.db');

const holding = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
db.execute('ROLLBACK')
`;

// Another process that holds the file's lock, until release().
export async function hold(nangod) {
  const child = spawn('python3', ['-c', holding, file(nangod)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  await inTime('the lock', new Promise((resolve) => { child.stdout.once('data', resolve); }));
  return {
    async release() {
      child.stdin.end();
      await inTime('the end of who held the lock', ended);
    },
  };
}

// What SQLite itself says of the file.
export async function check(nangod) {
  const { stdout } = await promisify(execFile)('python3', ['-c', 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])', file(nangod)]);
  return stdout.trim();
}
