// SPDX-License-Identifier: Apache-2.0
// The screens: a list of integrations, a form, waiting, the outcome.
import { type ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { authorize, connect, Failure, get, type Integration, isPopup, type Provider, type Result, type Session, type Settings, tell } from './client';
import { faultOf, type Input, inputsOf } from './form';
import { explain, fill, words } from './text';

const params = new URLSearchParams(location.search);
const framed = window.parent !== window;
// Nothing in these is secret, and a frame does not know its parent's origin.
const post = (message: object) => framed && window.parent.postMessage(message, '*');
const tokenTimeoutMs = 10_000;

function paint(settings?: Settings) {
  const wanted = params.get('theme') ?? settings?.defaultTheme ?? 'system';
  const dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  const root = document.documentElement;
  const brand = settings?.theme?.[dark ? 'dark' : 'light']?.primary;
  root.dataset.theme = dark ? 'dark' : 'light';
  if (!brand || !/^#[0-9a-f]{6}$/i.test(brand)) return;
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(brand.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  root.style.setProperty('--brand', brand);
  root.style.setProperty('--on-brand', 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#0b0d12' : '#ffffff');
}
paint();

type Screen = { at: 'loading' } | { at: 'list' } | { at: 'form' } | { at: 'done' } | { at: 'error'; failure: Failure };

export function App() {
  const [token, setToken] = useState(params.get('session_token') ?? '');
  const [session, setSession] = useState<Session>({});
  const [list, setList] = useState<Integration[]>([]);
  const [chosen, setChosen] = useState<{ integration: Integration; provider: Provider }>();
  const [screen, setScreen] = useState<Screen>({ at: 'loading' });
  const fail = (error: unknown) => {
    const failure = error instanceof Failure ? error : new Failure('unknown_err', String(error));
    setScreen({ at: 'error', failure });
    post({ type: 'error', payload: { errorType: failure.code, errorMessage: failure.message || explain(failure.code) } });
    if (token) tell(token, 'view:unknown_error', chosen?.integration.unique_key);
  };
  const close = () => {
    if (token) tell(token, 'click:close', chosen?.integration.unique_key);
    post({ type: 'close' });
    if (!framed) window.close();
  };
  const choose = async (integration: Integration) => {
    setScreen({ at: 'loading' });
    try {
      const provider = await get<Provider>(`/providers/${encodeURIComponent(integration.provider)}`, token);
      setChosen({ integration, provider });
      setScreen({ at: 'form' });
      tell(token, 'view:integration', integration.unique_key);
    } catch (error) {
      fail(error);
    }
  };
  const load = async () => {
    setScreen({ at: 'loading' });
    try {
      const [found, integrations] = await Promise.all([get<Session>('/connect/session', token), get<Integration[]>('/integrations', token)]);
      paint(found.connectUISettings);
      setSession(found);
      setList(integrations);
      if (integrations.length === 0) throw new Failure('empty', '');
      if (integrations.length === 1) return await choose(integrations[0]);
      setScreen({ at: 'list' });
      tell(token, 'view:list');
    } catch (error) {
      fail(error);
    }
  };
  useEffect(() => {
    const heard = ({ source, data }: MessageEvent) => {
      if (source !== window.parent || !framed) return;
      if (data?.type === 'session_token' && typeof data.sessionToken === 'string') setToken(data.sessionToken);
      if (data?.type === 'settings_changed' && params.has('preview')) {
        paint(data.payload);
        setSession((old) => ({ ...old, connectUISettings: data.payload }));
      }
    };
    window.addEventListener('message', heard);
    post({ type: 'ready' });
    return () => window.removeEventListener('message', heard);
  }, []);
  useEffect(() => {
    if (token) {
      tell(token, 'open');
      load();
      return;
    }
    const timer = setTimeout(() => fail(new Failure('no_token', '')), tokenTimeoutMs);
    return () => clearTimeout(timer);
  }, [token]);

  const done = (result: Result) => {
    setScreen({ at: 'done' });
    post({ type: 'connect', payload: result });
    tell(token, 'view:success', chosen?.integration.unique_key);
  };
  const name = chosen?.integration.display_name ?? '';
  const back = list.length > 1 && screen.at !== 'done' ? () => { setChosen(undefined); setScreen({ at: 'list' }); } : undefined;
  return (
    <Dialog close={close} back={screen.at === 'list' || screen.at === 'loading' ? undefined : back} watermark={session.connectUISettings?.showWatermark}>
      {screen.at === 'loading' && <div class="centre" role="status"><span class="spinner" aria-hidden="true" /><p>{words.loading}</p></div>}
      {screen.at === 'list' && <List list={list} choose={(one) => { tell(token, 'click:integration', one.unique_key); choose(one); }} />}
      {screen.at === 'form' && chosen && <Form {...chosen} session={session} token={token} done={done} />}
      {screen.at === 'done' && (
        <div class="centre"><span class="badge good" aria-hidden="true">✓</span><Heading>{words.done}</Heading><p role="status">{fill(words.doneText, name)}</p>
          <button class="primary" onClick={() => { tell(token, 'click:finish'); close(); }}>{words.finish}</button></div>
      )}
      {screen.at === 'error' && (
        <div class="centre"><span class="badge bad" aria-hidden="true">!</span><Heading>{words.failed}</Heading><p role="alert">{explain(screen.failure.code) || screen.failure.message}</p>
          {token && <button class="primary" onClick={load}>{words.retry}</button>}</div>
      )}
    </Dialog>
  );
}

// The screen's name; has the focus when the screen appears, so that it is read out.
function Heading({ children }: { children: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return <h1 ref={ref} tabIndex={-1}>{children}</h1>;
}

function Dialog({ children, close, back, watermark }: { children: ComponentChildren; close: () => void; back?: () => void; watermark?: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') return close();
    if (event.key !== 'Tab') return;
    const stops = [...ref.current!.querySelectorAll<HTMLElement>('button:not(:disabled),input:not(:disabled),select,textarea,a[href],summary')];
    const [first, last] = [stops[0], stops[stops.length - 1]];
    if (event.shiftKey ? document.activeElement === first || !stops.includes(document.activeElement as HTMLElement) : document.activeElement === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  };
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    const heard = (event: KeyboardEvent) => latest.current(event);
    document.addEventListener('keydown', heard);
    return () => document.removeEventListener('keydown', heard);
  }, []);
  return (
    <div class={framed ? 'shade' : 'page'}>
      <div class="card" role="dialog" aria-modal="true" aria-label={words.title} ref={ref}>
        <header>
          {back ? <button class="icon" aria-label={words.back} onClick={back}>←</button> : <span />}
          <button class="icon" aria-label={words.close} onClick={close}>✕</button>
        </header>
        <main>{children}</main>
        {watermark && <footer>nangod</footer>}
      </div>
    </div>
  );
}

function Logo({ of }: { of: Integration }) {
  const [broken, setBroken] = useState(!of.logo);
  return <span class="logo" aria-hidden="true">{broken ? of.display_name.slice(0, 1) : <img src={of.logo} alt="" onError={() => setBroken(true)} />}</span>;
}

function List({ list, choose }: { list: Integration[]; choose: (one: Integration) => void }) {
  const [search, setSearch] = useState('');
  const shown = list.filter((one) => `${one.display_name} ${one.unique_key}`.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <>
      <Heading>{words.choose}</Heading>
      {list.length > 6 && <input type="search" class="search" aria-label={words.search} placeholder={words.search} value={search} onInput={(event) => setSearch(event.currentTarget.value)} />}
      <p class="quiet" role="status">{shown.length === 0 && words.none}</p>
      <ul>{shown.map((one) => <li key={one.unique_key}><button class="row" onClick={() => choose(one)}><Logo of={one} /><span>{one.display_name}{list.some((other) => other !== one && other.display_name === one.display_name) && <small> {one.unique_key}</small>}</span><i aria-hidden="true">›</i></button></li>)}</ul>
    </>
  );
}

function Form({ integration, provider, session, token, done }: { integration: Integration; provider: Provider; session: Session; token: string; done: (result: Result) => void }) {
  const key = integration.unique_key;
  const inputs = useMemo(() => inputsOf(provider, key, session), [provider, key]);
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(inputs.map(({ name, field }) => [name, field.default_value ?? ''])));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const stop = useRef<AbortController>();
  const visible = inputs.filter(({ hidden }) => !hidden);
  const popup = isPopup(provider);
  const docs = session.overrides?.[key]?.docs_connect ?? provider.docs_connect;
  useEffect(() => () => stop.current?.abort(), []);

  const submit = async (event?: Event) => {
    event?.preventDefault();
    const found = Object.fromEntries(visible.map((input) => [input.name, faultOf(input, values[input.name])]).filter(([, fault]) => fault));
    setFaults(found);
    setFailure(undefined);
    const first = visible.find(({ name }) => found[name]);
    if (first) return form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(first.name)}"]`)?.focus();
    tell(token, 'click:connect', key);
    const part = (wanted: Input['part']) => Object.fromEntries(inputs.filter((input) => input.part === wanted && values[input.name] !== '').map(({ name }) => [name, values[name]]));
    setBusy(true);
    stop.current = new AbortController();
    try {
      done(popup ? await authorize(key, token, { ...part('params'), ...part('credentials') }, session, stop.current.signal) : await connect(key, provider, token, part('credentials'), part('params'), {}));
    } catch (error) {
      const caught = error instanceof Failure ? error : new Failure('unknown_err', String(error));
      setBusy(false);
      setFailure(caught);
      post({ type: 'error', payload: { errorType: caught.code, errorMessage: caught.message || explain(caught.code) } });
      tell(token, caught.code === 'blocked_by_browser' ? 'popup:blocked_by_browser' : caught.code === 'window_closed' ? 'popup:closed_early' : 'view:credentials_error', key);
    }
  };
  // Without a question there is nothing to wait for; a window opens only by a click.
  useEffect(() => {
    if (visible.length === 0 && !popup) submit();
  }, []);
  return (
    <form ref={form} onSubmit={submit} noValidate aria-busy={busy}>
      <div class="head"><Logo of={integration} /><Heading>{fill(words.linked, integration.display_name)}</Heading></div>
      {popup && visible.length === 0 && <p class="quiet middle">{fill(words.popup, integration.display_name)}</p>}
      {visible.map((input) => <Row key={input.name} input={input} value={values[input.name]} fault={faults[input.name]} busy={busy} set={(value) => { setValues({ ...values, [input.name]: value }); setFaults({ ...faults, [input.name]: '' }); }} />)}
      {docs && visible.length > 0 && <a href={docs} target="_blank" rel="noopener noreferrer" onClick={() => tell(token, 'click:doc', key)}>{words.docs} ↗</a>}
      <div role="alert">{failure && <div class="alert"><p>{explain(failure.code) || words.failed}</p>{failure.message && <details><summary>{words.details}</summary>{failure.message}</details>}</div>}</div>
      <button class="primary" disabled={busy}>{busy && <span class="spinner small" aria-hidden="true" />}{busy ? (popup ? words.waiting : words.working) : failure ? words.retry : session.isReconnecting ? words.again : words.connect}</button>
      {busy && popup && <button type="button" class="cancel" onClick={() => stop.current?.abort()}>{words.cancel}</button>}
      <p class="hear" role="status">{busy && (popup ? words.waiting : words.working)}</p>
    </form>
  );
}

function Row({ input: { name, field }, value, fault, busy, set }: { input: Input; value: string; fault?: string; busy: boolean; set: (value: string) => void }) {
  const [shown, setShown] = useState(false);
  const id = `field-${name}`;
  const common = {
    id, name, disabled: busy, 'aria-invalid': Boolean(fault), 'aria-required': !field.optional, 'aria-describedby': `${id}-help ${id}-fault`,
    onInput: (event: { currentTarget: { value: string } }) => set(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{field.title ?? name}{field.optional && <small> ({words.optional})</small>}</label>
      <div class={`box${fault ? ' wrong' : ''}`}>
        {field.prefix && <span class="affix">{field.prefix}</span>}
        {field.enum
          ? <select {...common} value={value}><option value="" />{field.enum.map((one) => <option key={one} value={one}>{one}</option>)}</select>
          : <input {...common} value={value} type={field.secret && !shown ? 'password' : 'text'} autocomplete="off" autocapitalize="off" spellcheck={false} placeholder={field.example} />}
        {field.suffix && <span class="affix">{field.suffix}</span>}
        {field.secret && <button type="button" class="peek" aria-controls={id} onClick={() => setShown(!shown)}>{shown ? words.hide : words.show}</button>}
      </div>
      <p class="quiet" id={`${id}-help`}>{field.description}</p>
      <p class="fault" id={`${id}-fault`} aria-live="polite">{fault}</p>
    </div>
  );
}
