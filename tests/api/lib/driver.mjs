// SPDX-License-Identifier: Apache-2.0
// libnango, called from here: tests/sdk/driver, which reads a method and its arguments as JSON and
// answers with a line of JSON. Whatever a call gave, the driver ends with 0; another code means that
// the library broke a promise or that a sanitizer found something, and fails the test.
//
// The program is $NANGO_SDK_DRIVER, else tests/sdk/sdk-driver beside $NANGOD.

import { spawn } from 'node:child_process';
import path from 'node:path';

import { binary } from './daemon.mjs';
import { deferred, inTime } from './wait.mjs';

export const driverBinary = path.resolve(process.env.NANGO_SDK_DRIVER ?? path.join(path.dirname(binary), 'tests/sdk/sdk-driver'));

const alive = new Set();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

// {connectionId: 'c', isSync: true} → --connection-id c --is-sync
function words(options) {
  return Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined || value === false) return [];
    const name = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    return value === true ? [name] : [value].flat().flatMap((one) => [name, String(one)]);
  });
}

function start(args, env) {
  const child = spawn(driverBinary, args, { env: { ...process.env, ...env } });
  alive.add(child);
  const ended = deferred();
  const self = { child, stderr: '', ended: ended.promise };
  ended.promise.catch(() => {});
  child.stdin.on('error', () => {}); // it need not read its input
  child.stderr.setEncoding('utf8').on('data', (text) => {
    self.stderr += text;
  });
  child.on('error', (error) => {
    alive.delete(child);
    ended.reject(error);
  });
  child.on('close', (code, signal) => {
    alive.delete(child);
    ended.resolve(code ?? signal);
  });
  return self;
}

// One process for one call: what it printed, line by line.
export async function driveOnce(options, method, args = {}, { env = {}, within = 30_000 } = {}) {
  const run = start([...words(options), method, JSON.stringify(args)], env);
  let out = '';
  run.child.stdin.end();
  run.child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  try {
    const code = await inTime(`sdk-driver ${method} to end`, run.ended, within);
    if (code !== 0) throw new Error(`sdk-driver ${method} ended with ${code}:\n${run.stderr}\n${out}`);
  } finally {
    run.child.kill('SIGKILL');
  }
  return out.trimEnd().split('\n').map((line) => JSON.parse(line));
}

// One process for one client: call() after call(), then finish().
export class Driver {
  constructor(options = {}, { env = {} } = {}) {
    this.run = start([...words(options), '--lines'], env);
    this.waiting = [];
    let rest = '';
    this.run.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.waiting.shift().resolve(line);
    });
    this.run.ended.then(
      (code) => this.fail(new Error(`sdk-driver ended with ${code}:\n${this.run.stderr}\n${rest}`)),
      (error) => this.fail(error),
    );
  }

  fail(error) {
    this.gone = error;
    for (const one of this.waiting.splice(0)) one.reject(error);
  }

  get pid() {
    return this.run.child.pid;
  }

  async call(method, args = {}, { within = 30_000 } = {}) {
    if (this.gone) throw this.gone;
    const line = deferred();
    this.waiting.push(line);
    this.run.child.stdin.write(`${method}\t${JSON.stringify(args)}\n`);
    return JSON.parse(await inTime(`sdk-driver to answer ${method}`, line.promise, within));
  }

  async finish({ within = 20_000 } = {}) {
    this.run.child.stdin.end();
    try {
      const code = await inTime('sdk-driver to end', this.run.ended, within);
      if (code !== 0) throw new Error(`sdk-driver ended with ${code}:\n${this.run.stderr}`);
    } finally {
      this.run.child.kill('SIGKILL');
    }
  }
}

// Drivers by their options, started when first asked for.
export class Drivers {
  constructor() {
    this.all = new Map();
  }

  of(options) {
    const key = JSON.stringify(options);
    if (!this.all.has(key)) this.all.set(key, new Driver(options));
    return this.all.get(key);
  }

  async finish() {
    const ends = await Promise.allSettled([...this.all.values()].map((driver) => driver.finish()));
    const faults = ends.filter((end) => end.status === 'rejected').map((end) => end.reason.message);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }
}
