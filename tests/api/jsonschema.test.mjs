// SPDX-License-Identifier: Apache-2.0
// The validator (src/jsonschema) beside the official server's, ajv: the same verdicts and the same errors in the
// same order, for schemas with each keyword and values of each kind. With JSON_SCHEMA_TEST_SUITE=DIR, a checkout of
// the official test suite, it is also run on that.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import ajvModule from 'ajv';
import formatsModule from 'ajv-formats';

import { binary } from './lib/daemon.mjs';

const Ajv = ajvModule.default ?? ajvModule;
const addFormats = formatsModule.default ?? formatsModule;

function ours(cases) {
  const input = cases.map(({ schema, name, value }) => `${JSON.stringify({ schema, name, value })}\n`).join('');
  const { status, stdout, stderr } = spawnSync(path.join(path.dirname(binary), 'tests/unit/jsonschema/jsonschema-lines'), { input, maxBuffer: 1 << 28 });
  assert.equal(status, 0, String(stderr));
  return stdout.toString().trim().split('\n').map((line) => JSON.parse(line));
}

function theirs({ schema, value }) {
  const ajv = new Ajv({ allErrors: true, strict: false, logger: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  return validate(value) ? { valid: true } : { valid: false, errors: validate.errors };
}

const schemas = [
  { type: 'string' }, { type: ['string', 'null'] }, { type: 'integer' }, { type: 'number', minimum: 3, maximum: 4 }, { type: 'boolean' },
  { type: 'null' }, { type: 'string', nullable: true }, { type: 'string', minLength: 2, maxLength: 3, pattern: '^a+$' }, { pattern: '^\\p{L}\\d+$' },
  { exclusiveMinimum: 3, exclusiveMaximum: 4 }, { multipleOf: 0.01 }, { multipleOf: 3 }, { const: { a: [1, 2] } }, { enum: ['a', 1, null, [1]] },
  { not: { type: 'string' } }, { anyOf: [{ type: 'string', maxLength: 1 }, { type: 'number', minimum: 5 }] }, { oneOf: [{ minimum: 3 }, { multipleOf: 3 }, { type: 'string' }] },
  { allOf: [{ minimum: 3 }, { maximum: 2 }, { type: 'number' }] }, { if: { type: 'number' }, then: { minimum: 5 }, else: { type: 'string' } }, { if: true, then: false },
  { type: 'array', minItems: 2, maxItems: 3, items: { type: 'number' } }, { uniqueItems: true }, { uniqueItems: true, items: { type: 'integer' } },
  { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false }, { items: [{ type: 'string' }], additionalItems: { type: 'number' } },
  { contains: { type: 'number', minimum: 3 } }, { contains: true }, { items: false },
  { type: 'object', minProperties: 2, maxProperties: 2, required: ['a', 'b'], properties: { a: { type: 'string' }, b: { type: 'object', required: ['c'] } } },
  { type: 'object', properties: { a: {} }, additionalProperties: false }, { additionalProperties: { type: 'number' }, patternProperties: { '^x': { type: 'string' }, y$: { minLength: 2 } } },
  { propertyNames: { maxLength: 2, pattern: '^[a-z]' } }, { dependencies: { a: ['b', 'c'], b: { required: ['d'] } } }, { dependencies: { a: ['z'] } },
  { properties: { 'a/b': { type: 'string' }, 'c~d': { type: 'number' }, 'e f': { items: { type: 'string' } } } }, false, true, {},
  { definitions: { In: { type: 'object', properties: { next: { $ref: '#/definitions/In' }, own: { $ref: '#/definitions/Own' } } }, Own: { type: 'string' } }, $ref: '#/definitions/In' },
  { definitions: { Own: { type: 'string', minLength: 3 } }, properties: { a: { $ref: '#/definitions/Own' }, b: { items: { $ref: '#/definitions/Own' } } } },
  { $id: 'https://example.com/root.json', definitions: { a: { $id: '#named', type: 'number' } }, properties: { a: { $ref: '#named' } } },
  { properties: { b: { anyOf: [{ $ref: '#' }, { type: 'null' }] }, a: { type: 'string' } }, additionalProperties: false },
  ...['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'url', 'uuid', 'json-pointer', 'relative-json-pointer', 'byte', 'int32', 'int64', 'regex'].map((format) => ({ format })),
];
const values = [
  null, true, false, 0, 1, 3, 3.14, 4, 5, 6, -1, 2.5, 1e10, '', 'a', 'aa', 'aaaa', 'é1', '😀😀', 'secret', [], [1], [1, 2], [1, 1], [1, 'a', 1, 'a'], ['a', 1], ['a', 1, 2], [[1], [1]], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [1, 2, 3, 4],
  {}, { a: 1 }, { a: 'x' }, { a: [1, 2] }, { a: 'x', b: {} }, { a: 'x', b: { c: 1 } }, { a: 1, b: 2, c: 3 }, { x1: 1, y: 'a', xy: 'b', other: 'c' }, { abc: 1, A: 2 },
  { 'a/b': 1, 'c~d': 'x', 'e f': [1, 'a'] }, { next: { next: { own: 1 } }, own: 'a' }, { a: 'ab', b: ['abc', 'a', 3] }, { b: { b: { a: 1 } } }, { b: null, a: 'x' },
  '2026-02-29', '2024-02-29', '12:30:00Z', '25:00:00Z', '2026-01-31T12:30:00.5+01:00', '2026-01-31 12:30:00Z', '2026-01-31T12:30:00', 'P1DT2H', 'P', 'P1W', 'a@b.co', 'a@b', '.a@b.co', 'example.com', '-a.com',
  '127.0.0.1', '127.0.0.256', '::1', '::g', 'https://example.com/a?b#c', '/a/b', 'http://a b', 'ftp://example.com', '123e4567-e89b-12d3-a456-426614174000', '123e4567', '/a~1b', '/a~2', '1/a', '0#', 'aGVsbG8=', 'aGVsbG8', 2147483648, 1.5, '[', 'a|b',
];

// Where the standards are kept to that the official validator is generous about: RFC 3339 wants a zone, RFC 3986 no colon
// in the first segment of a relative path.
const stricter = new Set(['date-time 2026-01-31T12:30:00', ...['::1', '::g', '12:30:00Z', '25:00:00Z', '2026-01-31T12:30:00', '2026-01-31T12:30:00.5+01:00'].map((text) => `uri-reference ${text}`)]);

describe('JSON schemas, beside the official validator', () => {
  const cases = schemas.flatMap((schema) => values.map((value) => ({ schema, value })));
  const answers = ours(cases);

  it('has as many answers as questions', () => {
    assert.equal(answers.length, cases.length);
    assert.ok(cases.length > 4000);
  });

  for (const schema of schemas)
    it(JSON.stringify(schema).slice(0, 100), () => {
      cases.forEach((one, i) => {
        if (one.schema === schema && !stricter.has(`${schema.format} ${one.value}`)) assert.deepEqual(answers[i], theirs(one), JSON.stringify(one.value));
      });
    });

  it('a definition is compared by its name', () => {
    const schema = { definitions: { In: { type: 'object', required: ['mode'], properties: { mode: { $ref: '#/definitions/Mode' } } }, Mode: { enum: ['a', 'b'] } } };
    for (const value of [{}, { mode: 'c' }, 5, { mode: 'a' }]) {
      const [mine] = ours([{ schema, name: 'In', value }]);
      const want = theirs({ schema: { ...schema, $ref: '#/definitions/In' }, value });
      // Theirs tells of a root that is a reference by paths within what it leads to.
      const places = want.errors?.map((error) => ({ ...error, schemaPath: error.schemaPath.replace(/^#\/(?!definitions\/)/, '#/definitions/In/') }));
      assert.deepEqual(mine, want.valid ? want : { valid: false, errors: places });
    }
  });
});

const suite = process.env.JSON_SCHEMA_TEST_SUITE;
describe('the official test suite', { skip: suite === undefined && 'JSON_SCHEMA_TEST_SUITE is not set: a checkout of JSON-Schema-Test-Suite' }, () => {
  const dir = path.join(suite ?? '', 'tests/draft7');
  // What is asked for elsewhere: other documents, which are not fetched; and U+0000, which no JSON here may have.
  const excused = ({ group, test }, { refused, bad }) => /leads to nothing in the schema/.test(refused ?? '') || /U\+0000/.test(bad ?? '') || /nul/i.test(`${group} ${test}`);
  for (const file of suite === undefined ? [] : fs.readdirSync(dir).filter((name) => name.endsWith('.json')))
    it(file, () => {
      const cases = JSON.parse(fs.readFileSync(path.join(dir, file), 'utf8')).flatMap(({ description: group, schema, tests }) => tests.map(({ description: test, data: value, valid }) => ({ group, test, schema, value, valid })));
      ours(cases).forEach((answer, i) => {
        if (!excused(cases[i], answer)) assert.equal(answer.valid, cases[i].valid, `${cases[i].group}: ${cases[i].test}: ${JSON.stringify(answer)}`);
      });
    });
});
