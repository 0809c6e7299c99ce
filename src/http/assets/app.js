// The dashboard: one page, the view chosen by the address behind #.
import {call, read_state} from './api.js';
import {show_files} from './files.js';
import {make} from './page.js';
import {apps_view, node_view, storage_view, tokens_view} from './views.js';
import {work} from './work.js';

const page = document.getElementById('page');
const views = {storage: storage_view, apps: apps_view, tokens: tokens_view, node: node_view};
let shown = '';
let refresh_files = null;

const [place, folder] = [() => location.hash.slice(2).split('/')[0] || 'storage',
  () => decodeURIComponent(location.hash.slice('#/files'.length)) || '/'];

function mark_section() {
  for (const link of document.querySelectorAll('header nav a')) {
    if (link.hash.slice(2).split('/')[0] === place()) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

async function show() {
  const here = place();
  const hash = location.hash;
  try {
    const state = await read_state();
    document.getElementById('address').textContent = state.address;
    work.show(state.work);
    if (here === 'files') {
      refresh_files = await show_files(page, folder());
    } else {
      refresh_files = null;
      page.replaceChildren(...(views[here] ?? storage_view)(state, show));
    }
  } catch (error) {
    page.replaceChildren(make('p', {class: 'bad', role: 'alert'}, error.message));
  }
  mark_section();
  if (hash !== shown && shown !== '') page.focus({preventScroll: true});
  shown = hash || '#/storage';
}

// Changes come in bursts, and a form that is being filled in must not go.
let due = null;
function show_soon() {
  due ??= setTimeout(() => {
    due = null;
    if (document.activeElement?.form || document.getElementById('dialog').open) return;
    if (refresh_files) refresh_files().catch(() => {});
    else show();
  }, 300);
}

addEventListener('hashchange', () => {
  document.getElementById('dialog').close();  // its question was about the page that is left
  show();
});
// A file that misses the sheet must not take the page's place.
for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
document.getElementById('signout').addEventListener('click', async () => {
  await call('POST', 'signout');
  location.reload();
});
await show();
const events = new EventSource('/api/events');
events.addEventListener('change', show_soon);
events.addEventListener('reset', show_soon);
events.addEventListener('work', (event) => work.show(JSON.parse(event.data)));
