// Goes on as soon as the user is signed in, be it in another tab.
const why = document.getElementById('why');
if (!why.textContent) why.hidden = true;
// After a form the page's own address is the form's: there the user goes on by hand.
const here = location.pathname === '/signin' ? '/dashboard/' : location.href;

async function look() {
  try {
    const answer = await fetch('/api/session', {cache: 'no-store'});
    if ((await answer.json()).signed_in) return location.replace(here);
  } catch { /* the server is away for a moment */ }
  setTimeout(look, 2000);
}
setTimeout(look, 2000);
