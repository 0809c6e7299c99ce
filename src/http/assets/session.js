// Who this browser is signed in as, and the proof of it on every call: docs/HTTP.md says how and why.
const kDatabase = 'meshstow', kStore = 'session', kMine = 'mine', kTrial = 'trial';
const kSecret = 'meshstow-session';  // in localStorage, where keys cannot be made or kept
const kCurve = {name: 'ECDSA', namedCurve: 'P-256'}, kSigning = {name: 'ECDSA', hash: 'SHA-256'};

let session = null;  // {id, key} or {secret}
let nonce = '';
let nonce_read = 0;
export let server = {};  // what /api/session says of it

const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = (size) => base64url(crypto.getRandomValues(new Uint8Array(size)));
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function with_store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(kDatabase, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(kStore);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      const transaction = database.transaction(kStore, mode);
      const asked = work(transaction.objectStore(kStore));
      const end = (then) => () => { database.close(); then(); };
      transaction.oncomplete = end(() => resolve(asked.result));
      transaction.onabort = end(() => reject(transaction.error));
    };
  });
}

async function stored() {
  if (crypto.subtle) {
    const kept = await with_store('readonly', (store) => store.get(kMine)).catch(() => null);
    if (kept) return kept;
  }
  const secret = localStorage.getItem(kSecret);
  return secret ? {secret} : null;
}

// A fresh key, which no script can read, not even ours; a secret where the browser makes or keeps none.
async function make_session() {
  try {
    const pair = await crypto.subtle.generateKey(kCurve, false, ['sign']);
    const shown = await crypto.subtle.exportKey('raw', pair.publicKey);
    const made = {id: hex(await crypto.subtle.digest('SHA-256', shown)), key: pair.privateKey};
    await with_store('readwrite', (store) => store.put(made, kTrial));
    return {made, shown: {key: base64url(shown)}};
  } catch {
    const secret = random(32);
    return {made: {secret}, shown: {secret}};
  }
}

async function keep(made) {
  if (made.secret) {
    localStorage.setItem(kSecret, made.secret);
    await with_store('readwrite', (store) => store.clear()).catch(() => {});
  } else {
    await with_store('readwrite', (store) => { store.delete(kTrial); return store.put(made, kMine); });
    localStorage.removeItem(kSecret);
  }
}

// Whoever held this port before may have left a worker that would see all that we do.
async function remove_workers() {
  const workers = await navigator.serviceWorker?.getRegistrations().catch(() => []) ?? [];
  for (const worker of workers) await worker.unregister();
  if (navigator.serviceWorker?.controller) {
    location.reload();
    await new Promise(() => {});
  }
}

// A TypeError as fetch throws it, in words for people.
async function fetch_here(url, options) {
  try {
    return await fetch(url, {...options, cache: 'no-store', credentials: 'omit'});
  } catch {
    throw new TypeError('This node does not answer. Try again when it is back.');
  }
}

// With {link} or {passphrase}. Throws why not.
export async function sign_in(words) {
  await remove_workers();
  const {made, shown} = await make_session();
  const answer = await fetch_here('/signin', {method: 'POST', body: new URLSearchParams({...words, ...shown})});
  if (!answer.ok) throw new Error((await answer.text()).trim());
  await keep(made);
}

export async function read_server() {
  const answer = await fetch_here('/api/session');
  server = await answer.json();
  ({nonce} = server);
  nonce_read = performance.now();
}

// Takes up the session that this browser has. True: it is signed in.
export async function resume() {
  session = await stored();
  await read_server();
  if (!session) return false;
  return (await signed('/api/session')).ok;
}

// Resolves once this browser has another session than the one that resume() looked at.
export async function other_session() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = await stored();
    if (now && (now.id !== session?.id || now.secret !== session?.secret)) return;
  }
}

export const kUpload = null;  // a body that streams: no hash of it can be signed before it leaves

// `body`: the text that is sent, or kUpload.
export async function proof(method, url, body = '') {
  if (session.secret) return `secret ${session.secret}`;
  const unique = random(16);
  const covered = body === kUpload ? '-' : base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)));
  const text = ['meshstow call 2', location.origin, method, url.pathname + url.search, covered, nonce, unique].join('\n');
  const signature = await crypto.subtle.sign(kSigning, session.key, new TextEncoder().encode(text));
  return `key ${session.id} ${nonce} ${unique} ${covered} ${base64url(signature)}`;
}

// For calls that cannot be made again when the nonce is over: it is good for five minutes at least.
export async function fresh_nonce() {
  if (performance.now() - nonce_read > 120_000) await read_server();
}

// fetch() with the proof. `body`: a text, or URLSearchParams.
export async function signed(path, {method = 'GET', headers = {}, body} = {}) {
  const url = new URL(path, location.href);
  for (let again = true; ; again = false) {
    const answer = await fetch_here(url, {body, method, redirect: 'error',
      headers: {...headers, 'Meshstow-Proof': await proof(method, url, body?.toString())}});
    const given = answer.headers.get('Meshstow-Nonce');
    if (answer.status !== 401 || !given || !again) return answer;
    nonce = given;
    nonce_read = performance.now();
  }
}

// The page counts as loaded once `work` is done: whoever waits for that finds it as it is to be.
export async function while_loading(work) {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  document.body.append(frame);
  frame.contentDocument.open();
  try {
    return await work();
  } finally {
    frame.contentDocument.close();
    frame.remove();
  }
}
