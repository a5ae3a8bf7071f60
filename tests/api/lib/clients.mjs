// SPDX-License-Identifier: Apache-2.0
// The official Node clients that nangod must serve, oldest first. package.json pins each under an
// alias of its own; `at` orders versions, so that tables can say since and until when.

export const versions = ['0.36.37', '0.36.100', '0.39.33', '0.48.4', '0.58.7', '0.69.50', '0.71.10'];

// 0.36.100 → 0 036 100, comparable.
export const at = (version) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);

export const between = (version, since, until) =>
  (!since || at(version) >= at(since)) && (!until || at(version) <= at(until));

export async function loadClient(version) {
  const module = await import(`nango-${version}`);
  return module.Nango;
}
