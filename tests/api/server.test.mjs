// SPDX-License-Identifier: Apache-2.0
// The program around the API: configuration, reload, stopping, health, keys and data directory,
// commands beside a running server, and that no secret is ever written in plain.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, it } from 'node:test';

import { Browser } from './lib/browser.mjs';
import { Daemon, binary, nangodRun, scratch } from './lib/daemon.mjs';
import { Echo } from './lib/echo.mjs';
import { request } from './lib/http.mjs';
import { client } from './lib/oauth.mjs';
import { RawClient, exchange } from './lib/socket.mjs';
import { inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

// Runs `body` with things that are finished afterwards, the last made first.
async function using(body) {
  const made = [];
  const use = async (thing) => {
    const ready = await thing;
    made.unshift(ready);
    return ready;
  };
  try {
    await body(use);
  } finally {
    for (const thing of made) await thing.finish();
  }
}

const file = (text, name = 'nangod.conf') => {
  const at = path.join(scratch('nangod-file'), name);
  fs.writeFileSync(at, text);
  return at;
};

describe('configuration', () => {
  // Each: the file, what must be said, beside FILE:LINE.
  for (const [what, text, line, said] of [
    ['an unknown setting', '# first\n\noutbound.allow_privat = true\n', 3, [/outbound\.allow_privat\b/, /outbound\.allow_private\b/]],
    ['a value out of range', 'http.workers = 0\n', 1, [/http\.workers/, /1 to 1024/]],
    ['a value of the wrong kind', 'log.level = info\nproxy.base_url_override = perhaps\n', 2, [/proxy\.base_url_override/, /perhaps/]],
    ['a choice that is none', 'log.level = loud\n', 1, [/log\.level/, /debug info warn error/]],
    ['a line that is none', 'log.level = info\nwhat\n', 2, [/name = value/]],
  ]) {
    for (const command of [['serve'], ['-t']]) {
      it(`${what} ends \`nangod ${command}\` with 2, naming file, line and setting`, async () => {
        const at = file(text);
        const data = path.join(scratch(), 'untouched');
        const { code, stderr } = await nangodRun([...command, '--data', data, '--listen', '127.0.0.1:0', '--config', at]);
        assert.equal(code, 2, stderr);
        assert.ok(stderr.includes(`${at}:${line}`), stderr);
        for (const pattern of said) assert.match(stderr, pattern);
        assert.ok(!fs.existsSync(data), 'nothing was made');
      });
    }
  }

  // What only a look at the value can tell.
  for (const [name, value, accepted] of [
    ['listen', 'foo', /ADDR:PORT/],
    ['admin_listen', 'localhost:x', /ADDR:PORT/],
    ['public_url', '::::', /http or https URL/],
    ['connect_ui_url', 'ftp://a', /http or https URL/],
    ['vault.key', 'garbage', /32 bytes/],
    ['vault.key_file', '/nonexistent', /no encryption key file/],
    ['outbound.ca_file', '/nonexistent', /PEM/],
    ['outbound.ca_file', import.meta.filename, /PEM/],
    ['outbound.policy', '{"mode":"strict"}', /denylist, allowlist, permissive/],
    ['outbound.policy_oauth', 'x', /JSON/],
    ['outbound.denylist', '{}', /list of hosts/],
  ]) {
    for (const command of [['serve'], ['-t']]) {
      it(`${name} = ${path.basename(value)} ends \`nangod ${command}\` with 2, naming file and line`, async () => {
        const at = file(`log.level = info\n${name} = ${value}\n`);
        const data = path.join(scratch(), 'untouched');
        const { code, stderr } = await nangodRun([...command, '--data', data, '--config', at], { env: { NANGO_ENCRYPTION_KEY: undefined } });
        assert.equal(code, 2, stderr);
        assert.ok(stderr.includes(`${at}:2: ${name}`), stderr);
        assert.match(stderr, accepted);
        if (name === 'vault.key') assert.ok(!stderr.includes(value), stderr);
        assert.ok(!fs.existsSync(data), 'nothing was made');
      });
    }
  }

  it('an unknown setting on the command line or in the environment ends with 2', async () => {
    const flag = await nangodRun(['-t', '--set', 'log.levle=info']);
    assert.equal(flag.code, 2);
    assert.match(flag.stderr, /command line.*log\.levle.*log\.level/);
    const variable = await nangodRun(['-t'], { env: { NANGOD_LOG_LEVLE: 'info' } });
    assert.equal(variable.code, 2);
    assert.match(variable.stderr, /log/i);
  });

  it('a wrong setting ends every command with 2', async () => {
    for (const words of [['keys'], ['check'], ['backup', 'x'], ['variables', 'list'], ['serve'], ['-t']]) {
      const { code, stderr } = await nangodRun([...words, '--data', path.join(scratch(), 'untouched'), '--set', 'foo=1']);
      assert.equal(code, 2, `${words}: ${stderr}`);
      const clock = await nangodRun([...words, '--data', path.join(scratch(), 'untouched'), '--set', 'clock.offset_file=/nonexistent']);
      assert.equal(clock.code, 2, `${words}: ${clock.stderr}`);
      assert.match(clock.stderr, /command line: clock\.offset_file/);
    }
  });

  it('unknown words, options and commands end with 2', async () => {
    for (const words of [[], ['brew'], ['serve', 'now'], ['serve', '--loud'], ['serve', '--config'], ['variables', 'put'], ['backup'], ['restore']]) {
      const { code, stderr, stdout } = await nangodRun(words);
      assert.equal(code, 2, `${words}: ${stderr}`);
      assert.ok(`${stdout}${stderr}`.length > 0, `${words} says why`);
    }
  });

  it('a missing or unreadable file ends with 2', async () => {
    // Reading one's own memory from its beginning fails in the middle of the read.
    for (const at of ['/nowhere/nangod.conf', scratch(), '/proc/self/mem', file('log.level = info\n\0')]) {
      const { code, stderr } = await nangodRun(['-t', '--config', at]);
      assert.equal(code, 2, at);
      assert.ok(stderr.includes(at), stderr);
    }
  });

  it('a last line without an end is read', async () => {
    assert.match((await nangodRun(['-t', '--config', file('log.level = info\nlog.format = odd')])).stderr, /:2: log\.format/);
  });

  it('-t accepts a good one and starts nothing', async () => {
    const data = path.join(scratch(), 'untouched');
    const { code, stdout, stderr } = await nangodRun(['-t', '--data', data, '--config', file('log.level = warn\nhttp.body_limit = 10m\n')]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /ok/);
    assert.ok(!fs.existsSync(data));
  });

  it('-t reads the overlay: a broken one ends with 2, naming file and line', async () => {
    const at = file('good:\n    display_name: Good\n    auth_mode: NONE\n    docs: x\nbad:\n    display_name: [\n', 'broken.yaml');
    const { code, stderr } = await nangodRun(['-t', '--set', `catalog.overlay_dir=${path.dirname(at)}`]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(`${at.replaceAll('.', '\\.')}:[67]`));
  });

  it('the sample that `nangod settings` prints is itself good, and every line can be taken in', async () => {
    const { code, stdout } = await nangodRun(['settings']);
    assert.equal(code, 0);
    assert.equal((await nangodRun(['-t', '--config', file(stdout)])).code, 0);
    // Settings without a default stay commented out: an empty value may mean something else.
    const taken = stdout.replace(/^#(\w[\w.]* = .+)$/gm, '$1');
    assert.notEqual(taken, stdout);
    const all = await nangodRun(['-t', '--config', file(taken)]);
    assert.equal(all.code, 0, all.stderr);
  });

  it('later wins: file, environment, command line', async () =>
    using(async (use) => {
      const at = file('public_url = http://from.file\n');
      const linkOf = async (options) => {
        const nangod = await use(Daemon.start(options));
        const { data } = await nangod.must(201, 'POST', '/connect/sessions', { body: { tags: { a: 'b' } } });
        return new URL(data.connect_link).host;
      };
      assert.equal(await linkOf({ config: at }), 'from.file');
      assert.equal(await linkOf({ config: at, env: { NANGOD_PUBLIC_URL: 'http://from.environment' } }), 'from.environment');
      assert.equal(await linkOf({ config: at, env: { NANGOD_PUBLIC_URL: 'http://from.environment' }, settings: { public_url: 'http://from.flag' } }), 'from.flag');
    }));
});

describe('SIGHUP', () => {
  const provider = (name) => `${name}:\n    display_name: ${name}\n    categories: [other]\n    auth_mode: NONE\n    docs: https://example.com\n    proxy:\n        base_url: https://example.com\n`;

  it('takes a changed overlay in, and refuses a broken one whole', async () =>
    using(async (use) => {
      const at = file(provider('before'), 'own.yaml');
      const nangod = await use(Daemon.start({ settings: { 'catalog.overlay_dir': path.dirname(at) } }));
      const has = async (name) => (await nangod.api('GET', `/providers/${name}`)).status === 200;
      assert.ok(await has('before'));

      fs.writeFileSync(at, provider('after'));
      nangod.signal('SIGHUP');
      await until('the new provider', () => has('after'));
      assert.ok(!(await has('before')), 'what left the file left the catalogue');

      fs.writeFileSync(at, `${provider('half')}broken:\n    auth_mode: {\n`);
      const from = nangod.log.length;
      nangod.signal('SIGHUP');
      await until('the refusal in the log', () => nangod.log.slice(from).includes(`${at}:`));
      assert.match(nangod.log.slice(from), new RegExp(`${at.replaceAll('.', '\\.')}:\\d+`));
      assert.ok(await has('after'), 'the old one is kept');
      assert.ok(!(await has('half')), 'nothing of the broken one is taken');

      fs.writeFileSync(at, provider('mended'));
      nangod.signal('SIGHUP');
      await until('the mended one', () => has('mended'));
    }));

  it('takes a new log level in, refuses a file with a mistake, and says which settings need a restart', async () =>
    using(async (use) => {
      const at = file('log.level = warn\n');
      const nangod = await use(Daemon.start({ config: at }));
      await nangod.must(200, 'GET', '/connections');
      assert.equal(nangod.log, '', 'quiet');
      fs.writeFileSync(at, 'log.level = debug\nhttp.workers = 7\n');
      nangod.signal('SIGHUP');
      await until('the word of the reload', () => /http\.workers/.test(nangod.log));
      await until('a line for a request', async () => {
        await nangod.must(200, 'GET', '/connections');
        return nangod.log.includes('/connections');
      });
      fs.writeFileSync(at, 'log.levle = error\n');
      nangod.signal('SIGHUP');
      await until('the refusal', () => nangod.log.includes(`${at}:1`));
      fs.writeFileSync(at, '\noutbound.ca_file = /nonexistent\n');
      nangod.signal('SIGHUP');
      await until('the refusal', () => nangod.log.includes(`${at}:2: outbound.ca_file`));
      assert.equal((await nangod.api('GET', '/health')).status, 200);
    }));

  it('disturbs nobody', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const hup = setInterval(() => nangod.signal('SIGHUP'), 20);
      try {
        for (let i = 0; i < 300; i++) assert.equal((await nangod.api('GET', i % 2 ? '/providers.json' : '/connections')).status, 200);
      } finally {
        clearInterval(hup);
      }
    }));
});

describe('stopping', () => {
  const held = async (use, settings = {}, more = {}) => {
    const world = await use(World.start({ oauth: false, integrations: { none: 'test-none' }, settings, ...more }));
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'none', connection_id: 'c', credentials: { type: 'NONE' } } });
    return world;
  };

  it('requests in progress are answered, new ones are not taken, the exit code is 0', async () =>
    using(async (use) => {
      const world = await held(use);
      const { nangod, echo } = world;
      const calling = world.proxied('none', 'c', '/hold/stop');
      await inTime('the call', echo.arrived('stop'));
      nangod.signal('SIGTERM');
      await until('no more connections', async () => {
        try {
          const answer = await request(nangod.base, 'GET', '/ready', { via: new http.Agent() });
          return answer.status === 503 && answer.body.result === 'not ready';
        } catch (error) {
          return ['ECONNREFUSED', 'ECONNRESET'].includes(error.code);
        }
      });
      assert.equal(nangod.exit, undefined, 'still waiting for the call');
      echo.release('stop');
      const answer = await calling;
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { held: 'stop' });
      assert.deepEqual(await inTime('the end', nangod.ended), { code: 0, signal: null });
    }));

  it('is told to health checks: on the admin address, and on connections that are open', async () =>
    using(async (use) => {
      const world = await held(use, {}, { adminListen: '127.0.0.1:0' });
      const { nangod, echo } = world;
      const open = new http.Agent({ keepAlive: true, maxSockets: 1 });
      assert.equal((await request(nangod.base, 'GET', '/ready', { via: open })).status, 200);
      const calling = world.proxied('none', 'c', '/hold/told');
      await inTime('the call', echo.arrived('told'));
      nangod.signal('SIGTERM');
      const probe = (target) => request(nangod.adminBase, 'GET', target, { via: new http.Agent() });
      await until('the admin address to say so', async () => (await probe('/ready')).status === 503);
      assert.equal((await probe('/health')).status, 200);
      assert.match((await probe('/metrics')).text, /nangod_http_requests_in_flight 1\n/);
      const last = await request(nangod.base, 'GET', '/ready', { via: open });
      assert.equal(last.status, 503);
      assert.equal(last.headers.connection, 'close');
      echo.release('told');
      assert.equal((await calling).status, 200);
      assert.equal((await inTime('the end', nangod.ended)).code, 0);
    }));

  it('a request that came before the signal is answered', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.open(nangod.port);
        client.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
        assert.equal(await client.answer(), 200);
        client.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
        nangod.signal('SIGTERM');
        await inTime('the end', nangod.ended);
        await client.close();
        assert.deepEqual(client.statuses, [200, 200]);
        await nangod.again();
      }
    }));

  it('a call that never ends is given up after the time allowed', async () =>
    using(async (use) => {
      const world = await held(use, { 'http.drain_timeout_s': '0' });
      const { nangod, echo } = world;
      const calling = world.proxied('none', 'c', '/hold/forever').catch((error) => error);
      await inTime('the call', echo.arrived('forever'));
      const { code } = await nangod.stop({ within: 5000 });
      assert.equal(code, 0);
      await calling;
      echo.release('forever');
    }));

  it('past the time allowed only token calls that were sent are waited for, and none is begun', async () =>
    using(async (use) => {
      const world = await use(World.start({ echo: false, integrations: { oauth: 'test-oauth' }, settings: { 'http.drain_timeout_s': '0', 'outbound.threads': '1' } }));
      const { nangod, oauth } = world;
      await world.connect('oauth', 'sent');
      await world.connect('oauth', 'waiting');
      const sent = oauth.script({ hold: true });
      const first = world.get('oauth', 'sent');
      await inTime('the token call', sent.arrived);
      const second = world.get('oauth', 'waiting');
      await until('the second refresh to be begun', async () => /nangod_http_requests_in_flight 3\n/.test((await nangod.api('GET', '/metrics')).text));
      nangod.signal('SIGTERM');
      assert.equal((await inTime('an answer before the token call ends', second)).status, 503);
      assert.equal(nangod.exit, undefined, 'the token call is waited for');
      sent.release();
      await first.catch(() => {});
      assert.equal((await inTime('the end', nangod.ended)).code, 0);
      // What the provider answered is there at the next start.
      await nangod.again();
      const kept = await world.get('oauth', 'sent');
      assert.equal(kept.status, 200, kept.text);
      assert.equal(oauth.calls.length, 1, 'the second was never sent');
    }));

  it('a second signal ends at once', async () =>
    using(async (use) => {
      const world = await held(use);
      const { nangod, echo } = world;
      const calling = world.proxied('none', 'c', '/hold/hurry').catch((error) => error);
      await inTime('the call', echo.arrived('hurry'));
      nangod.signal('SIGTERM');
      await until('no more connections', () => request(nangod.base, 'GET', '/ready', { via: new http.Agent() }).then(() => false, () => true));
      nangod.signal('SIGINT');
      assert.equal((await inTime('the end', nangod.ended)).code, 3);
      assert.match(nangod.log, /second signal/);
      await calling;
      echo.release('hurry');
    }));

  it('SIGINT is the same, and what was written is there at the next start', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'unauthenticated', unique_key: 'kept' } });
      nangod.signal('SIGINT');
      assert.equal((await inTime('the end', nangod.ended)).code, 0);
      await nangod.again();
      await nangod.must(200, 'GET', '/integrations/kept');
    }));
});

describe('health, readiness, figures', () => {
  it('on the public address, without a key', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      for (const probe of ['/health', '/ready']) {
        const answer = await nangod.api('GET', probe, { key: null });
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, { result: 'ok' });
      }
      await nangod.must(200, 'GET', '/connections');
      const figures = await nangod.api('GET', '/metrics', { key: null });
      assert.equal(figures.status, 200);
      assert.match(figures.headers['content-type'], /^text\/plain/);
      assertPrometheus(figures.text);
    }));

  it('on an address of their own, when there is one; the API stays where it was', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start({ adminListen: '127.0.0.1:0' }));
      assert.ok(nangod.log.includes(new URL(nangod.adminBase).host), 'its address is logged');
      for (const probe of ['/health', '/ready', '/metrics']) {
        assert.equal((await request(nangod.adminBase, 'GET', probe)).status, 200, probe);
      }
      assertPrometheus((await request(nangod.adminBase, 'GET', '/metrics')).text);
      assert.equal((await nangod.api('GET', '/metrics')).status, 404, 'no figures for the public');
      for (const probe of ['/health', '/ready']) assert.equal((await nangod.api('GET', probe)).status, 200);
      const stray = await request(nangod.adminBase, 'GET', '/connections', { headers: { Authorization: `Bearer ${nangod.keys.secretKey}` } });
      assert.equal(stray.status, 404, 'no API for the operator');
    }));

  it('proxied requests are counted, timed and logged when they end', async () =>
    using(async (use) => {
      const world = await use(World.start({ oauth: false, integrations: { none: 'test-none' }, settings: { 'log.level': 'debug' } }));
      const { nangod, echo } = world;
      await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'none', connection_id: 'c', credentials: { type: 'NONE' } } });
      const figures = async () => (await nangod.api('GET', '/metrics')).text;
      const counted = (status, n) => until(`${n} ${status}`, async () => (await figures()).includes(`{method="*",route="/proxy/*",status="${status}"} ${n}\n`));
      const logged = (id) => JSON.parse(nangod.log.split('\n').find((line) => line.includes(id) && line.includes('"request"')) ?? '{}');
      const id = (name) => ({ headers: { 'X-Request-Id': name } });

      assert.equal((await world.proxied('none', 'c', '/echo/a', id('whole-1'))).status, 200);
      await counted('2xx', 1);
      assert.equal((await world.proxied('none', 'absent', '/echo/a', id('refused-1'))).status, 400);
      await counted('4xx', 1);
      const leaving = new http.Agent();
      const gone = world.proxied('none', 'c', '/hold/gone', { ...id('gone-1'), via: leaving }).catch((error) => error);
      await inTime('the call', echo.arrived('gone'));
      leaving.destroy();
      await gone;
      await counted('gone', 1);
      echo.release('gone');

      const text = await figures();
      assert.match(text, /nangod_http_request_duration_seconds_count\{kind="proxy"\} 2\n/);
      for (const [name, status, cut] of [['whole-1', 200, false], ['refused-1', 400, false], ['gone-1', 0, true]]) {
        const line = await until(`the line of ${name}`, () => logged(name).event && logged(name));
        assert.deepEqual([line.method, line.route, line.status, line.cut], ['GET', '/proxy/*', status, cut]);
        assert.ok(line.duration_us > 0);
      }
      for (const [, sum] of text.matchAll(/_sum\{[^}]*\} (.*)\n/g)) assert.match(sum, /^\d+\.\d{6}$/, 'to the microsecond');
    }));

  it('malformed requests are counted and logged, without a byte of them', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      for (const [i, bytes] of ['GET /s3cret HTTP/1.1\r\n\r\n', 'GET /s3cret HTTP/3.1\r\nHost: a\r\n\r\n', `GET /${'s3cret'.repeat(9000)}`].entries()) {
        const { text } = await exchange(nangod.port, bytes);
        const id = /\r\nX-Request-Id: (\S+)\r\n/.exec(text)[1];
        await until('the line', () => nangod.log.split('\n').some((line) => line.includes('malformed') && line.includes(id)));
        assert.match((await nangod.api('GET', '/metrics')).text, new RegExp(`nangod_http_refused_total ${i + 1}\\n`));
      }
      assert.ok(!nangod.log.includes('s3cret'));
    }));

  it('every answer carries a request id; a given one is kept', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const one = (await nangod.api('GET', '/connections')).headers['x-request-id'];
      const two = (await nangod.api('GET', '/connections')).headers['x-request-id'];
      assert.ok(one && two && one !== two);
      assert.equal((await nangod.api('GET', '/connections', { headers: { 'X-Request-Id': 'mine-1' } })).headers['x-request-id'], 'mine-1');
    }));
});

function assertPrometheus(text) {
  const names = new Set();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    names.add(sample[1]);
  }
  assert.ok(names.size >= 5, [...names].join(' '));
  for (const name of names) {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    assert.ok(text.includes(`# TYPE ${name} `) || text.includes(`# TYPE ${base} `), `no type for ${name}`);
  }
}

describe('the data directory', () => {
  it('the wrong encryption key is refused, and does no harm', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'unauthenticated', unique_key: 'kept' } });
      await nangod.stop();
      for (const key of [Buffer.alloc(32, 9).toString('base64'), 'too short', '']) {
        const { code, stdout, stderr } = await nangodRun(['serve', '--data', nangod.data, '--listen', '127.0.0.1:0'], { env: { NANGO_ENCRYPTION_KEY: key } });
        // Without one, the key file that is made beside the data is another one.
        assert.equal(code, 2, `with "${key}"`);
        assert.doesNotMatch(stdout, /listening/);
        assert.match(stderr, /key/i);
      }
      await nangod.again();
      await nangod.must(200, 'GET', '/integrations/kept');
    }));

  it('a key file is made when no key is given, for the owner alone, and used again', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start({ env: { NANGO_ENCRYPTION_KEY: undefined } }));
      const at = path.join(nangod.data, 'encryption.key');
      assert.equal(fs.statSync(at).mode & 0o777, 0o600);
      const before = nangod.keys.secretKey;
      await nangod.stop();
      await nangod.again();
      assert.equal((await nangod.readKeys()).secretKey, before);
      assert.equal((await nangod.api('GET', '/connections')).status, 200);
    }));

  it('no key is invented beside secrets: by no command, and not by a server', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const keyless = (words, input) => nangodRun(words, { env: { NANGO_ENCRYPTION_KEY: undefined }, input });
      const at = path.join(nangod.data, 'encryption.key');
      const copy = path.join(scratch('nangod-copy'), 'nango.db');
      for (const words of [['check', '--data', nangod.data], ['backup', '--data', nangod.data, copy]]) {
        const { code, stderr } = await keyless(words);
        assert.equal(code, 0, `${words} needs no key: ${stderr}`);
        assert.ok(!fs.existsSync(at), words[0]);
      }
      for (const words of [['keys', '--data', nangod.data, '--json'], ['variables', '--data', nangod.data, 'set', 'V']]) {
        const { code, stderr } = await keyless(words, 'v');
        assert.equal(code, 2);
        assert.match(stderr, /NANGO_ENCRYPTION_KEY/);
        assert.ok(!fs.existsSync(at), words[0]);
      }
      await nangod.stop();
      const { code, stderr } = await keyless(['serve', '--data', nangod.data, '--listen', '127.0.0.1:0']);
      assert.equal(code, 2);
      assert.match(stderr, /NANGO_ENCRYPTION_KEY/);
      assert.ok(!fs.existsSync(at), 'serve');
      await nangod.again();
      await nangod.must(200, 'GET', '/connections');
    }));

  it('rekey: the secrets open with the new key alone, those of before and those of after', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const rekey = (words, env) => nangodRun(['rekey', '--data', nangod.data, ...words], { env });
      const put = (id) => nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'api', connection_id: id, credentials: { type: 'API_KEY', apiKey: `key of ${id}` } } });
      const apiKey = async (id) => (await nangod.must(200, 'GET', `/connections/${id}?provider_config_key=api`)).credentials.apiKey;
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'api' } });
      await put('before');
      const dir = scratch('nangod-keys');
      const [given, made] = [path.join(dir, 'given'), path.join(dir, 'made')];
      fs.writeFileSync(given, Buffer.alloc(32, 8).toString('hex'), { mode: 0o600 });
      assert.match((await rekey(['--new-key-file', given])).stderr, /another nangod/);
      await nangod.stop();

      for (const [words, env, said, ended] of [
        [['--new-key-file', given], { NANGO_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64') }, /do not open with this encryption key/, 2],
        [['--new-key-file', given], { NANGO_ENCRYPTION_KEY: undefined }, /is not given/, 2],
        [['--new-key-file', path.join(dir, 'nowhere')], {}, /no encryption key file/, 1],
        [['--generate', given], {}, /there already/, 1],
        [[], {}, /new key/, 1],
      ]) {
        const { code, stderr } = await rekey(words, env);
        assert.equal(code, ended, stderr);
        assert.match(stderr, said);
      }
      assert.equal((await rekey(['--new-key-file', given, '--generate', made])).code, 2);
      assert.notEqual((await nangodRun(['rekey', '--data', dir, '--generate', made])).code, 0);
      assert.deepEqual(fs.readdirSync(dir), ['given'], 'nothing is made where there is no database');

      const run = await rekey(['--new-key-file', given]);
      assert.equal(run.code, 0, run.stderr);
      const old = await nangodRun(['serve', '--data', nangod.data, '--listen', '127.0.0.1:0']);
      assert.notEqual(old.code, 0);
      assert.match(old.stderr, /do not open with this encryption key/);
      nangod.env = { NANGO_ENCRYPTION_KEY: undefined, NANGOD_VAULT_KEY_FILE: given };
      await nangod.again();
      assert.equal(await apiKey('before'), 'key of before');
      await put('between');
      assert.equal((await nangod.readKeys()).secretKey, nangod.keys.secretKey);
      await nangod.stop();

      assert.match((await rekey(['--new-key-file', given], nangod.env)).stderr, /is the old one/);
      assert.equal((await rekey(['--generate', made], nangod.env)).code, 0);
      assert.equal(fs.statSync(made).mode & 0o777, 0o600);
      nangod.env = { NANGO_ENCRYPTION_KEY: undefined, NANGOD_VAULT_KEY_FILE: made };
      await nangod.again();
      assert.deepEqual([await apiKey('before'), await apiKey('between')], ['key of before', 'key of between']);
      await put('after');
      assert.equal(await apiKey('after'), 'key of after');
    }));

  it('a second server on it is refused while the first runs', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const { code, stdout, stderr } = await nangodRun(['serve', '--data', nangod.data, '--listen', '127.0.0.1:0']);
      assert.equal(code, 1, stderr);
      assert.doesNotMatch(stdout, /listening/);
      assert.ok(stderr.includes(nangod.data) || /another|already|in use/i.test(stderr), stderr);
      assert.equal((await nangod.api('GET', '/connections')).status, 200);
    }));

  it('a port that is taken is refused', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const { code, stdout, stderr } = await nangodRun(['serve', '--data', scratch(), '--listen', `127.0.0.1:${nangod.port}`]);
      assert.notEqual(code, 0);
      assert.doesNotMatch(stdout, /listening/);
      assert.match(stderr, new RegExp(`${nangod.port}|in use`));
    }));

  it('files are for the owner alone', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      for (const name of fs.readdirSync(nangod.data)) {
        assert.equal(fs.statSync(path.join(nangod.data, name)).mode & 0o077, 0, name);
      }
    }));

  it('environments are apart', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const prod = await nangod.readKeys('prod');
      assert.notEqual(prod.secretKey, nangod.keys.secretKey);
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'unauthenticated', unique_key: 'mine' } });
      await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'mine', connection_id: 'c', credentials: { type: 'NONE' } } });
      const asProd = (method, target, options) => nangod.api(method, target, { key: prod.secretKey, ...options });
      assert.equal((await asProd('GET', '/integrations/mine')).status, 404);
      assert.equal((await asProd('GET', '/connections/c?provider_config_key=mine')).status, 400);
      assert.deepEqual((await asProd('GET', '/connections')).body, { connections: [] });
      await nangod.variables(['--environment', 'prod', 'set', 'V'], 'of prod');
      assert.deepEqual((await nangod.api('GET', '/environment-variables')).body, []);
      assert.deepEqual((await asProd('GET', '/environment-variables')).body, [{ name: 'V', value: 'of prod' }]);
    }));
});

describe('commands beside a running server', () => {
  it('keys: as JSON, and the secret alone', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      const keys = await nangod.readKeys();
      assert.deepEqual(Object.keys(keys).sort(), ['environment', 'publicKey', 'secretKey', 'uuid']);
      assert.equal(keys.environment, 'dev');
      for (const name of ['uuid', 'secretKey', 'publicKey']) assert.match(keys[name], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const alone = await nangodRun(['keys', '--data', nangod.data, '--secret']);
      assert.equal(alone.stdout.trim(), keys.secretKey);
      const unknown = await nangodRun(['keys', '--data', nangod.data, '--environment', 'nope', '--json']);
      assert.equal(unknown.code, 1);
      assert.equal(unknown.stdout, '');
      const nowhere = await nangodRun(['keys', '--data', path.join(nangod.data, 'nowhere'), '--json']);
      assert.notEqual(nowhere.code, 0);
    }));

  it('variables: set, list, delete; the server sees them at once', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      await nangod.setVariable('TOKEN', 'one');
      await nangod.setVariable('TOKEN', 'two\nlines');
      await nangod.setVariable('OTHER', '');
      const seen = async () => (await nangod.api('GET', '/environment-variables')).body;
      assert.deepEqual(await seen(), [{ name: 'OTHER', value: '' }, { name: 'TOKEN', value: 'two\nlines' }]);
      assert.equal(await nangod.variables(['list']), 'OTHER\nTOKEN\n');
      await nangod.variables(['delete', 'OTHER']);
      assert.deepEqual((await seen()).map(({ name }) => name), ['TOKEN']);
      await assert.rejects(nangod.variables(['delete', 'OTHER']), /no variable/);
    }));

  it('check: sound while it runs; damage is found', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      for (let i = 0; i < 50; i++) await nangod.must(200, 'POST', '/integrations', { body: { provider: 'unauthenticated', unique_key: `i${i}` } });
      const sound = await nangodRun(['check', '--data', nangod.data]);
      assert.equal(sound.code, 0, sound.stderr);
      await nangod.stop();
      const at = path.join(nangod.data, 'nango.db');
      const bytes = fs.readFileSync(at);
      bytes.fill(0xa5, Math.floor(bytes.length / 2)); // one page alone may be one that nothing is kept in
      fs.writeFileSync(at, bytes);
      const damaged = await nangodRun(['check', '--data', nangod.data]);
      assert.notEqual(damaged.code, 0);
      assert.notEqual(damaged.stderr, '');
    }));

  it('backup: taken under writes, it is whole and can be served', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'api' } });
      const put = (id) => nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'api', connection_id: id, credentials: { type: 'API_KEY', apiKey: `key of ${id}` } } });
      await put('first');
      let writing = true;
      const writes = (async () => {
        for (let i = 0; writing; i++) await put(`while-${i}`);
      })();
      const data = scratch('nangod-restored');
      const target = path.join(data, 'nango.db');
      const { code, stderr } = await nangodRun(['backup', '--data', nangod.data, target]);
      writing = false;
      await writes;
      assert.equal(code, 0, stderr);
      assert.equal(fs.statSync(target).mode & 0o077, 0, 'for the owner alone');
      const itself = await nangodRun(['backup', '--data', nangod.data, path.join(nangod.data, 'nango.db')]);
      assert.notEqual(itself.code, 0, 'never onto the live database');
      await put('still alive');

      const restored = await use(Daemon.start({ data }));
      assert.equal(restored.keys.secretKey, nangod.keys.secretKey);
      const { credentials } = await restored.must(200, 'GET', '/connections/first?provider_config_key=api');
      assert.equal(credentials.apiKey, 'key of first');
      assert.equal((await nangodRun(['check', '--data', data])).code, 0);
    }));

  it('restore: after a kill, the backup is served, and nothing of what came later', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start());
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'api' } });
      const put = (id) => nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'api', connection_id: id, credentials: { type: 'API_KEY', apiKey: `key of ${id}` } } });
      const restore = (from) => nangodRun(['restore', '--data', nangod.data, from], { env: { NANGO_ENCRYPTION_KEY: undefined } });
      const ids = async () => (await nangod.must(200, 'GET', '/connections')).connections.map((c) => c.connection_id).sort();
      await put('before');
      const backup = path.join(scratch('nangod-backup'), 'nango.db');
      assert.equal((await nangodRun(['backup', '--data', nangod.data, backup])).code, 0);
      await Promise.all(Array.from({ length: 50 }, (_, i) => put(`after-${i}`)));
      const beside = await restore(backup);
      assert.equal(beside.code, 1);
      assert.match(beside.stderr, /another nangod/);
      await nangod.kill();
      assert.ok(fs.statSync(path.join(nangod.data, 'nango.db-wal')).size > 0, 'the log that must not be played into the backup');
      const broken = path.join(scratch('nangod-backup'), 'broken.db');
      fs.writeFileSync(broken, fs.readFileSync(backup).fill(0xa5, 8192, 12288));
      assert.match((await restore(broken)).stderr, /damaged/);

      const { code, stderr } = await restore(backup);
      assert.equal(code, 0, stderr);
      await nangod.again();
      assert.deepEqual(await ids(), ['before']);
      const { credentials } = await nangod.must(200, 'GET', '/connections/before?provider_config_key=api');
      assert.equal(credentials.apiKey, 'key of before');
      await put('since');
      assert.equal((await nangodRun(['check', '--data', nangod.data])).code, 0);
      await nangod.stop();
      assert.match((await restore(backup)).stderr, /before-restore/);
      const kept = path.join(nangod.data, 'nango.db.before-restore');
      assert.ok(fs.existsSync(kept));
      await nangod.again();
      assert.deepEqual(await ids(), ['before', 'since']);
    }));

  it('catalog: the built-in one is sound, and lists itself', async () => {
    const { code, stdout, stderr } = await nangodRun(['catalog', 'list', '--json']);
    assert.equal(code, 0, stderr);
    assert.ok(JSON.parse(stdout));
    assert.equal((await nangodRun(['catalog', 'check'])).code, 0);
  });

  it('version and help', async () => {
    assert.match((await nangodRun(['--version'])).stdout, /^nangod \d+\.\d+\.\d+/);
    const help = await nangodRun(['--help']);
    assert.equal(help.code, 0);
    for (const command of ['serve', 'keys', 'environments', 'variables', 'check', 'backup', 'restore', 'rekey']) assert.ok(help.stdout.includes(command), command);
    assert.ok(fs.existsSync(binary));
  });
});

describe('the demo provider', () => {
  it('sends people to callbacks on this machine only', async () =>
    using(async (use) => {
      const nangod = await use(Daemon.start({ args: ['--demo'] }));
      const begun = await nangod.api('GET', `/oauth/connect/demo?public_key=${nangod.keys.publicKey}&connection_id=demo-account`, { key: null });
      const authorize = new URL(begun.headers.location);
      const visit = (page, change = {}) => {
        const url = new URL(page, authorize);
        for (const [name, value] of [...authorize.searchParams, ...Object.entries(change)]) url.searchParams.set(name, value);
        return request(url.origin, 'GET', url.pathname + url.search);
      };
      const callback = authorize.searchParams.get('redirect_uri');
      for (const bad of ['http://example.com/', 'https://127.0.0.1.example.com/', 'http://127.0.0.1:80@example.com/', 'http://127.0.0.1\\@example.com/', 'http://localhost.example.com', 'ftp://127.0.0.1/', 'http:example.com://127.0.0.1/', '//127.0.0.1/', '']) {
        for (const page of ['/authorize', '/decide?answer=allow', '/decide?answer=deny']) {
          const answer = await visit(page, { redirect_uri: bad });
          assert.equal(answer.status, 400, `${page} ${bad}`);
          assert.equal(answer.headers.location, undefined);
        }
      }
      assert.equal((await visit('/decide?answer=allow', { client_id: 'another' })).status, 400);
      for (const good of [callback, 'http://localhost/', 'http://[::1]:3003/x?y=z']) assert.equal((await visit('/authorize', { redirect_uri: good })).status, 200, good);
      const allowed = await visit('/decide?answer=allow');
      assert.equal(allowed.status, 302);
      assert.ok(allowed.headers.location.startsWith(callback));
    }));
});

// Where `texts` lie in the memory of a process. Undefined when that cannot be told: only root may read
// it, and a sanitizer, known by its huge shadow, keeps what was freed.
function findInMemory(pid, texts) {
  let mem;
  try {
    mem = fs.openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return undefined;
  }
  const found = [];
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to, name] = /^([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (!from) continue;
    if (Number.parseInt(to, 16) - Number.parseInt(from, 16) > 1 << 30) return undefined;
    for (let at = Number.parseInt(from, 16), end = Number.parseInt(to, 16); at < end; at += 1 << 24) {
      const piece = Buffer.alloc(Math.min(end - at, 1 << 24));
      try {
        fs.readSync(mem, piece, 0, piece.length, at);
      } catch {
        continue; // a guard page
      }
      for (const text of texts) if (piece.includes(text)) found.push(`${text} in ${name || 'anonymous memory'}`);
    }
  }
  fs.closeSync(mem);
  return found;
}

describe('secrets', () => {
  const key = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');

  for (const [how, options] of [
    ['in the environment', { env: { NANGO_ENCRYPTION_KEY: key } }],
    ['in a file of settings', { env: { NANGO_ENCRYPTION_KEY: undefined }, config: file(`vault.key = ${key}\n`) }],
  ]) {
    it(`the encryption key given ${how} is forgotten once it was used, and a reload takes it for the same`, async (t) =>
      using(async (use) => {
        const nangod = new Daemon(options);
        nangod.keys = {}; // `nangod keys` would need the key once more
        await nangod.up();
        await use(nangod);
        const proc = (name) => fs.readFileSync(`/proc/${nangod.child.pid}/${name}`, 'latin1');
        nangod.signal('SIGHUP');
        await until('the reload', () => /reloaded/.test(nangod.log));
        assert.doesNotMatch(nangod.log, /restart/);
        const found = findInMemory(nangod.child.pid, [key, '0123456789abcdefghijklmnopqrstuv']);
        if (!found) return t.skip('its memory cannot be searched');
        assert.deepEqual(found, []);
        assert.ok(!proc('environ').includes(key));
        assert.ok(!proc('cmdline').includes(key));
      }));
  }

  it('of a request, an answer and a token call do not stay in memory', async (t) =>
    using(async (use) => {
      const world = await use(World.start({ integrations: { oauth: 'test-oauth', key: 'test-key' } }));
      const { nangod } = world;
      const apiKey = `s3cret-${Math.random().toString(36).slice(2)}`;
      const large = `s3cret-${Math.random().toString(36).slice(2)}`;
      for (const [id, more] of [[apiKey, ''], [large, 'x'.repeat(300_000)]]) {
        await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: `c${more.length}`, credentials: { type: 'API_KEY', apiKey: id }, metadata: { more } } });
        await world.get('key', `c${more.length}`);
      }
      const { data } = await nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
      const grant = await world.connect('oauth', 'o');
      const fresh = (await world.get('oauth', 'o', '&refresh_token=true')).body.credentials;
      const found = findInMemory(nangod.child.pid, [apiKey, large, data.token, grant.refresh_token, fresh.refresh_token, fresh.access_token]);
      if (!found) return t.skip('its memory cannot be searched');
      assert.deepEqual(found, []);
    }));

  it('are in no log and in no file, whatever happened to them', async () =>
    using(async (use) => {
      const world = await use(World.start({
        integrations: { oauth: 'test-oauth', key: 'test-key', verified: 'test-key-verified', basic: 'test-basic' },
        settings: { 'log.level': 'debug' },
      }));
      const { nangod, oauth } = world;
      const secrets = new Map([['client secret', client.secret], ['secret key', nangod.keys.secretKey]]);
      const secret = (what) => {
        const value = `s3cret-${what}-${Math.random().toString(36).slice(2)}`.replaceAll(' ', '-');
        secrets.set(what, value);
        return value;
      };
      const post = (target, body, options = {}) => nangod.api('POST', target, { body, ...options });
      const put = (key, id, credentials, more) => post('/connections', { provider_config_key: key, connection_id: id, credentials, ...more });

      // written, read, refreshed, proxied
      await put('key', 'k', { type: 'API_KEY', apiKey: secret('api key') }, { connection_config: { hidden: secret('connection config') } });
      await put('basic', 'b', { type: 'BASIC', username: 'u', password: secret('password') });
      await world.connect('oauth', 'o');
      await world.get('oauth', 'o', '&refresh_token=true');
      await world.proxied('oauth', 'o');
      await world.proxied('key', 'k', '/echo/a?x=1', { headers: { 'Nango-Proxy-X-Token': secret('forwarded header') } });
      await world.proxied('basic', 'b', '/echo/a');
      await nangod.setVariable('V', secret('variable'));
      await nangod.api('GET', '/environment-variables');
      // refused
      await put('verified', 'v', { type: 'API_KEY', apiKey: secret('refused api key') });
      await put('key', 'x', { type: 'API_KEY', apiKey: secret('misplaced api key'), extra: 1 });
      await post('/connections', `{"apiKey": "${secret('key in broken JSON')}"`, { headers: { 'Content-Type': 'application/json' } });
      await nangod.api('GET', `/connections?apiKey=${secret('key in a query')}`);
      await nangod.api('GET', '/connections', { key: secret('wrong bearer') });
      const refused = await world.connect('oauth', 'refused');
      oauth.script({ status: 400, body: { error: 'invalid_grant', error_description: `${refused.refresh_token} is not of ${client.secret}` } });
      await world.get('oauth', 'refused');
      // through the browser
      const session = async () => {
        const { data } = await nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
        secrets.set(`session token ${secrets.size}`, data.token);
        return data.token;
      };
      const browser = new Browser();
      const login = await browser.open(`${nangod.base}/oauth/connect/oauth?connect_session_token=${await session()}`);
      const consent = await browser.submit(login, { login: 'u', password: 'x' });
      const end = await browser.submit(consent, {});
      assert.equal(end.status, 200, end.text);
      secrets.set('authorization code', new URL(end.url).searchParams.get('code'));
      secrets.set('state', new URL(end.url).searchParams.get('state'));
      await browser.visit(end.url); // refused now
      await post(`/api-auth/api-key/key?connect_session_token=${await session()}`, { apiKey: secret('api key from the browser') }, { key: null });
      await post(`/api-auth/api-key/key?connect_session_token=${await session()}&hmac=${secret('hmac')}`, { apikey: secret('misspelt api key') }, { key: null });
      await nangod.api('GET', '/connections?connectionId=k');
      await nangod.stop();

      for (const [i, token] of [...oauth.issued].entries()) secrets.set(`token ${i}`, token);
      const places = new Map([['the log', Buffer.from(nangod.log)]]);
      for (const name of fs.readdirSync(nangod.data)) places.set(name, fs.readFileSync(path.join(nangod.data, name)));
      assert.ok(nangod.log.length > 1000, 'there was something to look through');
      assert.ok([...places.keys()].some((name) => name.endsWith('.db')));
      const found = [];
      for (const [place, bytes] of places) {
        for (const [what, value] of secrets) {
          for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64').slice(0, -4)]) {
            if (bytes.includes(form)) found.push(`${what} in ${place}`);
          }
        }
      }
      assert.deepEqual(found, []);
    }));
});
