// SPDX-License-Identifier: Apache-2.0
// A small browser: keeps cookies by host name, follows redirects, fills in forms. Enough to walk a
// person through a provider's login and consent pages.

import { request } from './http.mjs';

export class Browser {
  constructor() {
    this.cookies = new Map(); // "host:port" → Map(name and path → {name, value, path, attributes})
    this.visited = []; // every URL, oldest first
  }

  jar(url) {
    // Real browsers ignore the port; here the port is what tells the daemon from the provider.
    const key = url.host;
    if (!this.cookies.has(key)) this.cookies.set(key, new Map());
    return this.cookies.get(key);
  }

  // One exchange, no redirect followed.
  async visit(address, { method = 'GET', form } = {}) {
    const url = new URL(address);
    const jar = this.jar(url);
    const cookie = [...jar.values()]
      .filter((c) => url.pathname.startsWith(c.path))
      .map((c) => `${c.name}=${c.value}`)
      .join('; ');
    const headers = { Accept: 'text/html' };
    if (cookie) headers.Cookie = cookie;
    let body;
    if (form) {
      body = new URLSearchParams(form).toString();
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
    }
    this.visited.push(url.href);
    const answer = await request(url.origin, method, url.pathname + url.search, { headers, body });
    for (const line of answer.headers['set-cookie'] ?? []) this.keep(jar, line);
    const next = answer.status >= 300 && answer.status < 400 && answer.headers.location;
    return { ...answer, url: url.href, next: next ? new URL(next, url).href : null };
  }

  keep(jar, line) {
    const [pair, ...attributes] = line.split(/;\s*/);
    const split = pair.indexOf('=');
    const name = pair.slice(0, split);
    const read = Object.fromEntries(attributes.map((text) => {
      const [key, ...value] = text.split('=');
      return [key.toLowerCase(), value.join('=')];
    }));
    const gone = (read.expires && new Date(read.expires) <= new Date()) || (read['max-age'] && Number(read['max-age']) <= 0);
    const path = read.path || '/';
    const key = `${name} ${path}`; // cookies of one name on two paths are two cookies
    if (gone) jar.delete(key);
    else jar.set(key, { name, value: pair.slice(split + 1), path, attributes: read });
  }

  // Follows redirects from `address` while `go(url)` (all, by default) allows; the last answer, its
  // `next` being where the refused step would have led.
  async open(address, { go = () => true, ...first } = {}) {
    let answer = await this.visit(address, first);
    for (let hops = 0; answer.next && go(answer.next); hops++) {
      if (hops > 20) throw new Error(`redirected for ever: ${this.visited.slice(-5).join(' ')}`);
      answer = await this.visit(answer.next);
    }
    return answer;
  }

  // The page's form: where it goes and its hidden fields.
  static form(answer) {
    const action = /<form[^>]*action="([^"]+)"/.exec(answer.text);
    if (!action) throw new Error(`no form on ${answer.url}: ${answer.status} ${answer.text.slice(0, 300)}`);
    const fields = {};
    for (const [input] of answer.text.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input);
      if (name) fields[name[1]] = /value="([^"]*)"/.exec(input)?.[1] ?? '';
    }
    return { action: new URL(action[1].replaceAll('&amp;', '&'), answer.url).href, fields };
  }

  // Sends the page's form with these fields filled in and follows on.
  submit(answer, fields, options = {}) {
    const form = Browser.form(answer);
    return this.open(form.action, { ...options, method: 'POST', form: { ...form.fields, ...fields } });
  }
}
