// The file browser: one folder at a time, upload by button or by dropping, download, delete.
import {download, list, read_state, remove, upload} from './api.js';
import {add_rows, ask, bytes, make, table} from './page.js';
import {printable} from './text.js';
import {work} from './work.js';

const is_folder = (name) => name.endsWith('/');
const order = new Intl.Collator();
const count = (number) => number.toLocaleString('en-US');
const kRows = 1000;  // shown at first, and more at a time
const kColumns = [{title: 'Name'}, {title: 'Type', class: 'wide'}, {title: 'Size', class: 'number'},
  {title: 'Changed', class: 'wide'}, {title: '', class: 'actions'}];
const hash_of = (path) => `#/files${path.split('/').map(encodeURIComponent).join('/')}`;

function crumbs(folder) {
  const names = folder.split('/').slice(1, -1);
  const links = [make('a', {href: '#/files/'}, 'All files')];
  names.forEach((name, at) => links.push(document.createTextNode('/'),
    make('a', {href: hash_of(`/${names.slice(0, at + 1).join('/')}/`)}, name)));
  return make('nav', {class: 'crumbs', 'aria-label': 'Folder'}, ...links);
}

// The documents as they are now, {path, tag}, of a folder or of one that is shown with this tag.
async function all_below(path, tag, found = []) {
  if (!is_folder(path)) found.push({path, tag});
  else for (const [name, item] of Object.entries(await list(path))) await all_below(path + name, `"${item.ETag}"`, found);
  return found;
}

// What a document that is deleted or replaced leaves behind, of which the space or the module decides.
function earlier({usage}, path) {
  const module = path.split('/').slice(1).find((name) => name !== 'public' && name !== 'shared');
  const kept = usage.history.modules[module] ?? usage.history.versions;
  return kept === 0 ? 'Earlier versions are not kept here: this cannot be undone.'
    : 'Earlier versions remain for a while: meshstow history shows them, meshstow restore brings one back.';
}

// Only the version that was shown goes unasked.
async function delete_one({path, tag}, note) {
  for (;;) {
    try {
      return await remove(path, tag);
    } catch (error) {
      if (error.status !== 412) throw error;
      if (!error.etag) return;  // it is gone already
      tag = error.etag;
      const sure = await ask(`The document ${path} was changed meanwhile. Delete it all the same?`, 'Delete',
        {danger: true, note});
      if (!sure) return;
    }
  }
}

async function delete_item(path, tag, show_error, refresh) {
  try {
    const [documents, state] = await Promise.all([all_below(path, tag), read_state()]);
    const note = earlier(state, path);
    const what = is_folder(path) ? `the folder ${path} with ${count(documents.length)} document(s)` : path;
    const sure = await ask(`Delete ${what}? Apps on all your devices will see it gone.`, 'Delete',
      {danger: true, note});
    if (!sure) return;
    const shown = work.begin(`Deleting ${path}`, true);
    try {
      for (const [done, each] of documents.entries()) {
        shown.progress(done, documents.length);
        await delete_one(each, note);
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

function row(folder, name, item, show_error, refresh) {
  const path = folder + name;
  const link = is_folder(name)
    ? make('a', {href: hash_of(path)}, `${name}`)
    : make('a', {href: location.href, onclick: (event) => {
      event.preventDefault();
      download(path).catch(show_error);
    }}, name);
  const remove_button = make('button', {type: 'button', class: 'quiet bad', title: `Delete ${name}`,
    onclick: () => delete_item(path, `"${item.ETag}"`, show_error, refresh)}, 'Delete');
  return [link, item['Content-Type'] ?? 'folder', is_folder(name) ? '' : bytes(item['Content-Length']),
    item['Last-Modified'] ? new Text(new Date(item['Last-Modified']).toLocaleString()) : '', remove_button];
}

// The first `shown.rows` of a folder's names, folders before documents, and a button for more.
function draw(items, shown, row_of) {
  const names = Object.keys(items).sort((a, b) => is_folder(b) - is_folder(a) || order.compare(a, b));
  if (names.length === 0) return [make('p', {class: 'soft'}, 'Nothing is stored here.')];
  const rows = (from, to) => names.slice(from, to).map((name) => row_of(name, items[name]));
  const drawn = table(kColumns, rows(0, shown.rows));
  const more = make('button', {type: 'button', onclick: () => {
    add_rows(drawn, kColumns, rows(shown.rows, shown.rows += kRows));
    label();
  }});
  const label = () => {
    more.hidden = shown.rows >= names.length;
    more.textContent = `Show ${count(Math.min(kRows, names.length - shown.rows))} more of ${count(names.length)}`;
  };
  label();
  return [drawn, more];
}

export async function show_files(page, folder) {
  const error = make('p', {class: 'bad', role: 'alert', hidden: true});
  const show_error = (problem) => { error.textContent = printable(problem.message); error.hidden = false; };
  const input = make('input', {type: 'file', multiple: true, 'aria-label': 'Choose files to upload'});
  const listing = make('div');
  const shown = {rows: kRows};
  const refresh = async () => {
    const items = await list(folder);
    listing.replaceChildren(...draw(items, shown, (name, item) => row(folder, name, item, show_error, refresh)));
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
