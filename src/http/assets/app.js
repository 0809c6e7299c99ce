// The dashboard: one page, the view chosen by the address behind #.
import {call, listen, read_state} from './api.js';
import {show_files} from './files.js';
import {tell_back, tell_gone} from './gone.js';
import {make, tell} from './page.js';
import {resume, sign_in, while_loading} from './session.js';
import {until_signed_in} from './signin.js';
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

const is_silence = (error) => error instanceof TypeError;  // what fetch throws, and nothing else here

async function show() {
  const here = place();
  const hash = location.hash;
  try {
    const state = await read_state();
    tell_back();
    document.getElementById('address').textContent = state.address;
    work.show(state.work);
    if (here === 'files') {
      refresh_files = await show_files(page, folder());
    } else {
      refresh_files = null;
      page.replaceChildren(...(views[here] ?? storage_view)(state, show));
    }
  } catch (error) {
    // Without an answer the page stays as it is, and a banner says why.
    if (is_silence(error)) tell_gone(show);
    else page.replaceChildren(make('p', {class: 'bad', role: 'alert'}, error.message));
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
    if (document.activeElement?.form || document.querySelector('dialog[open]')) return;
    if (refresh_files) refresh_files().catch(() => {});
    else show();
  }, 300);
}
addEventListener('close', show_soon, true);  // what changed while a dialog was open

addEventListener('hashchange', () => {
  document.getElementById('dialog').close();  // its question was about the page that is left
  show();
});
// A file that misses the sheet must not take the page's place.
for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
document.getElementById('signout').addEventListener('click', async () => {
  try {
    await call('POST', 'signout');
    location.reload();
  } catch (error) { tell(error); }
});

// The page of a sign-in link is this one; what stands behind # is good once, and stays in no history.
async function enter() {
  const link = location.pathname === '/signin' ? location.hash.slice(1) : '';
  let why = '';
  if (link) await sign_in({link}).catch((error) => { why = error.message; });
  if (location.pathname === '/signin') history.replaceState(null, '', '/dashboard/');
  return {why, signed_in: await resume()};
}
const {why, signed_in} = await while_loading(enter);
if (!signed_in) await until_signed_in(page, why);
document.getElementById('top').hidden = false;
await show();
// The stream of changes tells whether the node is there, too.
let was_open = false;
listen({
  change: show_soon, reset: show_soon, work: (data) => work.show(JSON.parse(data)),
  open: () => {
    tell_back();
    if (was_open) show_soon();  // to what was missed
    was_open = true;
  },
  lost: () => read_state().catch((error) => { if (is_silence(error)) tell_gone(show); }),
});
