// SPDX-License-Identifier: Apache-2.0
// Waiting for conditions instead of sleeping: a test that waits names what it waits for, and fails
// with that name when it does not come true in time.

const tick = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Calls `condition` (sync or async) until it gives something truthy, and returns that.
export async function until(what, condition, { within = 10_000, every = 10 } = {}) {
  const end = performance.now() + within;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${within} ms in vain for: ${what}`);
    await tick(every);
  }
}

// The promise, or an error naming what was waited for.
export async function inTime(what, promise, within = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${within} ms in vain for: ${what}`)), within);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// A promise with its handles outside.
export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
