// The consent page: asks whoever is signed in, and shows others how to sign in first.
import {resume, signed, while_loading} from './session.js';
import {until_signed_in} from './signin.js';
import {printable} from './text.js';

const page = document.getElementById('page');
const kOurs = ['grant', 'lifetime', 'decision'];  // what the user decides, and no address

async function decide(decision) {
  const form = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => !kOurs.includes(name)));
  for (const select of page.querySelectorAll('select[name=grant]')) form.append('grant', select.value);
  form.append('lifetime', document.getElementById('lifetime').value);
  form.append('decision', decision);
  const answer = await signed(location.pathname, {method: 'POST', body: form});
  if (!answer.ok) throw new Error((await answer.text()).trim());
  location.assign((await answer.json()).location);
}

function ask() {
  page.replaceChildren(document.getElementById('question').content.cloneNode(true));
  const problem = document.getElementById('problem');
  page.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const buttons = page.querySelectorAll('button');
    for (const button of buttons) button.disabled = true;
    try {
      await decide(event.submitter?.value ?? 'deny');
    } catch (error) {
      problem.textContent = printable(error.message);
      problem.hidden = false;
      for (const button of buttons) button.disabled = false;
    }
  });
}

const signed_in = await while_loading(async () => {
  const known = await resume();
  if (known) ask();
  return known;
});
if (!signed_in) {
  await until_signed_in(page, `${page.dataset.origin} asks for access to your storage. Sign in first.`);
  ask();
}
