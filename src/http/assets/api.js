// The dashboard's calls, each with its proof.
import {fresh_nonce, kUpload, proof, signed} from './session.js';

const encoded = (path) => path.split('/').map(encodeURIComponent).join('/');
const file_url = (path) => `/api/files${encoded(path)}`;

// Signed out, by a click elsewhere or by age: the page shows how to sign in.
async function checked(answer) {
  if (answer.status === 403) location.reload();
  if (!answer.ok) {
    throw Object.assign(new Error((await answer.text()).trim() || `The server answered ${answer.status}.`),
      {status: answer.status, etag: answer.headers.get('ETag')});
  }
  return answer;
}

export async function call(method, path, body) {
  const headers = body === undefined ? {} : {'Content-Type': 'application/json'};
  const answer = await checked(await signed(`/api/${path}`, {method, headers,
    body: body === undefined ? undefined : JSON.stringify(body)}));
  const text = await answer.text();
  return text ? JSON.parse(text) : {};
}

export const read_state = () => call('GET', 'state');

export async function list(folder) {
  return (await (await checked(await signed(file_url(folder)))).json()).items;
}

// Only the version of this tag, which is quoted.
export async function remove(path, tag) {
  const answer = await signed(file_url(path), {method: 'DELETE', headers: {'If-Match': tag}});
  if (answer.status !== 404) await checked(answer);
}

// A navigation proves nothing, so it leads to an address that gives the document once.
export async function download(path) {
  const {url} = await call('POST', `download${encoded(path)}`);
  location.assign(url);
}

// XMLHttpRequest, because fetch does not tell how much of a body has left.
export async function upload(path, file, progress, conditions = {}) {
  await fresh_nonce();
  const shown = await proof('PUT', new URL(file_url(path), location.href), kUpload);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', file_url(path));
    request.setRequestHeader('Meshstow-Proof', shown);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    for (const [name, value] of Object.entries(conditions)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded, event.total);
    request.onload = () => (request.status < 300 ? resolve()
      : reject(Object.assign(new Error(request.responseText.trim()), {status: request.status, etag: request.getResponseHeader('ETag')})));
    request.onerror = () => reject(new Error('The connection broke.'));
    request.send(file);
  });
}

// Server-sent events; EventSource could not send the proof. on: {name: (data) => …}, and `open`, `lost`
// for the stream itself.
export async function listen(on) {
  let last = '';
  for (;;) {
    try {
      const answer = await signed('/api/events', {headers: last ? {'Last-Event-ID': last} : {}});
      if (answer.status === 403) return location.reload();
      on.open?.();
      let text = '';
      for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
        const {done, value} = await reader.read();
        if (done) break;
        const events = (text + value).split('\n\n');
        text = events.pop();
        for (const event of events) {
          const fields = Object.fromEntries(event.split('\n').map((line) => line.split(/: ?(.*)/s)));
          last = fields.id ?? last;
          on[fields.event]?.(fields.data);
        }
      }
    } catch { /* the server is away for a moment */ }
    on.lost?.();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
