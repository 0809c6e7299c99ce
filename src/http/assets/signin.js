// How to sign in, on any page of ours that finds nobody signed in.
import {make} from './page.js';
import {other_session, read_server, resume, server, sign_in} from './session.js';
import {printable} from './text.js';

function passphrase_form(show_error, done) {
  const input = make('input', {type: 'password', id: 'passphrase', name: 'passphrase', required: true, autofocus: true});
  input.setAttribute('autocomplete', 'current-password');
  return make('form', {onsubmit: async (event) => {
    event.preventDefault();
    try {
      await sign_in({passphrase: input.value});
      if (await resume()) done();
    } catch (error) { show_error(error.message); }
  }}, make('label', {htmlFor: 'passphrase'}, 'Passphrase'), input, make('button', {class: 'main'}, 'Sign in'));
}

function card(why, done) {
  const note = make('p', {class: 'bad', id: 'why', role: 'alert', hidden: !why}, why);
  const show_error = (text) => { note.textContent = printable(text); note.hidden = false; };
  const home = make('p', {class: 'soft'}, 'This is ', make('strong', {}, server.address), server.name ? `, “${server.name}”.` : '.');
  return make('main', {class: 'card', id: 'signin'}, make('h1', {}, 'Sign in to your storage'), home, note,
    server.passphrase ? passphrase_form(show_error, done) : null,
    make('p', {}, 'On the computer where Meshstow runs, type'),
    make('p', {}, make('code', {class: 'secret'}, 'meshstow open')),
    make('p', {class: 'soft'}, 'It opens this browser with a link that signs in, once. This page goes on by itself as soon as you are signed in.'),
    server.passphrase ? null : make('p', {class: 'soft'}, 'On a phone, or wherever else there is no terminal, a passphrase signs in: ',
      make('code', {}, 'meshstow passphrase'), ' sets one.'));
}

// Shows how in place of `page`; resolves when this browser is signed in, be it in another tab.
export async function until_signed_in(page, why = '') {
  await new Promise((done) => {
    const shown = card(why, () => { shown.replaceWith(page); done(); });
    page.replaceWith(shown);
    (async () => {
      for (;;) {
        await other_session();
        if (await resume().catch(() => false)) { shown.replaceWith(page); return done(); }
      }
    })();
    // A passphrase that is set meanwhile, and a server that comes back: look again now and then.
    const look = setInterval(async () => {
      if (!shown.isConnected) return clearInterval(look);
      const had = server.passphrase;
      await read_server().catch(() => {});
      if (server.passphrase && !had) location.reload();
    }, 5000);
  });
}
