// SPDX-License-Identifier: Apache-2.0
// Which fields a person is asked for, and what may stand in them (contract connect-flow.md section 9).
import type { Field, Fields, Provider, Session } from './client';
import { words } from './text';

export interface Input { name: string; part: 'credentials' | 'params'; field: Field; hidden: boolean }

const secret = (title: string): Field => ({ type: 'string', title, secret: true });
const base: Record<string, Fields> = {
  API_KEY: { apiKey: secret(words.apiKey) },
  BASIC: { username: { title: words.username }, password: secret(words.password) },
  SIGNATURE: { username: { title: words.username }, password: secret(words.password) },
  OAUTH2_CC: { client_id: { title: 'Client ID' }, client_secret: secret('Client secret') },
  AWS_SIGV4: { role_arn: { title: 'Role ARN', example: 'arn:aws:iam::123456789012:role/name' }, region: { title: 'Region', optional: true }, external_id: { title: 'External ID', optional: true } },
  TBA: { token_id: { title: 'Token ID' }, token_secret: secret('Token secret') },
  BILL: { username: { title: words.username }, password: secret(words.password), organization_id: { title: 'Organization ID' }, dev_key: secret('Developer key') },
};

const secretName = /secret|password|token|api_?key|private_?key/i;

export function inputsOf(provider: Provider, key: string, session: Session): Input[] {
  const preset = session.integrations_config_defaults?.[key]?.connection_config ?? {};
  const credentials: Fields = {};
  for (const [name, field] of Object.entries({ ...base[provider.auth_mode] })) credentials[name] = field;
  for (const [name, field] of Object.entries(provider.credentials ?? {})) {
    if (!field.automated) credentials[name] = { ...credentials[name], ...field, secret: field.secret ?? secretName.test(name) };
  }
  const config = Object.entries(provider.connection_config ?? {}).filter(([name, field]) => !field.automated && !(name in preset));
  const inputs = (part: Input['part'], fields: [string, Field][]) => fields.map(([name, field]) => ({ name, part, field, hidden: field.hidden === true }));
  const byOrder = (a: [string, Field], b: [string, Field]) => (a[1].order ?? Infinity) - (b[1].order ?? Infinity) || 0;
  return [
    ...inputs('params', config.filter(([, field]) => field.order !== undefined).sort(byOrder)),
    ...inputs('credentials', Object.entries(credentials)),
    ...inputs('params', config.filter(([, field]) => field.order === undefined)),
  ];
}

const formats: Record<string, (value: string) => boolean> = {
  hostname: (value) => /^[a-zA-Z0-9.-]+$/.test(value),
  uri: (value) => URL.canParse(value),
  uuid: (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  email: (value) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value),
};

export function faultOf({ field }: Input, value: string): string {
  if (value === '') return field.optional || field.default_value !== undefined ? '' : words.required;
  const fits = (!field.format || (formats[field.format]?.(value) ?? true)) && (!field.pattern || new RegExp(field.pattern).test(value)) && (!field.enum || field.enum.includes(value));
  return fits ? '' : words.wrong + (field.example ? ` (${field.example})` : '');
}
