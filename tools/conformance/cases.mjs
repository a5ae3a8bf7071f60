// SPDX-License-Identifier: Apache-2.0
// What a test file of the templates sets up beyond its recording: found by running the file against
// stand-ins, up to the point where it calls the script.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

class Captured extends Error {}
class Inexpressible extends Error {}

// A mock function: remembers nothing, answers what it was told.
function mockFunction(implementation) {
    let run = implementation;
    const fn = function (...args) {
        return run?.apply(this, args);
    };
    const set = (next) => {
        run = next;
        fn.changed = true;
        return fn;
    };
    fn.mock = { calls: [], results: [], invocationCallOrder: [0] };
    fn.mockImplementation = set;
    fn.mockImplementationOnce = set;
    fn.mockResolvedValue = (value) => set(async () => value);
    fn.mockResolvedValueOnce = (value) => set(async () => value);
    fn.mockRejectedValue = (value) => set(async () => Promise.reject(value));
    fn.mockReturnValue = (value) => set(() => value);
    fn.mockReturnValueOnce = (value) => set(() => value);
    fn.mockReturnThis = () => fn;
    fn.mockClear = fn.mockReset = fn.mockRestore = () => fn;
    return fn;
}

// Calls that the recording answers: a test that answers them otherwise cannot be expressed.
const RECORDED = ['get', 'post', 'put', 'patch', 'delete', 'proxy', 'paginate', 'batchSave', 'batchDelete', 'uncontrolledFetch', 'triggerAction'];
const ANSWERS = ['getConnection', 'getMetadata', 'updateMetadata', 'trackDeletesStart', 'trackDeletesEnd', 'deleteRecordsFromPreviousExecutions', 'getToken', 'getCheckpoint', 'getWebhookURL'];

function mockClass(kind) {
    return class {
        constructor({ dirname, name, Model }) {
            Object.assign(this, { kind, dirname, name, Model });
            this.own = {};
            for (const method of [...RECORDED, ...ANSWERS, 'saveCheckpoint', 'clearCheckpoint', 'log', 'zodValidateInput', 'listRecords', 'setMetadata']) {
                this[method] = this.own[method] = mockFunction(async () => undefined);
            }
            this.lastSyncDate = null;
        }
        fixture() {
            this.json ??= JSON.parse(readFileSync(path.join(this.dirname, `${this.name}.test.json`), 'utf8'));
            return this.json;
        }
        async getInput() {
            return this.fixture().input;
        }
        async getOutput() {
            return this.fixture().output;
        }
        async getBatchSaveData(model) {
            return this.fixture().nango?.batchSave?.[model];
        }
        async getBatchDeleteData(model) {
            return this.fixture().nango?.batchDelete?.[model];
        }
    };
}

function changed(mock, method) {
    return mock[method] !== mock.own[method] || mock.own[method].changed;
}

// Everything that a test says, as {script, kind, name, models, fixture, expected, now, throws}.
export async function readTest(file, code) {
    const dirname = path.dirname(file);
    const bodies = [];
    let hooks = [];
    let now;
    let found;

    const realm = { console: { log() {}, error() {}, warn() {}, info() {} }, URL, URLSearchParams, Buffer, setTimeout, clearTimeout, TextEncoder, TextDecoder, structuredClone };
    const context = vm.createContext(realm);
    const RealDate = vm.runInContext('Date', context);
    const setNow = (value) => {
        now = new RealDate(value?.getTime?.() ?? value).toISOString();
    };
    const vi = {
        fn: mockFunction,
        spyOn(object, name) {
            if (object === RealDate || object === realm.Date) {
                return Object.assign(mockFunction(), { mockReturnValue: setNow, mockImplementation: (run) => setNow(run()) });
            }
            const before = object[name];
            const spy = mockFunction(before);
            if (object.own !== undefined) {
                object.own[name] = spy;
                spy.changed = before?.changed;
            }
            object[name] = spy;
            return spy;
        },
        mock() {
            throw new Inexpressible('replaces a module');
        },
        mocked: (value) => value,
        stubGlobal() {
            throw new Inexpressible('replaces a global');
        },
        useFakeTimers: (options) => options?.now !== undefined && setNow(options.now),
        setSystemTime: setNow,
        useRealTimers() {},
        clearAllMocks() {},
        restoreAllMocks() {},
        resetAllMocks() {},
        advanceTimersByTimeAsync: async () => {},
        runAllTimersAsync: async () => {},
        hoisted: (run) => run()
    };
    const describe = (name, run) => void run();
    const it = (name, run) => void bodies.push(run);
    Object.assign(describe, { skip() {}, only: describe, each: () => describe });
    Object.assign(it, { skip() {}, only: it, each: () => () => {} });
    const hook = (run) => void hooks.push(run);
    const expect = () =>
        new Proxy(() => {}, {
            get(_, key) {
                if (key === 'rejects' && found !== undefined) {
                    found.throws = true; // what comes of the script is an error
                }
                return key === 'then' ? undefined : expect();
            },
            apply: () => undefined
        });
    realm.global = { vitest: { NangoActionMock: mockClass('action'), NangoSyncMock: mockClass('sync') } };
    realm.vitest = realm.global.vitest;

    const exec = (script) => async (mock, input) => {
        if (mock?.own === undefined) {
            throw new Inexpressible('calls the script with an object of its own');
        }
        for (const method of RECORDED) {
            if (changed(mock, method) && mock[method].changed) {
                throw new Inexpressible(`answers ${method} itself`);
            }
            if (mock[method] !== mock.own[method]) {
                throw new Inexpressible(`replaces ${method}`);
            }
        }
        const fixture = structuredClone(mock.fixture());
        fixture.nango ??= {};
        const expected = { output: fixture.output, batchSave: fixture.nango.batchSave, batchDelete: fixture.nango.batchDelete };
        delete fixture.output;
        delete fixture.nango.batchSave;
        delete fixture.nango.batchDelete;
        for (const method of ANSWERS) {
            if (changed(mock, method)) {
                fixture.nango[method] = await mock[method]();
            }
        }
        if (mock.checkpoint !== undefined) {
            fixture.nango.getCheckpoint = mock.checkpoint;
        }
        if (mock.lastSyncDate !== null) {
            fixture.lastSyncDate = mock.lastSyncDate;
        }
        if (mock.kind === 'action' && input !== undefined) {
            fixture.input = input;
        }
        const models = String(mock.Model ?? '').split(',').map((model) => model.trim());
        found = { script, kind: mock.kind, name: mock.name, models, fixture, expected, now };
        throw new Captured('captured');
    };
    const require = (name) => {
        if (name === 'vitest') {
            return { vi, describe, it, test: it, expect, beforeEach: hook, beforeAll: hook, afterEach() {}, afterAll() {} };
        }
        if (/\/(actions|syncs)\//.test(name)) {
            const script = path.resolve(dirname, name).replace(/\.[jt]s$/, '');
            return { exec: exec(script), default: { exec: exec(script) } };
        }
        if (['path', 'node:path'].includes(name)) {
            return path;
        }
        if (['fs', 'node:fs'].includes(name)) {
            return { readFileSync, default: { readFileSync } };
        }
        if (name === 'nango' || name.endsWith('.json')) {
            return {};
        }
        throw new Inexpressible(`needs the module ${name}`);
    };
    try {
        const module = { exports: {} };
        vm.runInContext(`(function (exports, require, module, __dirname, __filename) {${code}\n})`, context, { filename: file })(module.exports, require, module, dirname, file);
        for (const body of bodies) {
            const before = now;
            try {
                for (const run of hooks) {
                    await run();
                }
                await body({});
            } catch (error) {
                if (error instanceof Inexpressible) {
                    throw error;
                }
                if (found === undefined && !(error instanceof Captured)) {
                    throw error;
                }
            }
            if (found !== undefined) {
                return found;
            }
            now = before;
        }
        return { reason: 'never calls the script' };
    } catch (error) {
        return { reason: error.code === 'ENOENT' ? 'its recording is missing' : error.message };
    }
}
