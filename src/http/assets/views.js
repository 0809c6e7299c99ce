// Storage, apps, tokens, node: each view is a function from the state to elements.
import {call} from './api.js';
import {ask, bytes, make, section, show_once, table, tell, when} from './page.js';
import {printable} from './text.js';

export function storage_view({usage}) {
  const figure = (title, value) => make('div', {}, make('dt', {}, title), make('dd', {}, value));
  const largest = Math.max(1, ...usage.modules.map((module) => module.bytes));
  const modules = usage.modules.slice().sort((a, b) => b.bytes - a.bytes).map((module) => {
    const folder = `${module.category === 'private' ? '' : `/${module.category}`}${module.module ? `/${module.module}` : ''}/`;
    return [make('a', {href: `#/files${folder.split('/').map(encodeURIComponent).join('/')}`}, module.module || '(no app)'),
      module.category, module.documents, bytes(module.bytes),
      make('meter', {value: module.bytes, max: module.quota ?? largest, 'aria-label': `${module.module}: ${bytes(module.bytes)}`})];
  });
  return [make('h1', {}, 'What is stored'),
    section('Space', make('dl', {class: 'figures'}, figure('Documents', usage.documents), figure('Size', bytes(usage.bytes)),
      figure('Earlier versions', bytes(usage.history_bytes)), figure(usage.quota === null ? 'Free on the disk' : 'Left', bytes(usage.available))),
    usage.quota === null ? null : make('meter', {value: usage.bytes, max: usage.quota, 'aria-label': 'Used of the quota'})),
    section('By app', modules.length === 0 ? make('p', {class: 'soft'}, 'Nothing yet. Connect an app, or upload under Files.')
      : table([{title: 'Module'}, {title: 'Kind'}, {title: 'Documents', class: 'number wide'}, {title: 'Size', class: 'number'},
        {title: '', class: 'wide'}], modules))];
}

const is_app = (token) => /^https?:\/\//.test(token.label);

function revoke_button(tokens, label, refresh) {
  return make('button', {type: 'button', class: 'quiet bad', onclick: async () => {
    if (!await ask(`Take back the access of ${label}? It takes effect at once.`, 'Take back', {danger: true})) return;
    try {
      for (const token of tokens) await call('DELETE', `tokens/${token.id}`);
    } catch (error) { tell(error); }
    refresh();
  }}, 'Take back');
}

export function apps_view({apps, tokens}, refresh) {
  const installed = apps.map((app) => make('div', {class: 'tile'}, make('strong', {}, app.title),
    make('span', {class: 'soft'}, `${app.name} · ${bytes(app.bytes)}`),
    make('div', {class: 'row'}, make('a', {class: 'button main', href: app.url}, 'Open'),
      make('button', {type: 'button', class: 'quiet bad', onclick: async () => {
        if (!await ask(`Remove the app ${app.title}? What it stored stays.`, 'Remove', {danger: true})) return;
        await call('DELETE', `apps/${app.name}`).catch(tell);
        refresh();
      }}, 'Remove'))));
  const origins = Map.groupBy ? Map.groupBy(tokens.filter(is_app), (token) => token.label)
    : tokens.filter(is_app).reduce((map, token) => map.set(token.label, [...map.get(token.label) ?? [], token]), new Map());
  const connected = [...origins].map(([origin, mine]) => [make('span', {class: 'origin'}, origin),
    [...new Set(mine.flatMap((token) => token.words))].join('; '),
    when(Math.max(...mine.map((token) => token.last_used ?? 0))), revoke_button(mine, origin, refresh)]);
  return [make('h1', {}, 'Apps'),
    section('On this node', installed.length > 0 ? make('div', {class: 'tiles'}, ...installed)
      : make('p', {class: 'soft'}, 'None yet. ', make('code', {}, 'meshstow apps add FOLDER'),
        ' puts a static web app here, so that it works without the web.')),
    section('Connected', connected.length > 0
      ? table([{title: 'App'}, {title: 'May', class: 'wide'}, {title: 'Last used'}, {title: '', class: 'actions'}], connected)
      : make('p', {class: 'soft'}, 'No app has access.'))];
}

function token_form(refresh) {
  const problem = make('p', {class: 'bad', role: 'alert', hidden: true});
  const scope = make('input', {id: 'scope', required: true, placeholder: 'notes:rw', autocomplete: 'off'});
  const days = make('select', {id: 'days'}, make('option', {value: ''}, 'no end'), make('option', {value: '1'}, 'one day'),
    make('option', {value: '30'}, '30 days'), make('option', {value: '365'}, 'one year'));
  const form = make('form', {onsubmit: async (event) => {
    event.preventDefault();
    try {
      const order = {scopes: scope.value.trim().split(/\s+/), label: 'dashboard'};
      if (days.value) order.days = Number(days.value);
      const {token} = await call('POST', 'tokens', order);
      show_once('The new token, shown only now', token);
      refresh();
    } catch (error) {
      problem.textContent = printable(error.message);
      problem.hidden = false;
    }
  }}, make('div', {class: 'row'}, make('label', {htmlFor: 'scope'}, 'Scope'), scope, make('label', {htmlFor: 'days'}, 'for'), days,
    make('button', {class: 'main'}, 'Make a token')));
  return section('New token', problem, make('p', {class: 'soft'}, make('code', {}, 'notes:rw'), ' or ', make('code', {}, 'notes:r'),
    ' for one module, ', make('code', {}, '*:rw'), ' for everything.'), form);
}

export function tokens_view({tokens}, refresh) {
  const rows = tokens.filter((token) => !is_app(token)).map((token) => [make('code', {}, token.id), token.label,
    token.scopes.join(' '), when(token.last_used), token.expires ? when(token.expires) : 'never',
    revoke_button([token], `the token ${token.id}`, refresh)]);
  return [make('h1', {}, 'Tokens'), token_form(refresh),
    section('Made for programs', rows.length === 0 ? make('p', {class: 'soft'}, 'None.')
      : table([{title: 'Id'}, {title: 'Made by', class: 'wide'}, {title: 'Scope'}, {title: 'Last used', class: 'wide'},
        {title: 'Ends', class: 'wide'}, {title: '', class: 'actions'}], rows))];
}

export function node_view({node, address}) {
  const facts = {'Name': node.name || '–', 'Address for apps': address, 'Owner': node.owner, 'Device': node.device,
    'Destination': node.destination, 'Version': node.version};
  // Bytes for what is held, else a count.
  const amount = (bound, number) => bound.whole >= 1 << 20 ? bytes(number) : String(number);
  const bounds = node.bounds.map((bound) => [bound.name, amount(bound, bound.held), amount(bound, bound.whole),
    amount(bound, bound.owner), amount(bound, bound.guests), amount(bound, bound.strangers), bound.refused]);
  const peers = node.peers.map((peer) => [make('code', {}, peer.destination), peer.hops, when(peer.heard),
    bytes(peer.space_available)]);
  return [make('h1', {}, 'Node'),
    section('This node', make('dl', {class: 'facts'}, ...Object.entries(facts).flatMap(([name, value]) =>
      [make('dt', {}, name), make('dd', {}, String(value))]))),
    section('Storage nodes heard', peers.length === 0 ? make('p', {class: 'soft'}, 'None yet.')
      : table([{title: 'Destination'}, {title: 'Hops', class: 'number'}, {title: 'Heard'}, {title: 'Space', class: 'number'}], peers)),
    section('Limits', make('p', {class: 'soft'}, 'What others hold of this node now. Refusals that grow are a flood.'),
      table([{title: 'Of'}, ...['Held', 'Whole', 'Yours', 'Tokens', 'Strangers', 'Refused'].map((title) => ({title, class: 'number'}))],
        bounds))];
}
