#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs the public integration templates through `nangoctl dryrun` and compares with what was recorded.
//   run.mjs --templates DIR [--list FILE] [--only INTEGRATION[/NAME]] [--jobs N] [--work DIR] [--verbose]
// Exit status 0: at least 99.5 % of the cases passed.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readTest } from './cases.mjs';

const TARGET = 0.995;
const LIMIT_MS = 20_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
    options: {
        templates: { type: 'string' },
        list: { type: 'string', default: path.join(here, 'visible.txt') },
        only: { type: 'string' },
        jobs: { type: 'string', default: '2' },
        work: { type: 'string' },
        nangoctl: { type: 'string', default: path.join(here, '../../build/nangoctl') },
        verbose: { type: 'boolean', default: false }
    }
});
if (!options.templates || !existsSync(path.join(options.templates, 'integrations'))) {
    console.error('usage: run.mjs --templates DIR: a checkout of the integration templates');
    process.exit(2);
}
const root = path.join(path.resolve(options.templates), 'integrations');
const work = options.work ?? mkdtempSync(path.join(os.tmpdir(), 'conformance-'));
const [onlyIntegration, onlyName] = (options.only ?? '').split('/');

function esbuild(files, outdir, extra, cwd) {
    if (files.length > 0) {
        execFileSync('esbuild', [...files, `--outdir=${outdir}`, '--format=cjs', '--platform=node', '--target=esnext', '--log-level=error', ...extra], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
    }
}

function filesIn(dir, end) {
    return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(end)).map((name) => path.join(dir, name)) : [];
}

// JSON equality: members in any order, numbers by value, undefined = absent.
function same(a, b) {
    if (a === b) {
        return true;
    }
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) {
        return false;
    }
    const [x, y] = [Object.keys(a), Object.keys(b)];
    return x.length === y.length && x.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

function firstDifference(a, b, where = '') {
    if (same(a, b)) {
        return undefined;
    }
    if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
        for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
            const found = firstDifference(a[key], b[key], `${where}/${key}`);
            if (found !== undefined) {
                return found;
            }
        }
    }
    const text = (value) => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
    return `${where || '/'}: ${text(a)} instead of ${text(b)}`;
}

// undefined = passed.
function judge(test, result) {
    if (test.throws) {
        return result.status === 'error' ? undefined : 'the script should throw';
    }
    if (result.status !== 'ok') {
        return `${result.error?.type}: ${result.error?.message}`;
    }
    if (test.kind === 'action') {
        return firstDifference(result.output ?? null, test.expected.output ?? null);
    }
    for (const model of test.models) {
        const wanted = test.expected.batchSave?.[model];
        const got = result.batchSave?.[model] ?? [];
        if (wanted !== undefined && !same(got, wanted)) {
            return `${model} ${firstDifference(got, wanted)}`;
        }
        const deleted = test.expected.batchDelete?.[model] ?? [];
        if (deleted.length > 0 && !same(result.batchDelete?.[model] ?? [], deleted)) {
            return `deleted ${model} ${firstDifference(result.batchDelete?.[model] ?? [], deleted)}`;
        }
    }
    return undefined;
}

function run(test) {
    const args = ['dryrun', '--script', test.bundle, '--fixture', test.recording, '--kind', test.kind, '--integration', test.integration, '--name', test.name];
    if (test.now !== undefined) {
        args.push('--now', test.now);
    }
    return new Promise((resolve) => {
        const from = performance.now();
        execFile(options.nangoctl, args, { maxBuffer: 1 << 28, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
            const ms = performance.now() - from;
            if (error) {
                resolve({ ms, fault: `exit ${error.code ?? error.signal}` });
                return;
            }
            try {
                const result = JSON.parse(stdout.trimEnd().split('\n').at(-1));
                resolve({ ms, result, fault: judge(test, result) });
            } catch (parseError) {
                resolve({ ms, fault: `prints no JSON: ${parseError.message}` });
            }
        });
    });
}

// A test file may leave a promise of a stand-in behind.
process.on('unhandledRejection', () => {});

const tests = [];
const leftOut = [];
const seen = new Set();
const integrations = readFileSync(options.list, 'utf8').split('\n').map((line) => line.trim()).filter(Boolean);
for (const integration of integrations) {
    const dir = path.join(root, integration);
    // Some names are links to another's directory, and count as that one.
    if ((onlyIntegration && integration !== onlyIntegration) || !existsSync(dir) || seen.has(realpathSync(dir))) {
        continue;
    }
    seen.add(realpathSync(dir));
    const out = path.join(work, integration);
    const testFiles = filesIn(path.join(dir, 'tests'), '.test.ts');
    mkdirSync(out, { recursive: true });
    esbuild(testFiles, path.join(out, 'tests'), ['--supported:dynamic-import=false'], dir);
    esbuild([...filesIn(path.join(dir, 'actions'), '.ts'), ...filesIn(path.join(dir, 'syncs'), '.ts')].map((file) => path.relative(dir, file)), out, ['--bundle', '--packages=external', '--outbase=.', '--out-extension:.js=.cjs'], dir);
    for (const file of testFiles) {
        const code = readFileSync(path.join(out, 'tests', path.basename(file).replace(/\.ts$/, '.js')), 'utf8');
        const test = await readTest(file, code);
        if (test.reason !== undefined) {
            leftOut.push(`${path.relative(root, file)}: ${test.reason}`);
            continue;
        }
        if (onlyName && test.name !== onlyName) {
            continue;
        }
        test.integration = integration;
        test.bundle = path.join(out, `${path.relative(dir, test.script)}.cjs`);
        test.recording = path.join(out, `${path.basename(file, '.test.ts')}.json`);
        // With white space and escapes, as other tools write it.
        writeFileSync(test.recording, JSON.stringify(test.fixture, null, 1).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
        delete test.fixture;
        tests.push(test);
    }
}

const tables = new Map();
const failures = [];
const times = [];
let next = 0;
async function worker() {
    while (next < tests.length) {
        const test = tests[next++];
        const { ms, fault, result } = await run(test);
        const row = tables.get(test.integration) ?? { passed: 0, total: 0 };
        row.total++;
        times.push(ms);
        if (fault === undefined) {
            row.passed++;
        } else {
            failures.push(`${test.integration}/${test.name} (${test.kind}): ${fault}`);
            if (options.verbose) {
                console.error(failures.at(-1), '\n', JSON.stringify(result)?.slice(0, 2000), `\n ${test.bundle} ${test.recording}`);
            }
        }
        tables.set(test.integration, row);
    }
}
await Promise.all(Array.from({ length: Number(options.jobs) }, worker));

for (const [name, { passed, total }] of [...tables].sort()) {
    console.log(`${passed === total ? ' ' : '!'} ${name.padEnd(32)} ${String(passed).padStart(4)} / ${total}`);
}
times.sort((a, b) => a - b);
const passed = tests.length - failures.length;
const at = (part) => (times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(0);
const actions = tests.filter((test) => test.kind === 'action').length;
console.log(`\n${passed} of ${tests.length} passed (${((100 * passed) / tests.length).toFixed(2)} %): ${actions} actions, ${tests.length - actions} syncs; ${leftOut.length} test files left out`);
console.log(`a case takes ${at(0.5)} ms (median), ${at(0.95)} ms (95 %), ${at(1)} ms at most`);
if (failures.length > 0) {
    console.log(`\nFailures:\n${failures.sort().map((line) => `  ${line.slice(0, 600)}`).join('\n')}`);
}
if (leftOut.length > 0) {
    console.log(`\nLeft out:\n${leftOut.map((line) => `  ${line}`).join('\n')}`);
}
if (options.work === undefined) {
    rmSync(work, { recursive: true });
}
process.exit(tests.length > 0 && passed / tests.length >= TARGET ? 0 : 1);
