// SPDX-License-Identifier: Apache-2.0
// Bodies of deploys, as the command lines post them, with little in them.

import fs from 'node:fs';
import path from 'node:path';

import { besideRun, scratch } from './daemon.mjs';

export const js = 'exports.default = async () => ({ ok: true });\n';
export const ts = 'export default async function () { return { ok: true }; }\n';

// A source map that says of every line of the code that it is the same one of `file`.
export const mapped = (code, file) => {
  const mappings = code.split('\n').map((_, i) => (i === 0 ? 'AAAA' : 'AACA')).join(';');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources: [file], names: [], mappings })).toString('base64')}\n`;
};

const definitions = {
  In: { type: 'object', properties: { mode: { type: 'string' } }, required: ['mode'] },
  Out: { type: 'object', properties: { ok: { type: 'boolean' } } },
  Item: { type: 'object', properties: { id: { type: 'string' }, owner: { $ref: '#/definitions/Owner' } }, required: ['id'] },
  Owner: { type: 'object', properties: { name: { type: 'string' } } },
};
export const jsonSchema = { $schema: 'http://json-schema.org/draft-07/schema#', definitions };

export const action = (providerConfigKey, syncName, more = {}) => ({
  type: 'action',
  syncName,
  providerConfigKey,
  models: ['Out'],
  input: 'In',
  runs: null,
  fileBody: { js, ts },
  endpoints: [{ method: 'POST', path: `/${syncName}` }],
  metadata: { description: 'An action', scopes: ['a:b'] },
  track_deletes: false,
  ...more,
});

export const sync = (providerConfigKey, syncName, more = {}) => ({
  type: 'sync',
  syncName,
  providerConfigKey,
  models: ['Item'],
  runs: 'every hour',
  auto_start: true,
  sync_type: 'full',
  track_deletes: false,
  fileBody: { js, ts },
  endpoints: [{ method: 'GET', path: `/${syncName}` }],
  metadata: { description: 'A sync' },
  ...more,
});

// `scripts`: name → its event, or [event, code].
export const onEvents = (providerConfigKey, scripts) => ({
  providerConfigKey,
  scripts: Object.entries(scripts).map(([name, what]) => {
    const [event, code = js] = [what].flat();
    return { name, event, fileBody: { js: code, ts } };
  }),
});

// `nangoctl dryrun` of a script's text: what it prints, as JSON.
export async function dryrun(text, { kind = 'action', fixture = {}, integration = 'github', now, input } = {}) {
  const dir = scratch('dryrun');
  try {
    fs.writeFileSync(path.join(dir, 'script.cjs'), text);
    fs.writeFileSync(path.join(dir, 'fixture.json'), JSON.stringify(fixture));
    const args = ['dryrun', '--script', path.join(dir, 'script.cjs'), '--fixture', path.join(dir, 'fixture.json'), '--kind', kind, '--integration', integration, '--name', 'script'];
    const { code, stdout, stderr } = await besideRun('nangoctl', [...args, ...(now ? ['--now', now] : [])], { input });
    if (code !== 0) throw new Error(`nangoctl ended with ${code}: ${stderr}`);
    return JSON.parse(stdout.trimEnd().split('\n').at(-1));
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

// The answer to who asks for an asynchronous action, once it is over.
export async function outcome(nangod, id) {
  for (;;) {
    const answer = await nangod.api('GET', `/action/${id}`);
    if (answer.status !== 404) return answer;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

export const confirmation = (flowConfigs, more = {}) => ({ flowConfigs, jsonSchema, reconcile: false, debug: false, sdkVersion: '0.71.10-yaml', ...more });
export const deploy = (flowConfigs, more = {}) => ({ ...confirmation(flowConfigs), nangoYamlBody: '', ...more });
