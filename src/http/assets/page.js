// What all views share: making elements, words for numbers, questions.
import {printable} from './text.js';

// make('a', {href: '#'}, 'text', child…): properties, never markup, so that stored names stay text;
// what is read of them is made printable.
const is_read = new Set(['title', 'aria-label', 'placeholder']);
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, given] of Object.entries(properties)) {
    const value = is_read.has(name) ? printable(given) : given;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined)
    .map((child) => (typeof child === 'string' ? printable(child) : child)));
  return element;
}

export function section(title, ...children) {
  return make('section', {}, make('h2', {}, title), ...children);
}

const cell = (tag, column, content) => make(tag, {class: column.class ?? ''}, content ?? '');

// One by one: there may be more rows than a call takes arguments.
export function add_rows(element, columns, rows) {
  for (const row of rows) {
    element.tBodies[0].append(make('tr', {}, ...row.map((content, at) => cell('td', columns[at], content))));
  }
}

export function table(columns, rows) {
  const element = make('table', {},
    make('thead', {}, make('tr', {}, ...columns.map((column) => cell('th', column, column.title)))), make('tbody'));
  add_rows(element, columns, rows);
  return element;
}

export function bytes(count) {
  if (count === null || count === undefined) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) { count /= 1000; ++at; }
  return `${at === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[at]}`;
}

// A node, since the marks of direction in some languages' dates are the browser's own.
const date_text = (seconds) => new Text(new Date(seconds * 1000).toLocaleDateString());

export function when(seconds) {
  if (!seconds) return 'never';
  const ago = Date.now() / 1000 - seconds;
  if (ago < 0) return date_text(seconds);
  if (ago < 60) return 'just now';
  if (ago < 3600) return `${Math.floor(ago / 60)} min ago`;
  if (ago < 86400) return `${Math.floor(ago / 3600)} h ago`;
  return date_text(seconds);
}

// A question over the page. `danger`: a yes takes something away, so the way back has the focus.
export function ask(question, yes, {danger = false, note = ''} = {}) {
  const dialog = document.getElementById('dialog');
  const [text, more, go, back] = ['question', 'note', 'yes', 'no'].map((id) => document.getElementById(id));
  text.textContent = printable(question);
  more.textContent = printable(note);
  more.hidden = !note;
  go.textContent = yes;
  dialog.classList.toggle('danger', danger);
  dialog.returnValue = '';
  dialog.showModal();
  (danger ? back : go).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
  });
}

// What a click has not done, and why.
export function tell(problem) {
  const dialog = make('dialog', {'aria-label': 'Not done'}, make('p', {class: 'bad', role: 'alert'}, problem.message),
    make('div', {class: 'row'}, make('button', {type: 'button', onclick: () => dialog.close()}, 'Close')));
  dialog.addEventListener('close', () => dialog.remove(), {once: true});
  document.body.append(dialog);
  dialog.showModal();
}

// Where the browser has no clipboard for this page, the old way may still do.
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand('copy');
  }
}

// A text that nobody can see again: it stays until the user closes it, whatever changes elsewhere.
export function show_once(title, text) {
  const secret = make('code', {class: 'secret'}, text);
  const said = make('span', {class: 'soft', role: 'status'});
  const dialog = make('dialog', {'aria-label': title}, make('h2', {}, title), secret,
    make('div', {class: 'row'},
      make('button', {type: 'button', class: 'main', onclick: async () => {
        said.textContent = await copy(text, secret) ? 'Copied.' : 'Select it, and copy it by hand.';
      }}, 'Copy'),
      make('button', {type: 'button', onclick: () => dialog.close()}, 'Close'), said));
  dialog.addEventListener('close', () => dialog.remove(), {once: true});
  document.body.append(dialog);
  dialog.showModal();
}
