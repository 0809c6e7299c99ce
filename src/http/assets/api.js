// The dashboard's calls. Writes carry the session's CSRF token.
let csrf = '';

export async function call(method, path, body) {
  const headers = {};
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`/api/${path}`, {method, headers, cache: 'no-store',
    body: body === undefined ? undefined : JSON.stringify(body)});
  // Signed out, by a click elsewhere or by age: the server shows how to sign in.
  if (answer.status === 403 && method === 'GET') location.reload();
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim() || `The server answered ${answer.status}.`);
  return text ? JSON.parse(text) : {};
}

export async function read_state() {
  const state = await call('GET', 'state');
  csrf = state.csrf;
  return state;
}

const encoded = (path) => path.split('/').map(encodeURIComponent).join('/');
export const file_url = (path) => `/api/files${encoded(path)}`;

export async function list(folder) {
  const answer = await fetch(file_url(folder), {cache: 'no-store'});
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return (await answer.json()).items;
}

export async function remove(path) {
  const answer = await fetch(file_url(path), {method: 'DELETE', headers: {'X-CSRF-Token': csrf}});
  if (!answer.ok && answer.status !== 404) throw new Error((await answer.text()).trim());
}

// XMLHttpRequest, because fetch does not tell how much of a body has left.
export function upload(path, file, progress, conditions = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', file_url(path));
    request.setRequestHeader('X-CSRF-Token', csrf);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    for (const [name, value] of Object.entries(conditions)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded, event.total);
    request.onload = () => (request.status < 300 ? resolve()
      : reject(Object.assign(new Error(request.responseText.trim()), {status: request.status, etag: request.getResponseHeader('ETag')})));
    request.onerror = () => reject(new Error('The connection broke.'));
    request.send(file);
  });
}
