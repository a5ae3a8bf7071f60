// SPDX-License-Identifier: Apache-2.0
// A nangod of a test's own: started on a free port with a fresh data directory, waited for by the
// line it prints when ready, its log kept in memory and shown when the test fails.
//
//   const nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true' } });
//   const answer = await nangod.api('GET', '/connections');
//   await nangod.finish();
//
// The binary is $NANGOD, else build/nangod of this checkout.

import { spawn, execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { request } from './http.mjs';
import { deferred, inTime } from './wait.mjs';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));

export const binary = path.resolve(process.env.NANGOD ?? path.join(here, '../../../build/nangod'));
// The engine that runs scripts is not ours to look into by ThreadSanitizer, under which it crawls: programs
// built so take the plain runner.
const plainRunner = path.join(path.dirname(binary), '../build/nango-runner');
const otherRunner = path.basename(path.dirname(binary)) === 'build-tsan' && fs.existsSync(plainRunner) ? plainRunner : '';
// Few tests run scripts, so no runner waits ahead.
const usual = { 'scripts.spare_runners': '0', ...(otherRunner !== '' && { 'scripts.runner': otherRunner }) };

// The encryption key of all tests, so that no test depends on the key file in the data directory.
export const encryptionKey = Buffer.alloc(32, 7).toString('base64');

// The first line of what a sanitizer tells.
const finding = /^(?:==\d+==ERROR: |WARNING: ThreadSanitizer|\S+:\d+:\d+: runtime error: ).*/m;

const alive = new Set();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export function scratch(name = 'nangod') {
  return fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
}

// Runs the program to its end: {code, stdout, stderr}. An environment variable set to undefined is
// not passed on.
export const nangodRun = (args, options) => programRun(binary, args, options);
// As nangodRun(), of another program that is built beside it.
export const besideRun = (name, args, options) => programRun(path.join(path.dirname(binary), name), args, options);

export async function programRun(program, args, { env = {}, timeout = 20_000, input = '', cwd } = {}) {
  const running = run(program, args, {
    cwd,
    env: { ...process.env, NANGO_ENCRYPTION_KEY: encryptionKey, NANGO_RUNNER: otherRunner, ...env },
    timeout,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
  });
  running.child.stdin.on('error', () => {}); // it need not read its input
  running.child.stdin.end(input);
  try {
    const { stdout, stderr } = await running;
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

export class Daemon {
  constructor({ program = binary, data, settings = {}, config, adminListen, env = {}, args = [] } = {}) {
    this.program = program;
    this.ownsData = data === undefined;
    this.data = data ?? scratch();
    this.settings = settings;
    this.config = config;
    this.adminListen = adminListen;
    this.env = env;
    this.args = args;
    this.log = ''; // all of standard error, over restarts
    this.out = ''; // standard output of the last process
    this.exit = undefined; // {code, signal} of the last process
  }

  static async start(options = {}) {
    const daemon = new Daemon(options);
    await daemon.up();
    return daemon;
  }

  commandLine() {
    const line = ['serve', '--data', this.data, '--listen', this.listen ?? '127.0.0.1:0'];
    if (this.adminListen) line.push('--admin-listen', this.adminListen);
    if (this.config) line.push('--config', this.config);
    for (const [key, value] of Object.entries({ ...usual, ...this.settings })) line.push('--set', `${key}=${value}`);
    return [...line, ...this.args];
  }

  // Starts the process and waits for its "listening on" line.
  async up({ within = 20_000, env = {} } = {}) {
    const child = spawn(this.program, this.commandLine(), {
      env: { ...process.env, NANGO_ENCRYPTION_KEY: encryptionKey, ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    alive.add(child);
    this.child = child;
    this.exit = undefined;
    const ready = deferred();
    const ended = deferred();
    this.ended = ended.promise;
    ended.promise.catch(() => {});
    this.out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.out += text;
      const line = /^listening on (http:\/\/\S+)$/m.exec(this.out);
      if (!line) return;
      this.adminBase = /^admin listening on (http:\/\/\S+)$/m.exec(this.out)?.[1];
      ready.resolve(line[1]);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log += text;
    });
    child.on('error', (error) => {
      alive.delete(child);
      ready.reject(error);
    });
    child.on('close', (code, signal) => {
      alive.delete(child);
      this.exit = { code, signal };
      ended.resolve(this.exit);
      ready.reject(new Error(`nangod ended (${code ?? signal}) before it was ready:\n${this.tail()}`));
    });
    try {
      this.base = await inTime('the line "listening on …"', ready.promise, within);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    if (!this.keys) this.keys = await this.readKeys();
    return this;
  }

  get port() {
    return Number(new URL(this.base).port);
  }

  async readKeys(environment = 'dev') {
    const { code, stdout, stderr } = await nangodRun(
      ['keys', '--data', this.data, '--environment', environment, '--json'],
      { env: this.env },
    );
    if (code !== 0) throw new Error(`nangod keys ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  async setVariable(name, value, environment = 'dev') {
    return this.variables(['--environment', environment, 'set', name], value);
  }

  // `nangod variables …`; a value goes by standard input.
  async variables(words, input = '') {
    const { code, stdout, stderr } = await nangodRun(['variables', '--data', this.data, ...words], { env: this.env, input });
    if (code !== 0) throw new Error(`nangod variables ${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  // From here on api() uses a key of these scopes.
  async grant(scopes) {
    const { code, stdout, stderr } = await nangodRun(['keys', '--data', this.data, 'create', '--name', scopes, '--scopes', scopes], { env: this.env });
    if (code !== 0) throw new Error(`nangod keys create ended with ${code}: ${stderr}`);
    this.keys = { ...this.keys, secretKey: stdout.trim() };
  }

  // SIGTERM and the exit code.
  async stop({ within = 20_000 } = {}) {
    if (!this.child || this.exit) return this.exit;
    this.child.kill('SIGTERM');
    return inTime('nangod to end after SIGTERM', this.ended, within);
  }

  // SIGKILL: no goodbye.
  async kill() {
    if (!this.child || this.exit) return;
    this.child.kill('SIGKILL');
    await inTime('nangod to die', this.ended);
  }

  // Starts again on the same port, so that clients and redirect addresses stay right.
  async again(options) {
    this.listen = `127.0.0.1:${this.port}`;
    return this.up(options);
  }

  signal(name) {
    this.child.kill(name);
  }

  // Whether a sanitizer runs with it, which keeps what was freed and takes its time.
  get sanitized() {
    return /lib[at]san/.test(fs.readFileSync(`/proc/${this.child.pid}/maps`, 'latin1'));
  }

  // The end of a test's daemon: stops it (a failure to stop in peace is a failure of the test, and so is
  // what a sanitizer found, be it in a runner) and removes its directory.
  async finish() {
    const running = this.child && !this.exit;
    let exit;
    try {
      exit = await this.stop();
    } catch (error) {
      error.message += `\nlog of nangod:\n${this.tail()}`;
      await this.kill();
      throw error;
    }
    if (this.ownsData) fs.rmSync(this.data, { recursive: true, force: true });
    if (running && exit.code !== 0) {
      throw new Error(`nangod ended with ${exit.code ?? exit.signal} on SIGTERM:\n${this.tail()}`);
    }
    const [found] = finding.exec(this.log) ?? [];
    if (found) throw new Error(`a sanitizer found something: ${this.log.slice(this.log.indexOf(found)).slice(0, 4000)}`);
  }

  tail(lines = 40) {
    return this.log.split('\n').slice(-lines).join('\n');
  }

  // A request with the environment's secret key.
  api(method, target, { headers = {}, key = this.keys.secretKey, ...rest } = {}) {
    const auth = key === null ? {} : { Authorization: `Bearer ${key}` };
    return request(this.base, method, target, { headers: { ...auth, ...headers }, ...rest });
  }

  // As api(), but anything but the expected status is an error that shows answer and log.
  async must(status, method, target, options) {
    const answer = await this.api(method, target, options);
    if (answer.status !== status) {
      throw new Error(
        `${method} ${target}: ${status} expected, got ${answer.status} ${answer.text.slice(0, 600)}\nlog:\n${this.tail()}`,
      );
    }
    return answer.body;
  }
}

// The daemon's clock, moved from outside: the setting clock.offset_file names eight bytes.
export class Clock {
  constructor() {
    this.dir = scratch('nangod-clock');
    this.file = path.join(this.dir, 'offset');
    this.offset = 0n;
    fs.writeFileSync(this.file, Buffer.alloc(8));
  }

  get setting() {
    return { 'clock.offset_file': this.file };
  }

  // Milliseconds forward (or back, when negative), written in place: the daemon has it mapped.
  advance(ms) {
    this.offset += BigInt(ms);
    const bytes = Buffer.alloc(8);
    if (os.endianness() === 'LE') bytes.writeBigInt64LE(this.offset);
    else bytes.writeBigInt64BE(this.offset);
    const fd = fs.openSync(this.file, 'r+');
    fs.writeSync(fd, bytes, 0, 8, 0);
    fs.closeSync(fd);
  }

  now() {
    return Date.now() + Number(this.offset);
  }

  finish() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

// A test body whose failure shows what the daemon logged during it. `daemon` may be a function,
// for daemons that start in a hook.
export function logged(daemon, body) {
  return async (t) => {
    const which = typeof daemon === 'function' ? daemon() : daemon;
    const from = which.log.length;
    try {
      await body(t);
    } catch (error) {
      const lines = which.log.slice(from).split('\n').slice(-30).join('\n');
      if (lines && !error.message.includes('log of nangod:')) error.message += `\nlog of nangod:\n${lines}`;
      throw error;
    }
  };
}
