// SPDX-License-Identifier: Apache-2.0
// Comparing an answer with a recorded one, by shape and value. Texts in angle brackets stand for what
// changes from run to run; the order of members in an object does not matter, that of lists does.

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const instant = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d';

const patterns = {
  '<uuid>': uuid,
  '<timestamp ms Z>': `${instant}\\.\\d{3}Z`,
  '<timestamp ms +00:00>': `${instant}\\.\\d{3}\\+00:00`,
  '<timestamp us +00:00>': `${instant}\\.\\d{6}\\+00:00`,
  '<session-token>': 'nango_connect_session_[0-9a-f]{64}',
  '<CONNECT-UI>': 'https?://[^?]*?',
  '<cursor>': '[A-Za-z0-9+/]+=*',
  '<boundary>': '[^\\r\\n";]+',
  '<volatile>': '[^"]+',
  '<version>': '\\S+',
  '<state>': '[\\w-]+',
  '<challenge>': '[\\w-]{43}',
  '<HTML page>': '(?:.|\\s)*</html>\\s*',
};
const placeholder = /<(?:uuid|timestamp [mu]s [^>]+|session-token|CONNECT-UI|cursor|boundary|volatile|version|state|challenge|HTML page)>/g;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// Does `text` match a recorded text, whose fixed placeholders have been filled in?
export function matchesText(recorded, text) {
  if (!placeholder.test(recorded)) return recorded === text;
  placeholder.lastIndex = 0;
  const source = recorded
    .split(placeholder)
    .map(escaped)
    .reduce((done, part, i) => done + patterns[recorded.match(placeholder)[i - 1]] + part);
  placeholder.lastIndex = 0;
  return new RegExp(`^${source}$`, 'i').test(text);
}

const kind = (value) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);
const show = (value) => {
  const text = JSON.stringify(value);
  return text === undefined ? 'nothing' : text.length > 160 ? `${text.slice(0, 160)}…` : text;
};

// The ways in which `actual` differs from `recorded`, as lines "where: expected, got".
//   partial   members of objects beyond the recorded ones are no difference
//   trimmed   a recorded list holds some of the elements, in their order
export function differences(recorded, actual, options = {}, where = 'body') {
  const { partial = false, trimmed = false } = options;
  if (recorded === '<id>') return Number.isSafeInteger(actual) ? [] : [`${where}: a number expected, got ${show(actual)}`];
  if (kind(recorded) !== kind(actual)) return [`${where}: expected ${show(recorded)}, got ${show(actual)}`];
  switch (kind(recorded)) {
    case 'string':
      return matchesText(recorded, actual) ? [] : [`${where}: expected ${show(recorded)}, got ${show(actual)}`];
    case 'object': {
      const found = [];
      for (const key of Object.keys(recorded)) {
        if (!(key in actual)) found.push(`${where}.${key}: expected ${show(recorded[key])}, got nothing`);
        else found.push(...differences(recorded[key], actual[key], options, `${where}.${key}`));
      }
      if (!partial) {
        for (const key of Object.keys(actual)) {
          if (!(key in recorded)) found.push(`${where}.${key}: not expected, got ${show(actual[key])}`);
        }
      }
      return found;
    }
    case 'list': {
      if (trimmed) return subsequence(recorded, actual, options, where);
      if (recorded.length !== actual.length) return [`${where}: ${recorded.length} elements expected, got ${actual.length}: ${show(actual)}`];
      return recorded.flatMap((element, i) => differences(element, actual[i], options, `${where}[${i}]`));
    }
    default:
      return recorded === actual ? [] : [`${where}: expected ${show(recorded)}, got ${show(actual)}`];
  }
}

function subsequence(recorded, actual, options, where) {
  let from = 0;
  for (const [i, element] of recorded.entries()) {
    const at = actual.findIndex((candidate, j) => j >= from && differences(element, candidate, options).length === 0);
    if (at < 0) return [`${where}: element ${show(element)} (recorded as [${i}]) not found in its place among ${actual.length}`];
    from = at + 1;
  }
  return [];
}
