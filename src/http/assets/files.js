// The file browser: one folder at a time, upload by button or by dropping, download, delete.
import {download, list, read_state, remove, upload} from './api.js';
import {ask, bytes, make, table} from './page.js';
import {printable} from './text.js';
import {work} from './work.js';

const is_folder = (name) => name.endsWith('/');
const hash_of = (path) => `#/files${path.split('/').map(encodeURIComponent).join('/')}`;

function crumbs(folder) {
  const names = folder.split('/').slice(1, -1);
  const links = [make('a', {href: '#/files/'}, 'All files')];
  names.forEach((name, at) => links.push(document.createTextNode('/'),
    make('a', {href: hash_of(`/${names.slice(0, at + 1).join('/')}/`)}, name)));
  return make('nav', {class: 'crumbs', 'aria-label': 'Folder'}, ...links);
}

async function all_below(path) {
  if (!is_folder(path)) return [path];
  const found = [];
  for (const name of Object.keys(await list(path))) found.push(...await all_below(path + name));
  return found;
}

// What a document that is deleted or replaced leaves behind, of which the space or the module decides.
function earlier({usage}, path) {
  const module = path.split('/').slice(1).find((name) => name !== 'public' && name !== 'shared');
  const kept = usage.history.modules[module] ?? usage.history.versions;
  return kept === 0 ? 'Earlier versions are not kept here: this cannot be undone.'
    : 'Earlier versions remain for a while: meshstow history shows them, meshstow restore brings one back.';
}

async function delete_item(path, show_error, refresh) {
  try {
    const [documents, state] = await Promise.all([all_below(path), read_state()]);
    const what = is_folder(path) ? `the folder ${path} with ${documents.length} document(s)` : path;
    const sure = await ask(`Delete ${what}? Apps on all your devices will see it gone.`, 'Delete',
      {danger: true, note: earlier(state, path)});
    if (!sure) return;
    const shown = work.begin(`Deleting ${path}`, true);
    try {
      for (const [done, each] of documents.entries()) {
        shown.progress(done, documents.length);
        await remove(each);
      }
    } finally { shown.end(); }
    await refresh();
  } catch (error) { show_error(error); }
}

// Only what is not there yet is stored unasked; the server knows, whatever this page shows.
async function upload_one(path, file, progress) {
  for (let there = null; ;) {
    try {
      return await upload(path, file, progress, there ? {'If-Match': there} : {'If-None-Match': '*'});
    } catch (error) {
      if (error.status !== 412 || !error.etag) throw error;
      there = error.etag;
      const note = earlier(await read_state(), path);
      if (!await ask(`There is a document ${path} already. Replace it?`, 'Replace', {danger: true, note})) return;
    }
  }
}

async function upload_all(folder, files, show_error, refresh) {
  for (const file of files) {
    const shown = work.begin(`Uploading ${file.name}`);
    try {
      await upload_one(folder + file.name, file, shown.progress);
    } catch (error) { show_error(error); }
    shown.end();
  }
  await refresh();
}

function rows(folder, items, show_error, refresh) {
  const names = Object.keys(items).sort((a, b) => is_folder(b) - is_folder(a) || a.localeCompare(b));
  return names.map((name) => {
    const item = items[name];
    const path = folder + name;
    const link = is_folder(name)
      ? make('a', {href: hash_of(path)}, `${name}`)
      : make('a', {href: location.href, onclick: (event) => {
        event.preventDefault();
        download(path).catch(show_error);
      }}, name);
    const remove_button = make('button', {type: 'button', class: 'quiet bad', title: `Delete ${name}`,
      onclick: () => delete_item(path, show_error, refresh)}, 'Delete');
    return [link, item['Content-Type'] ?? 'folder', is_folder(name) ? '' : bytes(item['Content-Length']),
      item['Last-Modified'] ? new Text(new Date(item['Last-Modified']).toLocaleString()) : '', remove_button];
  });
}

export async function show_files(page, folder) {
  const error = make('p', {class: 'bad', role: 'alert', hidden: true});
  const show_error = (problem) => { error.textContent = printable(problem.message); error.hidden = false; };
  const input = make('input', {type: 'file', multiple: true, 'aria-label': 'Choose files to upload'});
  const listing = make('div');
  const refresh = async () => {
    const items = await list(folder);
    listing.replaceChildren(Object.keys(items).length === 0
      ? make('p', {class: 'soft'}, 'Nothing is stored here.')
      : table([{title: 'Name'}, {title: 'Type', class: 'wide'}, {title: 'Size', class: 'number'},
        {title: 'Changed', class: 'wide'}, {title: '', class: 'actions'}], rows(folder, items, show_error, refresh)));
  };
  input.addEventListener('change', async () => {
    const files = [...input.files];
    input.value = '';  // so that the same file can be chosen again
    await upload_all(folder, files, show_error, refresh);
  });
  const sheet = make('section', {}, crumbs(folder),
    make('div', {class: 'drop'}, make('span', {class: 'button main file-button'}, 'Upload files', input),
      make('span', {class: 'soft drop-hint'}, 'or drop them anywhere on this sheet')),
    error, listing);
  for (const name of ['dragenter', 'dragover']) {
    sheet.addEventListener(name, (event) => { event.preventDefault(); sheet.classList.add('over'); });
  }
  sheet.addEventListener('dragleave', (event) => {
    if (!sheet.contains(event.relatedTarget)) sheet.classList.remove('over');
  });
  sheet.addEventListener('drop', (event) => {
    event.preventDefault();
    sheet.classList.remove('over');
    upload_all(folder, [...event.dataTransfer.files], show_error, refresh);
  });
  await refresh();
  page.replaceChildren(make('h1', {}, 'Files'), sheet);
  return refresh;
}
